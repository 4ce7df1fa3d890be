"""The engine's queue: jobs one at a time, each ended exactly once, whoever ends it first."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.types import MODALITIES, Modality
from core.workers.protocol import Message, ProtocolError


@dataclass(frozen=True, slots=True)
class Request:
    """Analyse one clip. `transcript`: typed or corrected words, which are not recognised again."""

    file: str
    transcript: str | None = None
    modalities: tuple[Modality, ...] = MODALITIES


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """Watch rings of pictures and sound (names of shared memory), until it is cancelled.

    speech: the recogniser; one that is quick enough to keep up.
    """

    pictures: str | None
    sound: str | None
    speech: str = "tiny.en"


@dataclass(frozen=True, slots=True)
class Job:
    """A request under way; `stopped` is polled by whatever works on it."""

    id: int
    request: Request | LiveRequest
    stopped: threading.Event = field(default_factory=threading.Event)


def request_of(message: Message) -> Request:
    """The request of a message `"do": "analyse"`. ProtocolError names the field that is wrong."""
    file, transcript = message.get("file"), message.get("transcript")
    asked = message.get("modalities") or list(MODALITIES)
    if not isinstance(file, str) or not file:
        raise ProtocolError("file: a path is needed")
    if transcript is not None and not isinstance(transcript, str):
        raise ProtocolError("transcript: text or null is needed")
    if not isinstance(asked, list) or not all(name in MODALITIES for name in asked):
        raise ProtocolError(f"modalities: a list of {', '.join(MODALITIES)} is needed")
    return Request(file, transcript, tuple(name for name in MODALITIES if name in asked))


def live_request_of(message: Message) -> LiveRequest:
    """The request of a message `"do": "live"`. ProtocolError names the field that is wrong."""
    rings = [message.get(name) for name in ("pictures", "sound")]
    speech = message.get("speech", "tiny.en")
    if any(name is not None and (not isinstance(name, str) or not name) for name in rings):
        raise ProtocolError("pictures, sound: the name of a ring, or null, is needed")
    if rings == [None, None]:
        raise ProtocolError("pictures or sound: one of them is needed")
    if not isinstance(speech, str) or not speech:
        raise ProtocolError("speech: the name of a recogniser is needed")
    return LiveRequest(*rings, speech)


class Jobs:
    """Jobs by id. Two threads meet here: the one that reads requests and the one that works."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        """`send` takes an event without blocking; it is called under this object's lock, in order."""
        self._send = send
        self._lock = threading.Lock()
        self._active: dict[int, Job] = {}
        self._waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()

    def submit(self, number: int, request: Request | LiveRequest) -> None:
        """Queue a job. ProtocolError if a job of this id is queued or running."""
        job = Job(number, request)
        with self._lock:
            if number in self._active:
                raise ProtocolError(f"id {number} is of a job that has not ended yet")
            self._active[number] = job
        self._waiting.put(job)

    def refuse(self, number: int, error: dict[str, str]) -> None:
        """Answer a request that cannot be obeyed; if its id is of a job under way, that job goes on."""
        with self._lock:
            if number in self._active:
                self._send({"id": 0, "event": "error", "error": error})
            else:
                self._send({"id": number, "event": "failed", "error": error})

    def next(self, timeout: float | None = None) -> Job | None:
        """The oldest job that was not cancelled; waits for one, at most `timeout` seconds (then None)."""
        while True:
            try:
                job = self._waiting.get(timeout=timeout)
            except queue.Empty:
                return None
            if not job.stopped.is_set():
                return job

    def cancel(self, number: int) -> None:
        """End a job, queued or running, at once: what its worker still says is dropped.

        An id that is not active is no error, for the job may have ended while the wish was on its way.
        """
        with self._lock:
            job = self._active.pop(number, None)
            if job is not None:
                job.stopped.set()
                self._send({"id": number, "event": "cancelled"})

    def tell(self, job: Job, event: str, **fields: Any) -> None:
        """An event of a job under way."""
        with self._lock:
            if self._active.get(job.id) is job:
                self._send({"id": job.id, "event": event, **fields})

    def end(self, job: Job, event: str, **fields: Any) -> None:
        """The last event of a job, unless it has ended already."""
        with self._lock:
            if self._active.get(job.id) is job:
                del self._active[job.id]
                self._send({"id": job.id, "event": event, **fields})
