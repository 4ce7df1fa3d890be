"""Figures of the Live page while it previews, infers and records."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import psutil
from PySide6.QtCore import QObject, QTimer, Slot

from gui.live_session import Recording
from gui.measure import IDLE_MS, Gaps

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_LOOK_MS = 100
_SETTLE_S = 5.0
"""Seconds of inference before the figures begin: everything is loaded then."""


class LiveBench(QObject):
    """Waits for the engine, records for CONSONANCE_BENCH_SECONDS, says the figures as JSON, closes."""

    def __init__(self, window: MainWindow, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window, self._say = window, say
        self._seconds = float(os.environ["CONSONANCE_BENCH_SECONDS"])
        folder = str(Path(os.environ["CONSONANCE_BENCH_FOLDER"]) / "films")
        window.preferences = window.preferences.changed(recordings_folder=folder)
        self._session, self._page = window.live.session, window.live.page
        self._gaps, self._idle = Gaps(self), Gaps(self)
        self._origin = self._newest = 0.0
        self._waits: list[float] = []
        self._curves: list[float] = []
        self._words: list[float] = []
        self._pictures: list[float] = []
        self._state: Mapping[str, Any] = {}
        self._film: Mapping[str, Any] = {}
        self._processor: dict[str, float] = {}
        self._rss: list[float] = []
        self._began = self._first = 0.0
        self._figures: dict[str, Any] = {"platform": sys.platform}
        self._session.told.connect(self._take)
        self._session.recorded.connect(self._recorded)
        self._looks = QTimer(self, interval=_LOOK_MS)
        self._looks.timeout.connect(self._look)
        self._idle.start()
        QTimer.singleShot(IDLE_MS, self, self._end_of_idle)

    @Slot()
    def _end_of_idle(self) -> None:
        self._figures["starting_ms"] = self._idle.stop()

    @Slot(object)
    def _take(self, message: Mapping[str, Any]) -> None:
        event = message["event"]
        if event == "started":
            self._origin = message["origin"]
            self._page.panel.curves.drawn.connect(self._drawn)
            QTimer.singleShot(int(1000 * _SETTLE_S), self, self._begin)
        elif event == "curve" and max(message["time"]) > self._newest:
            self._newest = max(message["time"])
            self._waits.append(self._newest)
        elif event == "utterance":
            self._words.append(1000 * (perf_counter() - self._origin - message["end"]))
        elif event == "state":
            self._state = message

    @Slot()
    def _drawn(self) -> None:
        moment = perf_counter()
        self._curves += [1000 * (moment - self._origin - time) for time in self._waits]
        self._waits.clear()

    @Slot()
    def _begin(self) -> None:
        self._session.record()
        self._session.consent()
        self._curves.clear()
        self._words.clear()
        self._first, self._page.preview.painted = self._page.preview.shown, 0
        self._began = perf_counter()
        self._processor = self._used()
        self._before = dict(self._state)
        self._gaps.start()
        self._looks.start()

    @Slot()
    def _look(self) -> None:
        self._pictures.append(1000 * self._page.preview.delay)
        if len(self._pictures) % 10 == 1:
            self._rss.append(sum(p.memory_info().rss for p in self._processes()) / 2**20)
        if perf_counter() - self._began > self._seconds and self._session.recording is Recording.ON:
            self._looks.stop()
            self._end()

    def _end(self) -> None:
        took = perf_counter() - self._began
        used = self._used()
        self._figures |= {
            "preview_fps": round(self._page.preview.painted / took, 1),
            "camera_fps": round((self._page.preview.shown - self._first) / took, 1),
            "preview_ms": _spread(self._pictures),
            "curve_ms": _spread(self._curves),
            "words_ms": _spread(self._words),
            "windows_dropped": self._since("windows_dropped"),
            "pictures_not_looked_at": self._since("pictures_missed"),
            "gaps_ms": self._gaps.stop(),
            "cores_used": round(sum(used.values()) - sum(self._processor.values()), 2) / took,
            "rss_mb": {
                "first": round(self._rss[0]),
                "last": round(self._rss[-1]),
                "most": round(max(self._rss)),
            },
        }
        self._session.stop_recording()

    def _since(self, name: str) -> int:
        return int(self._state.get(name, 0)) - int(self._before.get(name, 0))

    @Slot(str, object)
    def _recorded(self, _file: str, progress: Mapping[str, Any]) -> None:
        pictures = progress["pictures"] + progress["dropped"]
        self._figures["recording"] = {
            "seconds": progress["seconds"],
            "pictures": progress["pictures"],
            "dropped": progress["dropped"],
            "dropped_share": round(progress["dropped"] / pictures, 4) if pictures else None,
        }
        self._say(json.dumps(self._figures))
        self._window.close()

    def _processes(self) -> list[psutil.Process]:
        own = psutil.Process()
        return [own, *own.children(recursive=True)]

    def _used(self) -> dict[str, float]:
        """Seconds of processor time of each process."""
        return {str(p.pid): sum(p.cpu_times()[:2]) for p in self._processes()}


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values) or [0.0]
    return {
        "count": len(values),
        "p50": round(ordered[len(ordered) // 2], 1),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        "max": round(ordered[-1], 1),
    }
