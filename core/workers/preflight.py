"""A process that looks at what runs would need, for as long as the dialog of a new run is open.

    {"v": 1, "id": 7, "do": "preflight", "settings": {...}, "data": "...", "folder": "...", "runs": 1}
    {"v": 1, "id": 8, "do": "cancel", "job": 7}
are answered, with the id of the request, by
    {"event": "ready"}                     once, with id 0
    {"event": "progress", "step": "...", "fraction": 0..1}
    {"event": "done", "report": {...}}     of core.training.preflight_report
    {"event": "failed", "error": {...}}    as the engine tells errors
    {"event": "cancelled"}
A later request takes the place of an earlier one, which is cancelled. The process ends when stdin closes.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.errors import Cancelled, UserError, fault
from core.training.settings import Settings
from core.workers.protocol import Message, ProtocolError, decode
from core.workers.stdio import Output, input_lines

_LAST_WORDS = 0.3
"""Seconds that events already queued get when standard input closes."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be looked at; `stopped` is polled by whatever works on it."""

    id: int
    settings: Settings
    data: Path
    folder: Path
    runs: int
    stopped: threading.Event = field(default_factory=threading.Event)


def request_of(message: Message) -> Request:
    """The request of a message. ProtocolError names what is wrong with it."""
    try:
        settings = Settings.model_validate(message.get("settings"))
    except ValidationError as error:
        raise ProtocolError(f"settings: {error.errors()[0]['msg']}") from error
    data, folder, runs = message.get("data"), message.get("folder"), message.get("runs", 1)
    if not isinstance(data, str) or not isinstance(folder, str):
        raise ProtocolError("data, folder: paths are needed")
    if type(runs) is not int or runs < 1:
        raise ProtocolError("runs: a count is needed")
    return Request(message["id"], settings, Path(data), Path(folder), runs)


class Desk:
    """The request that is to be answered: the latest. Two threads meet here."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._changed = threading.Condition()
        self._waiting: Request | None = None
        self._current: Request | None = None

    def put(self, request: Request) -> None:
        """Ask for something else from now on."""
        with self._changed:
            self._drop(self._waiting)
            self._drop(self._current)
            self._waiting = request
            self._changed.notify()

    def cancel(self, number: int) -> None:
        """No longer ask for this; an id that is not known has been answered already."""
        with self._changed:
            for request in (self._waiting, self._current):
                if request is not None and request.id == number:
                    self._drop(request)
            if self._waiting is not None and self._waiting.id == number:
                self._waiting = None

    def take(self) -> Request:
        """The next request; waits for one."""
        with self._changed:
            while self._waiting is None:
                self._changed.wait()
            self._current, self._waiting = self._waiting, None
            return self._current

    def tell(self, request: Request, event: str, **values: Any) -> None:
        """Answer a request, unless it was cancelled meanwhile."""
        with self._changed:
            if not request.stopped.is_set():
                self._output.send({"id": request.id, "event": event, **values})
            if event in ("done", "failed") and self._current is request:
                self._current = None

    def _drop(self, request: Request | None) -> None:
        if request is not None and not request.stopped.is_set():
            request.stopped.set()
            self._output.send({"id": request.id, "event": "cancelled"})


def serve() -> None:
    """Answer until standard input closes; does not return."""
    output = Output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the window too, which decides
    desk = Desk(output)
    output.send({"id": 0, "event": "ready"})
    threading.Thread(target=_work, args=(desk,), name="preflight-work", daemon=True).start()
    for line in input_lines():
        _receive(line, desk, output)
    output.close(_LAST_WORDS)
    os._exit(0)  # a plain return would wait for native code in the other thread


def _receive(line: bytes, desk: Desk, output: Output) -> None:
    number = 0
    try:
        message = decode(line)
        number = message["id"]
        match message.get("do"):
            case "preflight":
                desk.put(request_of(message))
            case "cancel" if isinstance(message.get("job"), int):
                desk.cancel(message["job"])
            case _:
                raise ProtocolError("do: preflight, or cancel with a job, is needed")
    except ProtocolError as error:
        told = {"kind": "protocol", "message": str(error), "remedy": "", "details": ""}
        output.send({"id": number, "event": "failed", "error": told})


def _work(desk: Desk) -> None:
    import core.training.preflight  # noqa: F401  seconds, which the first request need not wait for

    while True:
        request = desk.take()
        if (failure := _guarded(request, desk)) is not None:
            desk.tell(request, "failed", error=failure)


def _guarded(request: Request, desk: Desk) -> dict[str, str] | None:
    """Answer a request; the JSON of its error where it could not be."""
    from core.training.preflight import preflight

    try:
        report = preflight(
            request.settings,
            request.data,
            request.folder,
            request.runs,
            on_progress=lambda step, share: desk.tell(request, "progress", step=step, fraction=share),
            cancelled=request.stopped.is_set,
        )
        desk.tell(request, "done", report=report.to_json())
    except Cancelled:
        return None
    except UserError as error:
        return {**error.to_json(), "details": ""}
    except Exception as error:
        logging.getLogger(__name__).exception("a preflight failed")
        return fault(error)
    return None
