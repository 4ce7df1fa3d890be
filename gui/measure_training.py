"""Figures of the Training page: a long run opened and redrawn, a new one's first point, gaps meanwhile."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Slot

from gui.main_window import TRAINING
from gui.measure import IDLE_MS, Gaps

if TYPE_CHECKING:
    from gui.main_window import MainWindow

BUSY_MS = 20_000
SETTLE_MS = 1500
LOOK_MS = 5
REDRAWS = 40
PATIENCE_S = 240


class TrainingBench(QObject):
    """Opens the run CONSONANCE_BENCH_LONG, then starts one with the settings and data in CONSONANCE_BENCH_RUN
    (JSON: settings, data, folder), switches pages while it trains, stops it, and says the figures as JSON."""

    def __init__(self, window: MainWindow, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window, self._say = window, say
        self._page = window.training.page
        self._gaps = Gaps(self)
        self._figures: dict[str, Any] = {"platform": sys.platform}
        self._began = perf_counter()
        self._wanted: Callable[[], bool] = lambda: False
        self._then: Callable[[], None] = lambda: None
        self._looks = QTimer(self, interval=LOOK_MS)
        self._looks.timeout.connect(self._look)
        self._turns = QTimer(self, interval=1000)
        self._turns.timeout.connect(lambda: window.show_page(TRAINING - window.pages.currentIndex()))
        window.show_page(TRAINING)
        QTimer.singleShot(SETTLE_MS, self, self._idle)

    def _wait(self, wanted: Callable[[], bool], then: Callable[[], None]) -> None:
        """Call `then` with the time since now once `wanted` is true."""
        self._wanted, self._then, self._began = wanted, then, perf_counter()
        self._looks.start()

    @Slot()
    def _look(self) -> None:
        if perf_counter() - self._began > PATIENCE_S:
            self._looks.stop()
            self._say("gave up waiting")
            self._window.exit_code = 1
            self._window.close()
        elif self._wanted():
            self._looks.stop()
            self._then()

    def _since(self) -> float:
        return round(perf_counter() - self._began, 3)

    def _idle(self) -> None:
        self._gaps.start()
        QTimer.singleShot(IDLE_MS, self, self._open_long)

    def _open_long(self) -> None:
        self._figures["idle_ms"] = self._gaps.stop()
        self._long = os.environ["CONSONANCE_BENCH_LONG"]
        self._first: float | None = None
        self._gaps.start()
        self._page.open_run(Path(self._long))
        self._wait(self._long_is_drawn, self._redraw)

    def _long_is_drawn(self) -> bool:
        run, curves = self._page.run, self._page.curves.get(self._long)
        if run is None or run.folder != self._long or curves is None or self._page.drawing:
            return False
        if self._first is None and curves.columns:
            self._first = self._since()
        return bool(curves.columns) and not curves.reading

    def _redraw(self) -> None:
        self._figures["long_run"] = {
            "events": self._page.curves[self._long].events,
            "first_curves_seconds": self._first,
            "whole_seconds": self._since(),
            "gaps_ms": self._gaps.stop(),
        }
        times = []
        for _ in range(REDRAWS):
            before = perf_counter()
            self._page.panel.draw(self._page.curves[self._long])
            self._page.panel.plots.draw_now()
            times.append(1000 * (perf_counter() - before))
        times.sort()
        self._figures["long_run"]["redraw_ms"] = {
            "p50": round(times[len(times) // 2], 2),
            "p95": round(times[int(0.95 * len(times))], 2),
        }
        self._start()

    def _start(self) -> None:
        told = json.loads(os.environ["CONSONANCE_BENCH_RUN"])
        from core.training.settings import load
        from gui.new_run import NewRun

        folder = Path(told["folder"])
        self._new = str(folder)
        wanted = NewRun(load(told["settings"]), Path(told["data"]), folder.name, folder.parent, (1111,))
        self._window.training.start(wanted)
        self._wait(self._has_a_point, self._busy)

    def _has_a_point(self) -> bool:
        curves = self._page.curves.get(self._new)
        return curves is not None and bool(curves.columns) and not self._page.drawing

    def _busy(self) -> None:
        self._figures["start_to_first_point_seconds"] = self._since()
        self._gaps.start()
        self._turns.start()
        QTimer.singleShot(BUSY_MS, self, self._stop)

    def _stop(self) -> None:
        self._figures["training_ms"] = self._gaps.stop()
        self._turns.stop()
        self._window.show_page(TRAINING)
        self._page.deeds.stop(self._new)
        self._wait(lambda: self._state() in ("stopping", "stopped", "finished"), self._stopping)

    def _state(self) -> str:
        run = self._page.runs.runs.get(self._new)
        return "" if run is None else run.state

    def _stopping(self) -> None:
        self._figures["stop_to_seen_seconds"] = self._since()
        self._wait(lambda: self._state() in ("stopped", "finished", "interrupted", "failed"), self._end)

    def _end(self) -> None:
        self._figures["stop_to_ended_seconds"] = self._since()
        self._figures["ended"] = self._state()
        self._say(json.dumps(self._figures))
        self._window.close()
