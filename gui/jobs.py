"""The window's queue of analyses: one at a time in the engine, each known by its request id."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from core.types import MODALITIES
from core.workers.protocol import Message
from gui.engine_process import EngineEnd, EngineProcess, EngineState

ATTEMPTS = 2
"""A job whose engine died is tried once more, then failed: it may be the job that kills it."""
CANCEL_GRACE_S = 10.0
STEP_SHARES = {"decode": 0.15, "extract": 0.35, "transcribe": 0.45, "predict": 0.05}
"""Share of each step in a job's time before the first finished job has told its own."""


@dataclass(slots=True)
class Job:
    """One analysis asked for. `fractions`: how much of each step is done, in [0, 1]."""

    id: int
    file: str
    transcript: str | None = None
    attempts: int = 0
    started: float = 0.0
    step: str = ""
    fractions: dict[str, float] = field(default_factory=dict)
    cancelling: bool = False
    live: Message | None = None
    """Of a job that watches camera and microphone: the rings they are in."""

    def request(self) -> Message:
        """What the engine is sent."""
        if self.live is not None:
            return {"id": self.id, "do": "live", **self.live}
        return {
            "id": self.id,
            "do": "analyse",
            "file": self.file,
            "transcript": self.transcript,
            "modalities": list(MODALITIES),
        }


class Jobs(QObject):
    """Queue, progress, cancel and recovery. Every signal carries the id of the request it answers."""

    changed = Signal()
    started = Signal(int)
    waveform = Signal(int, dict)
    partial = Signal(int, dict)
    done = Signal(int, dict)
    failed = Signal(int, dict)
    cancelled = Signal(int)
    live_told = Signal(int, object)
    """A message of a live job; as an object, for Qt would copy a dict deeply."""
    engine_ended = Signal(object, object)
    engine_failed = Signal(dict)
    engine_silent = Signal(float)

    def __init__(self, engine: EngineProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine = engine
        self.model: dict[str, str] = {}
        self.scale: tuple[float, float] = (-3.0, 3.0)
        self.running: Job | None = None
        self.waiting: deque[Job] = deque()
        self._next_id = 1
        self._shares = dict(STEP_SHARES)
        # Queued: whoever asks knows the id of its job before anything is heard of it.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._go_on)
        self._escalation = QTimer(self)
        self._escalation.setSingleShot(True)
        self._escalation.timeout.connect(self._cancel_the_hard_way)
        engine.received.connect(self._receive)
        engine.state_changed.connect(self._engine_state)
        engine.ended.connect(self._engine_ended)
        engine.fell_silent.connect(self.engine_silent)

    def analyse(self, file: str, transcript: str | None = None, first: bool = False) -> int:
        """Queue an analysis (at the front if `first`); its id names it in every later signal."""
        return self._queue(Job(self._next_id, file, transcript), first)

    def watch_live(self, name: str, rings: Message) -> int:
        """Queue, in front of all others, a job that goes on until it is cancelled.

        rings: {"pictures", "sound"} as the capture process tells them; name: of what is watched.
        """
        return self._queue(Job(self._next_id, name, live=rings), first=True)

    def _queue(self, job: Job, first: bool) -> int:
        self._next_id += 1
        if first:
            self.waiting.appendleft(job)
        else:
            self.waiting.append(job)
        self._soon.start()
        return job.id

    def hurry(self, job_id: int) -> None:
        """Move a waiting job to the front."""
        for job in self.waiting:
            if job.id == job_id:
                self.waiting.remove(job)
                self.waiting.appendleft(job)
                self.changed.emit()
                return

    def cancel(self, job_id: int) -> None:
        """Drop a waiting job, or ask the engine to stop the running one."""
        for job in self.waiting:
            if job.id == job_id:
                self.waiting.remove(job)
                self.cancelled.emit(job_id)
                self.changed.emit()
                return
        if self.running is not None and self.running.id == job_id and not self.running.cancelling:
            self.running.cancelling = True
            self.engine.send({"id": self._next_id, "do": "cancel", "job": job_id})
            self._next_id += 1
            self._escalation.start(int(CANCEL_GRACE_S * 1000))
            self.changed.emit()

    def cancel_running(self) -> None:
        """Ask the engine to stop what it works on."""
        if self.running is not None:
            self.cancel(self.running.id)

    def restart(self) -> None:
        """Start the engine anew; what it worked on is done again."""
        if self.running is not None:
            self.running.attempts = 0
            self.waiting.appendleft(self.running)
            self.running = None
        self.engine.restart()

    def cancel_all(self) -> None:
        """Drop everything that waits and stop what runs."""
        dropped = list(self.waiting)
        self.waiting.clear()
        for job in dropped:
            self.cancelled.emit(job.id)
        self.cancel_running()
        self.changed.emit()

    def done_share(self) -> float:
        """How much of the running job is done, in [0, 1]."""
        if self.running is None:
            return 0.0
        return sum(self._shares.get(step, 0.0) * done for step, done in self.running.fractions.items())

    def seconds_left(self) -> float | None:
        """Time the running job still takes, None while it is too early to say."""
        share = self.done_share()
        if self.running is None or share < 0.1:
            return None
        return (monotonic() - self.running.started) * (1 - share) / share

    @Slot()
    def _go_on(self) -> None:
        if self.engine.state is EngineState.OFF:
            self.engine.start()
        if self.running is None and self.waiting and self.engine.state is EngineState.READY:
            self.running = self.waiting.popleft()
            self.running.attempts += 1
            self.running.started = monotonic()
            self.running.fractions.clear()
            self.engine.send(self.running.request())
            self.engine.watch(True)
            self.started.emit(self.running.id)
        self.changed.emit()

    @Slot(dict)
    def _receive(self, message: Message) -> None:
        event, job_id = message.get("event"), message["id"]
        if event == "ready":
            self.model = message.get("model") or {}
            self.scale = tuple(message.get("scale") or self.scale)
            self._go_on()
        elif job_id == 0 and event == "failed":
            self.engine_failed.emit(message.get("error") or {})
        elif self.running is not None and self.running.id == job_id:
            self._receive_for(self.running, str(event), message)

    def _receive_for(self, job: Job, event: str, message: Message) -> None:
        if event == "progress":
            job.step = str(message.get("step", ""))
            job.fractions[job.step] = float(message.get("fraction", 0.0))
            self.changed.emit()
        elif event == "waveform":
            self.waveform.emit(job.id, message)
        elif event == "partial":
            self.partial.emit(job.id, message["analysis"])
        elif event == "done":
            self._learn_shares(message["analysis"].get("seconds") or {})
            self._end_job()
            self.done.emit(job.id, message["analysis"])
        elif event == "failed":
            self._end_job()
            self.failed.emit(job.id, message.get("error") or {})
        elif event == "cancelled":
            self._end_job()
            self.cancelled.emit(job.id)
        elif job.live is not None:
            self.live_told.emit(job.id, message)

    def _end_job(self) -> None:
        self.running = None
        self._escalation.stop()
        self.engine.watch(False)
        self._soon.start()

    def _learn_shares(self, seconds: dict[str, float]) -> None:
        total = sum(seconds.values())
        if total > 0.2:
            for step, share in self._shares.items():
                self._shares[step] = 0.5 * share + 0.5 * seconds.get(step, 0.0) / total

    @Slot(object)
    def _engine_state(self, state: EngineState) -> None:
        self.changed.emit()

    @Slot(object)
    def _engine_ended(self, end: EngineEnd) -> None:
        job, self.running = self.running, None
        self._escalation.stop()
        if job is not None and job.cancelling:
            self.cancelled.emit(job.id)
        elif job is not None and job.attempts < ATTEMPTS:
            self.waiting.appendleft(job)
        elif job is not None:
            self.failed.emit(job.id, self._killer_error(end))
        self.engine_ended.emit(end, job)
        self.changed.emit()

    def _killer_error(self, end: EngineEnd) -> dict[str, Any]:
        return {
            "kind": "engine",
            "message": self.tr("The analysis engine stopped twice while it worked on this clip."),
            "remedy": self.tr("The clip may be damaged; try another, or analyse it again."),
            "details": f"{end.reason}\n{end.last_words}",
        }

    @Slot()
    def _cancel_the_hard_way(self) -> None:
        self.engine.fail(self.tr("it did not stop when asked"))
