"""What the Live page does: three switches, the devices behind them, the engine that watches. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from core.workers.protocol import Message
from gui.engine_process import EngineProcess, EngineState
from gui.jobs import Jobs

COUNTDOWN = 3
"""Seconds from the switch to the recording."""
AFTERWARDS_MS = 8000
"""From the end of a file to that of inference: its last utterance is put into words meanwhile."""


class Recording(Enum):
    """How far the Record switch is."""

    OFF = "off"
    ASKING = "asking"
    COUNTING = "counting"
    STARTING = "starting"
    ON = "on"
    FINISHING = "finishing"


@dataclass(frozen=True, slots=True)
class Source:
    """What is watched; camera and microphone as `core.capture.session.Choice` has them. name: for people."""

    camera: str | None = None
    microphone: str | None = None
    name: str = ""
    file: bool = False

    @property
    def any(self) -> bool:
        return self.camera is not None or self.microphone is not None


def file_source(path: Path, has_video: bool = True, has_audio: bool = True) -> Source:
    """A file that is played as if it were live."""
    return Source(str(path) if has_video else None, str(path) if has_audio else None, path.name, file=True)


class LiveSession(QObject):
    """Belongs to one window. `changed`: the switches or states are others."""

    changed = Signal()
    opened = Signal(object, object)
    """Names of the rings of pictures and sound; None where there is none, or no more."""
    told = Signal(object)
    """A message of the engine about the stream."""
    level = Signal(object)
    progress = Signal(object)
    devices = Signal(object)
    recorded = Signal(str, object)
    recovered = Signal(object)
    """Recordings that were broken off and have been put right: [{"file", "seconds", "reason"}]."""
    failed = Signal(object)
    """{"message", "remedy", …}"""

    def __init__(self, capture: EngineProcess, jobs: Jobs, folder: Callable[[], Path]) -> None:
        """folder: where recordings are put."""
        super().__init__(jobs)
        self.capture, self.jobs, self._folder = capture, jobs, folder
        self.source = Source()
        self.preview = self.inference = self.consented = False
        self.recording = Recording.OFF
        self.counting = 0
        self.states: dict[str, Mapping[str, Any]] = {}
        """Of "camera" and "microphone": state, reason, remedy, obtained."""
        self.waiting = ""
        self._rings: Message | None = None
        self._job = 0
        self._next_id = 1
        self._asked = ""
        self._warm = False
        """Whether the engine has watched before, and so begins at once."""
        self.rehearsing = False
        """Whether a file only plays for the engine to get ready; then it begins anew."""
        self._count = QTimer(self, interval=1000)
        self._count.timeout.connect(self._count_down)
        self._afterwards = QTimer(self, singleShot=True, interval=AFTERWARDS_MS)
        self._afterwards.timeout.connect(lambda: self.set_inference(False))
        capture.received.connect(self._receive)
        capture.state_changed.connect(self._capture_state)
        jobs.engine.state_changed.connect(self._engine_state)
        jobs.live_told.connect(self._take)
        jobs.failed.connect(self._job_failed)
        jobs.cancelled.connect(self._job_cancelled)

    @property
    def open(self) -> bool:
        """Whether the devices are to be open."""
        return self.source.any and (self.preview or self.inference or self.recording is not Recording.OFF)

    @property
    def pictures(self) -> str | None:
        """Name of the ring of pictures, where there is one now."""
        return None if self._rings is None or self.rehearsing else self._rings["pictures"]

    @property
    def ended(self) -> bool:
        """Whether a file has been played to its end."""
        return bool(self.states) and all(state["state"] == "ended" for state in self.states.values())

    def look_for_devices(self) -> None:
        """Ask which cameras and microphones there are (`devices` tells); let the engine get ready."""
        if self.jobs.engine.state is EngineState.OFF:
            self.jobs.engine.start()
        if self.capture.state is EngineState.READY:
            self._send("devices")
        else:
            self.capture.start()

    def choose(self, source: Source) -> None:
        """Watch something else from now on; a recording ends."""
        if self.recording is not Recording.OFF:
            self.stop_recording()
        self.source = source
        self._reopen()

    def play_again(self) -> None:
        """A file from its start."""
        self.preview = self.inference = True
        self.choose(self.source)

    def set_preview(self, on: bool) -> None:
        self.preview = on
        self._follow()

    def set_inference(self, on: bool) -> None:
        self.inference = on
        self._follow()

    def record(self) -> None:
        """Begin a recording: the consent first, then a countdown; or end the one under way."""
        if self.recording is Recording.OFF:
            self.recording = Recording.ASKING
            if self.consented:
                self.consent()
            self._follow()
        else:
            self.stop_recording()

    def consent(self) -> None:
        """Everyone who is seen or heard has agreed."""
        self.consented = True
        if self.recording is Recording.ASKING:
            self.recording, self.counting = Recording.COUNTING, COUNTDOWN
            self._count.start()
        self.changed.emit()

    def stop_recording(self) -> None:
        """End it, in whatever state it is."""
        self._count.stop()
        if self.recording is Recording.ON:
            self.recording = Recording.FINISHING
            self._send("stop")
        elif self.recording in (Recording.ASKING, Recording.COUNTING):
            self.recording = Recording.OFF
        self._follow()

    def _follow(self) -> None:
        """Bring devices and engine to what the switches say."""
        if self.open and self._rings is None:
            self._reopen()
        elif not self.open and (self._rings is not None or self._asked == "open"):
            self._close()
        elif self._rings is not None and self.inference != bool(self._job):
            self._watch()
        self.changed.emit()

    def _reopen(self) -> None:
        self._stop_watching()
        self._rings, self.states = None, {}
        self._afterwards.stop()
        self.opened.emit(None, None)
        if self.open and self.capture.state is EngineState.READY:
            self._asked = "open"
            self.rehearsing = self.source.file and self.inference and not self._warm
            self._send("open", camera=self.source.camera, microphone=self.source.microphone)
        elif self.open:
            self.capture.start()
        self.changed.emit()

    def _close(self) -> None:
        self._stop_watching()
        self._rings, self._asked, self.states = None, "", {}
        self.opened.emit(None, None)
        self._send("close")

    def _watch(self) -> None:
        """Start or end the engine's job."""
        if self.inference and self._rings is not None:
            self._job = self.jobs.watch_live(self.source.name, self._rings)
        else:
            self._stop_watching()

    def _stop_watching(self) -> None:
        job, self._job = self._job, 0
        if job:
            self.jobs.cancel(job)

    @Slot()
    def _count_down(self) -> None:
        self.counting -= 1
        if self.counting <= 0:
            self._count.stop()
            self.recording = Recording.STARTING
            self._send("record", file=str(self._new_file()))
        self.changed.emit()

    def _new_file(self) -> Path:
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{datetime.now():%Y-%m-%d %H.%M.%S}.mp4"

    def _send(self, do: str, **fields: Any) -> None:
        self.capture.send({"id": self._next_id, "do": do, **fields})
        self._next_id += 1

    @Slot(object)
    def _receive(self, message: Message) -> None:
        event = message.get("event")
        if event == "level":
            self.level.emit(message)
        elif event == "status":
            self.states = {**self.states, str(message["source"]): message}
            if self.ended and not self.rehearsing:
                self._afterwards.start()
            self.changed.emit()
        elif event == "progress":
            self._take_progress(message)
        elif event == "devices":
            self.devices.emit(message)
        elif event == "opened":
            self._take_rings(message)
        elif event == "recovered" and message["recordings"]:
            self.recovered.emit(message["recordings"])
        elif event in ("recording", "recorded", "failed"):
            self._take_recording(str(event), message)

    def _take_rings(self, message: Message) -> None:
        self._asked = ""
        self._rings = {"pictures": message["pictures"], "sound": message["sound"]}
        if not self.rehearsing:
            self.opened.emit(message["pictures"], message["sound"])
        if self.inference:
            self._watch()
        self.changed.emit()

    def _take_progress(self, message: Message) -> None:
        self.progress.emit(message)
        if message.get("phase") == "failed" and self.recording is Recording.ON:
            self.failed.emit({"message": message.get("reason"), "remedy": message.get("remedy")})
            self.stop_recording()

    def _take_recording(self, event: str, message: Message) -> None:
        if event == "recording":
            self.recording = Recording.ON
        else:
            was, self.recording = self.recording, Recording.OFF
            if event == "failed":
                self.failed.emit(message.get("error") or {})
            elif was is not Recording.OFF:
                self.recorded.emit(str(message["file"]), message)
        self._follow()

    @Slot(object)
    def _capture_state(self, state: EngineState) -> None:
        if state is EngineState.READY:
            self.look_for_devices()
            self._reopen()
            if self._folder().is_dir():
                self._send("recover", folder=str(self._folder()))
        elif state in (EngineState.RETRYING, EngineState.GIVEN_UP):
            self.recording = Recording.OFF
            self._count.stop()
            self._stop_watching()
            self._rings, self.states = None, {}
            self.opened.emit(None, None)
            self.changed.emit()

    @Slot(object)
    def _engine_state(self, state: EngineState) -> None:
        self._warm = self._warm and state is EngineState.READY

    @Slot(int, object)
    def _take(self, job: int, message: Message) -> None:
        if job != self._job:
            return
        self._warm = self._warm or message["event"] == "started"
        if self.rehearsing and self._warm:
            self._reopen()
        else:
            self.told.emit(message)

    @Slot(int, dict)
    def _job_failed(self, job: int, error: dict[str, Any]) -> None:
        if job == self._job:
            self._job, self.inference = 0, False
            self.failed.emit(error)
            self._follow()

    @Slot(int)
    def _job_cancelled(self, job: int) -> None:
        if job == self._job:
            self._job, self.inference = 0, False
            self._follow()
