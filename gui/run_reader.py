"""The process that reads run folders, as the window sees it: asked, listened to, asked again if it died."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from core.training.run_curves import unpacked
from core.workers.protocol import Message
from gui.engine_process import EngineProcess, EngineState


@dataclass(frozen=True, slots=True)
class Points:
    """One column of a run, thinned: raw and smoothed points (float32), where it has gaps, its last value."""

    x: np.ndarray
    y: np.ndarray
    smooth_x: np.ndarray
    smooth_y: np.ndarray
    gaps: np.ndarray
    last: float | None = None


@dataclass(frozen=True, slots=True)
class RunCurves:
    """What is drawn of one run. best: epoch of the best model; segments: where it was resumed."""

    folder: str
    columns: dict[str, Points]
    best: float | None = None
    segments: Sequence[float] = ()
    epoch_seconds: float | None = None
    events: int = 0
    reading: bool = False


class RunReader(QObject):
    """Tells of runs and follows some of them. Starts its process with the first question."""

    runs_changed = Signal(object, object)
    """Summaries of the runs that are new or different, folders that are gone."""
    listed = Signal()
    """Every run there is has been told."""
    curves = Signal(object)
    details = Signal(object)
    compared = Signal(object)
    failed = Signal(object)
    ended = Signal(object)
    closed = Signal()

    def __init__(self, command: Callable[[], Sequence[str]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = EngineProcess(command, parent=self)
        self._process.received.connect(self._receive)
        self._process.state_changed.connect(self._state_changed)
        self._process.ended.connect(self.ended)
        self._process.closed.connect(self.closed)
        self._asked: dict[str, Message] = {}
        self._next_id = 1

    @property
    def process_id(self) -> int:
        """The process's id, 0 where none runs."""
        return self._process.process_id

    def list_runs(self, root: Path, also: Iterable[Path] = ()) -> None:
        """Tell of the runs below `root` and of those named, now and whenever one changes."""
        self._ask("list", root=str(root), also=[str(folder) for folder in also])

    def follow(self, folders: Sequence[str], shown: str | None, points: int) -> None:
        """Tell the curves of `folders` and the details of `shown`, now and whenever they change."""
        self._ask("follow", folders=list(folders), shown=shown, points=points)

    def compare(self, folders: Sequence[str]) -> None:
        """Tell once how these runs compare."""
        self._ask("compare", folders=list(folders))

    def restart(self) -> None:
        """Start anew and ask again for everything."""
        self._process.restart()

    def close(self) -> None:
        """End the process; `closed` tells when."""
        self._process.close()

    def _ask(self, do: str, **what: Any) -> None:
        message = {"id": self._next_id, "do": do, **what}
        self._next_id += 1
        self._asked[do] = message
        if self._process.state is EngineState.READY:
            self._process.send(message)
        else:
            self._process.start()

    @Slot(object)
    def _state_changed(self, state: EngineState) -> None:
        if state is EngineState.READY:
            for message in self._asked.values():
                self._process.send(message)

    @Slot(object)
    def _receive(self, message: Message) -> None:
        answers = {"runs": "list", "curves": "follow", "details": "follow", "comparison": "compare"}
        event = message.get("event", "")
        asked = self._asked.get(answers.get(event, ""))
        if event == "failed":
            self.failed.emit(message["error"])
        elif asked is not None and asked["id"] == message["id"]:
            self._tell(event, message)

    def _tell(self, event: str, message: Message) -> None:
        match event:
            case "runs":
                self.runs_changed.emit(message["changed"], message["gone"])
                if message["whole"]:
                    self.listed.emit()
            case "curves":
                self.curves.emit(_decoded(message))
            case "details":
                self.details.emit(message)
            case "comparison":
                self.compared.emit(message)


def _decoded(message: Message) -> RunCurves:
    columns = {
        name: Points(
            *(unpacked(told[key]) for key in ("x", "y", "smooth_x", "smooth_y", "gaps")), last=told["last"]
        )
        for name, told in message["columns"].items()
    }
    return RunCurves(
        message["folder"],
        columns,
        message["best"],
        message["segments"],
        message["epoch_seconds"],
        message["events"],
        message["reading"],
    )
