"""The process that looks at what a run would need, as the dialog sees it: asked, listened to, asked again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from core.training.preflight_report import from_json
from core.training.settings import Settings
from core.workers.protocol import Message
from gui.engine_process import EngineEnd, EngineProcess, EngineState


class PreflightClient(QObject):
    """One question at a time, the latest. Starts its process with the first; each answer is of the last."""

    progress = Signal(str, float)
    done = Signal(object)
    failed = Signal(dict)
    closed = Signal()

    def __init__(self, command: Callable[[], Sequence[str]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = EngineProcess(command, parent=self)
        self._process.received.connect(self._receive)
        self._process.state_changed.connect(self._state_changed)
        self._process.ended.connect(self._ended)
        self._process.closed.connect(self.closed)
        self._asked: Message | None = None
        self._number = 0

    @property
    def busy(self) -> bool:
        """Whether an answer is waited for."""
        return self._asked is not None

    def ask(self, settings: Settings, data: Path, folder: Path, runs: int) -> None:
        """Look at this, and no longer at what was asked before."""
        self._number += 1
        self._asked = {
            "id": self._number,
            "do": "preflight",
            "settings": settings.model_dump(mode="json"),
            "data": str(data),
            "folder": str(folder),
            "runs": runs,
        }
        if self._process.state is EngineState.READY:
            self._process.send(self._asked)
        else:
            self._process.start()

    def cancel(self) -> None:
        """No longer look at anything; nothing is answered."""
        if self._asked is not None and self._process.state is EngineState.READY:
            self._process.send({"id": 0, "do": "cancel", "job": self._asked["id"]})
        self._asked = None

    def close(self) -> None:
        """End the process; `closed` tells when."""
        self._asked = None
        self._process.close()

    @Slot(object)
    def _state_changed(self, state: EngineState) -> None:
        if state is EngineState.READY and self._asked is not None:
            self._process.send(self._asked)

    @Slot(dict)
    def _receive(self, message: Message) -> None:
        if self._asked is None or message["id"] != self._asked["id"]:
            return
        match message.get("event"):
            case "progress":
                self.progress.emit(message["step"], message["fraction"])
            case "done":
                self._asked = None
                self.done.emit(from_json(message["report"]))
            case "failed":
                self._asked = None
                self.failed.emit(message["error"])

    @Slot(object)
    def _ended(self, end: EngineEnd) -> None:
        """What was asked may be what killed it, so it is not asked again by itself."""
        if self._asked is None:
            return
        self._asked = None
        told = self.tr("The check ended: %1.").replace("%1", end.reason)
        self.failed.emit({"message": told, "remedy": self.tr("Check again."), "details": end.last_words})
