"""`consonance live`: estimates of camera and microphone while they run, or of a file as if it were live."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
import typer

from core.capture.items import Item, Picture, Status, now
from core.capture.rings import Pictures, Sounds
from core.capture.session import Choice, Session
from core.commands.console import OK, errors, json_lines
from core.commands.record import NONE, problem, stopping
from core.inference.analyser import Analyser
from core.inference.streaming import Live
from core.media import probe
from core.speech import Recogniser
from core.types import HEADS
from core.workers import torch_threads

_WAIT = 6.0
"""Seconds that devices get to give their first picture and sound."""

Tell = Callable[..., None]


def live(
    file: Path | None,
    camera: str,
    microphone: str,
    seconds: float | None,
    model: str,
    speech: str,
    *,
    as_json: bool,
) -> int:
    """Tell estimates until `seconds` have passed, a file has ended, or Ctrl+C."""
    choice = _choice(file, camera, microphone)
    torch.set_num_threads(torch_threads())
    with stopping() as stopped:
        if as_json:
            with json_lines() as write:
                _watch(choice, seconds, _warmed(model, speech), stopped, _locked(write))
        else:
            with errors().status("loading …"):
                ready = _warmed(model, speech)
            _watch(choice, seconds, ready, stopped, _Shown())
    return OK


def _choice(file: Path | None, camera: str, microphone: str) -> Choice:
    """What to open. Raises MediaError where a file cannot be read."""
    if file is not None:
        info = probe(file)
        return Choice(str(file) if info.has_video else None, str(file) if info.has_audio else None)
    return Choice(None if camera == NONE else camera, None if microphone == NONE else microphone)


def _warmed(model: str, speech: str) -> tuple[Analyser, Recogniser]:
    """Everything loaded, so that nothing is missed once the devices run."""
    analyser, recogniser = Analyser(model, speech), Recogniser(speech)
    analyser.warm()
    recogniser.warm()
    return analyser, recogniser


def _watch(
    choice: Choice,
    seconds: float | None,
    ready: tuple[Analyser, Recogniser],
    stopped: threading.Event,
    tell: Tell,
) -> None:
    analyser, recogniser = ready
    with ExitStack() as stack:
        pictures = sounds = None
        if choice.camera is not None:
            pictures = Pictures.create()
            stack.callback(pictures.close)
        if choice.microphone is not None:
            sounds = Sounds.create()
            stack.callback(sounds.close)
        session = Session(choice, _statuses(tell))
        session.listen(_writer(pictures, sounds))
        live = Live(analyser.predictor(), recogniser, pictures, sounds, tell)
        session.start()
        stack.callback(session.close)
        live.run(stopped, _Over(session, seconds))
        if not session.wait(0.0) and not stopped.is_set():
            raise problem(session)


class _Over:
    """Whether it is over: the time has passed, files have ended, or devices give nothing."""

    def __init__(self, session: Session, seconds: float | None) -> None:
        self._session, self._seconds = session, seconds
        self._began = now()

    def __call__(self) -> bool:
        self._session.check()
        passed = now() - self._began
        if passed > _WAIT and not self._session.wait(0.0):
            return True
        return self._session.ended or (self._seconds is not None and passed >= self._seconds)


def _writer(pictures: Pictures | None, sounds: Sounds | None) -> Callable[[Item], None]:
    def write(item: Item) -> None:
        ring: Any = pictures if isinstance(item, Picture) else sounds
        ring.write(item)

    return write


def _statuses(tell: Tell) -> Callable[[str, Status], None]:
    return lambda name, status: tell("status", source=name, **status.to_json())


def _locked(write: Callable[[dict[str, Any]], None]) -> Tell:
    """Tells from several threads, one line at a time."""
    lock = threading.Lock()

    def tell(event: str, **of: Any) -> None:
        with lock:
            write({"event": event, **of})

    return tell


class _Shown:
    """Shows events on a terminal: utterances as they end, states when they change."""

    def __init__(self) -> None:
        self._missing: dict[str, str] = {}
        self._reasons: dict[str, str] = {}

    def __call__(self, event: str, **of: Any) -> None:
        if event == "utterance":
            transcript = of["answer"]["transcript"]
            words = transcript["text"] if transcript else "(no words)"
            figures = "  ".join(_figure(head, of["answer"]["estimates"][head]) for head in HEADS)
            typer.echo(f"{of['start']:7.1f} s  {words}\n           {figures}")
        elif event == "status" and of["reason"] not in ("", self._reasons.get(of["source"])):
            self._reasons[of["source"]] = of["reason"]
            errors().print(f"{of['source']}: {of['reason']} {of['remedy']}", markup=False)
        elif event == "state" and of["missing"] != self._missing:
            self._missing = of["missing"]
            told = ", ".join(f"{name}: {why}" for name, why in self._missing.items()) or "all there"
            errors().print(f"{of['time']:7.1f} s  {told}", markup=False, style="dim")


def _figure(head: str, estimate: dict[str, Any] | None) -> str:
    return f"{head} {'-' if estimate is None else format(estimate['value'], '+.1f')}"
