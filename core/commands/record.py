"""`consonance record`: a camera and a microphone into a file, without a window."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.status import Status as Line

from core.capture.devices import listed
from core.capture.items import CaptureError, State
from core.capture.session import Choice, Session
from core.commands.console import FAILED, OK, errors, json_lines
from core.recorder import Phase, Progress, recover

NONE = "none"
_WAIT = 6.0
"""Seconds that devices get to give their first picture and sound."""
_TICK = 0.1
_TELL = 5
"""Ticks between two reports of the progress."""

_HEARD = 0.2
"""Seconds of missing sound that are worth a word."""

Tell = Callable[..., None]


def record(out: Path, camera: str, microphone: str, seconds: float | None, *, as_json: bool) -> int:
    """Record until `seconds` have passed, a file has ended, or Ctrl+C. camera, microphone: see Choice."""
    file = out if out.suffix.lower() == ".mp4" else out.with_name(out.name + ".mp4")
    _tell_recovered(file.parent)
    choice = Choice(None if camera == NONE else camera, None if microphone == NONE else microphone)
    with stopping() as stopped:
        if as_json:
            with json_lines() as write:
                end = _run(choice, file, seconds, stopped, lambda event, **of: write({"event": event, **of}))
        else:
            with errors().status("opening …") as line:
                end = _run(choice, file, seconds, stopped, _Shown(line))
    return FAILED if end.phase is Phase.FAILED else OK


def show_devices(*, as_json: bool) -> int:
    """The cameras and microphones there are. Without PortAudio there are no microphones, for that reason."""
    if as_json:
        with json_lines() as write:
            write(listed())
        return OK
    found = listed()
    for camera in found["cameras"]:
        typer.echo(f"camera {camera['index']}  {camera['name']}")
    for microphone in found["microphones"]:
        mark = "  (preferred)" if microphone["preferred"] else ""
        typer.echo(f"microphone  {microphone['name']}  {microphone['rate']} Hz{mark}")
    if (problem := found["problem"]) is not None:
        errors().print(f"{problem['message']} {problem['remedy']}", markup=False)
    elif not (found["cameras"] or found["microphones"]):
        errors().print("Neither a camera nor a microphone was found.")
    return OK


def _run(choice: Choice, file: Path, seconds: float | None, stopped: threading.Event, tell: Tell) -> Progress:
    session = Session(choice, lambda name, status: tell("status", source=name, **status.to_json()))
    session.start()
    try:
        if not session.wait(_WAIT, lambda: stopped.is_set() or hopeless(session)):
            raise problem(session)
        recorder = session.record(file)
        tell("recording", file=str(file), since=recorder.start)
        _follow(session, seconds, stopped, tell)
        recorder.stop()
        end = session.progress()
        tell("recorded", **end.to_json())
        return end
    finally:
        session.close()


def _follow(session: Session, seconds: float | None, stopped: threading.Event, tell: Tell) -> None:
    """Report the progress until the recording is to end."""
    ticks = 0
    while not stopped.wait(_TICK):
        session.check()
        progress = session.progress()
        ticks += 1
        if ticks % _TELL == 0:
            heard = "microphone" in session.sources
            level = asdict(session.meter.read()) if heard else None
            tell("progress", **progress.to_json(), level=level)
        over = seconds is not None and progress.seconds >= seconds
        if over or session.ended or progress.phase is Phase.FAILED:
            return


def hopeless(session: Session) -> bool:
    """Whether waiting on is of no use: a device is not there."""
    gone = (State.ABSENT, State.BUSY, State.ENDED)
    return any(source.status.state in gone for source in session.sources.values())


def problem(session: Session) -> CaptureError:
    """Why it could not begin."""
    for source in sorted(session.sources.values(), key=lambda source: not source.status.reason):
        status = source.status
        if status.state is not State.RUNNING:
            reason = status.reason or f"The {source.name} gave nothing within {_WAIT:.0f} s."
            return CaptureError(reason, status.remedy or "Try `consonance record --list`.", status.state)
    return CaptureError("Stopped before it had begun.")


class _Shown:
    """Shows events on a terminal: one line that changes, what is worth keeping above it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._console = line.console
        self._begun = False
        """Before that, a device that is not there is the error with which it ends."""

    def __call__(self, event: str, **of: Any) -> None:
        if event == "progress" and sys.stderr.isatty():
            self._line.update(_line(of))
        elif event == "status" and of["reason"] and self._begun:
            self._console.print(f"{of['source']}: {of['reason']} {of['remedy']}", markup=False)
        elif event == "recording":
            self._begun = True
            self._console.print(f"Recording into {of['file']}; Ctrl+C stops.", markup=False, soft_wrap=True)
        elif event == "recorded":
            self._end(of)

    def _end(self, of: dict[str, Any]) -> None:
        size, dropped = of["bytes"] / 1e6, of["dropped"]
        text = f"{of['file']}: {of['seconds']:.1f} s, {size:.1f} MB, {dropped} pictures dropped"
        if of["silence"] > _HEARD:
            text += f", {of['silence']:.1f} s of sound missing"
        self._console.print(text, markup=False, soft_wrap=True)
        if of["reason"]:
            self._console.print(f"{of['reason']} {of['remedy']}", style="bold red", markup=False)


def _line(of: dict[str, Any]) -> str:
    minutes, seconds = divmod(int(of["seconds"]), 60)
    parts = [f"● {minutes:02}:{seconds:02}", f"{of['bytes'] / 1e6:.1f} MB", f"{of['dropped']} dropped"]
    if (level := of["level"]) is not None:
        parts.append(f"{level['rms']:.0f} dBFS" if level["rms"] is not None else "no signal")
        parts += ["clipping"] if level["clipped"] else []
    if of["left_s"] is not None:
        parts.append(f"room for {of['left_s'] / 3600:.1f} h")
    return " · ".join(parts)


def _tell_recovered(folder: Path) -> None:
    for found in recover(folder) if folder.is_dir() else ():
        if found.file is not None:
            text = (
                found.reason or f"recovered, {found.seconds:.1f} s: an earlier recording had been broken off"
            )
            errors().print(f"{found.file}: {text}", markup=False, soft_wrap=True)


@contextmanager
def stopping() -> Generator[threading.Event]:
    """An event that Ctrl+C and a polite end of the process set."""
    stopped = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in _signals()}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signals() -> tuple[signal.Signals, ...]:
    return (signal.SIGINT, signal.SIGTERM)
