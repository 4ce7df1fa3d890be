"""Figures of the window itself: time to the first paint, and gaps of the event loop."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Slot

if TYPE_CHECKING:
    from gui.main_window import MainWindow

TICK_MS = 5
IDLE_MS = 5000


def milliseconds_since_start() -> float:
    """Wall time since the operating system started this process."""
    stat = Path("/proc/self/stat")
    if stat.exists():
        # Field 22 counts clock ticks since boot; the name before it may hold spaces.
        ticks = int(stat.read_text().rpartition(")")[2].split()[19])
        return 1000 * (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
    import psutil

    return 1000 * (time.time() - psutil.Process().create_time())


class Gaps(QObject):
    """A precise 5 ms timer that notes how late it is: what the user feels as a stall, in milliseconds."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._last = 0.0
        self._gaps: list[float] = []

    def start(self) -> None:
        """Begin a new series."""
        self._gaps, self._last = [], time.perf_counter()
        self._timer.start()

    def stop(self) -> dict[str, float]:
        """End the series: count, median, 99th percentile and longest gap."""
        self._timer.stop()
        ordered = sorted(self._gaps) or [0.0]
        return {
            "count": len(self._gaps),
            "p50": round(ordered[len(ordered) // 2], 2),
            "p99": round(ordered[int(0.99 * (len(ordered) - 1))], 2),
            "max": round(ordered[-1], 2),
        }

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        self._gaps.append(1000 * (now - self._last))
        self._last = now


class GapBench(QObject):
    """Gaps of an idle window with a warm engine, then while it analyses CONSONANCE_BENCH_CLIP, as JSON."""

    def __init__(self, window: MainWindow, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window, self._say = window, say
        self._gaps = Gaps(self)
        self._idle: dict[str, float] = {}
        self._phase = "warming"
        window.review.session.answered.connect(self._look)

    @Slot(object)
    def _look(self, _clip: object) -> None:
        session = self._window.review.session
        if not session.settled():
            return
        if self._phase == "warming":
            self._phase = "idle"
            QTimer.singleShot(1000, self, self._gaps.start)
            QTimer.singleShot(1000 + IDLE_MS, self, self._begin_busy)
        elif self._phase == "busy":
            self._end()

    def _begin_busy(self) -> None:
        self._idle = self._gaps.stop()
        self._phase = "busy"
        self._gaps.start()
        self._window.open_paths([Path(os.environ["CONSONANCE_BENCH_CLIP"])])

    def _end(self) -> None:
        self._phase = "over"
        figures = {"idle_ms": self._idle, "analysing_ms": self._gaps.stop(), "platform": sys.platform}
        self._say(json.dumps(figures))
        self._window.close()
