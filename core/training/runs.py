"""A run is a folder: what was asked, what happened, what came of it.

    settings.toml   every setting              run.json      data, seed, code and machine
    state.json      how it stands              events.jsonl  what happened, a line each
    checkpoints/    best, last, previous       tensorboard/  the same curves for other tools
    model/          finished and calibrated    report.json   scores, and why it ended
    stdout.log, stderr.log   of a detached run; files `stop` and `discard` ask it to end
    worker.json   the process that trains it, and its lock (core.sole)

Whoever follows a run reads its folder. Light on purpose (no torch): the window imports this module too.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
import traceback
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import FAULT, DataError, UserError
from core.files import write_whole
from core.training.known_runs import remember
from core.training.run_state import DISCARD, REPORT, STOP, RunState, started_at, write_state
from core.training.run_state import read_state as read_state
from core.training.settings import Settings, dump

SETTINGS, EVENTS, ABOUT = "settings.toml", "events.jsonl", "run.json"
VERSION = 1
TRIAL = "trial"
"""Purpose of a run that a search makes: it never sees the test part."""
STATE_EVERY = 1.0
"""Seconds between two state.json while training, at least."""
ASIDE = ".discarded-"
"""Before the name of a run that was put aside."""


@dataclass(slots=True)
class Run:
    """One run's folder, written by the process that trains; read by anybody."""

    folder: Path
    quiet: bool = False
    """Writes nothing: of the processes that train together, one writes."""
    _next: int = field(default=0)
    _state: RunState = field(default_factory=RunState)
    _told: float = field(default=-math.inf)

    @property
    def best(self) -> Path:
        """The checkpoint with the best validation figure so far."""
        return self.folder / "checkpoints" / "best"

    @property
    def last(self) -> Path:
        """The checkpoint that an interrupted run goes on from."""
        return self.folder / "checkpoints" / "last"

    @property
    def previous(self) -> Path:
        """The checkpoint before that, for when the last is damaged."""
        return self.folder / "checkpoints" / "previous"

    @property
    def aside(self) -> Path:
        """The best of whole epochs, once a run that is cut short has put an unfinished one in its place."""
        return self.folder / "checkpoints" / "aside"

    @property
    def words(self) -> Path:
        """The checkpoint after the words, where these are learned first."""
        return self.folder / "checkpoints" / "words"

    @property
    def bank(self) -> Path:
        """What the words' encoder makes of them, where these are learned first."""
        return self.folder / "checkpoints" / "bank.safetensors"

    @property
    def state(self) -> RunState:
        """How the run stands, by what this process knows."""
        return self._state

    @property
    def model(self) -> Path:
        """The finished model, calibrated."""
        return self.folder / "model"

    @property
    def about(self) -> dict[str, Any]:
        """run.json: id, name, data, fingerprint, code version, seed, environment, created. {} for none."""
        try:
            return json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def describe(self, **values: Any) -> None:
        """Lay values over run.json."""
        if self.quiet:
            return
        text = json.dumps(finite({**self.about, **values}), ensure_ascii=False, indent=1, allow_nan=False)
        write_whole(self.folder / ABOUT, text + "\n")

    def event(self, kind: str, **values: Any) -> None:
        """Append one event; what a reader sees is always whole lines but perhaps the last.

        A line that a process which was killed left torn is cut off first.
        """
        if self.quiet:
            return
        line = {"v": VERSION, "seq": self._next, "t": round(time.time(), 3), "kind": kind, **values}
        text = json.dumps(finite(line), ensure_ascii=False, allow_nan=False) + "\n"
        with (self.folder / EVENTS).open("ab+") as file:
            _cut_torn(file)
            file.write(text.encode())
        self._next += 1

    def events(self, since: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Events written from a byte offset on, and the offset to ask from next; a torn last line waits.

        A resume cuts the events after its checkpoint: an offset beyond the end, or inside a line, begins
        again at 0. Whoever keeps events drops them when the first that comes has a `seq` it knows. A damaged
        line is passed over.
        """
        try:
            with (self.folder / EVENTS).open("rb") as file:
                if since and (file.seek(since - 1), file.read(1))[1] != b"\n":
                    since = 0
                file.seek(since)
                content = file.read()
        except FileNotFoundError:
            return [], 0
        whole = content[: content.rfind(b"\n") + 1]
        return [event for line in whole.split(b"\n") if (event := _event(line))], since + len(whole)

    def mark(self) -> dict[str, int]:
        """Where the events end, once they are on the disk: what a checkpoint remembers of them."""
        path = self.folder / EVENTS
        with path.open("ab") as file:
            os.fsync(file.fileno())
        return {"seq": self._next, "bytes": path.stat().st_size}

    def rewind(self, mark: dict[str, int] | None) -> None:
        """Cut the events after a mark (None: all of them): what follows it will happen once more."""
        mark = mark or {"seq": 0, "bytes": 0}
        path = self.folder / EVENTS
        if path.exists() and not self.quiet:
            os.truncate(path, min(mark["bytes"], path.stat().st_size))
        self._next = mark["seq"]

    def tell(self, *, now: bool = False, **changes: Any) -> None:
        """Lay changes over the state; written at once, or at most every STATE_EVERY seconds."""
        self._state = replace(self._state, **finite(changes))
        if not self.quiet and (now or time.monotonic() - self._told > STATE_EVERY):
            write_state(self.folder, self._state, durable=now)
            self._told = time.monotonic()

    def fail(self, error: BaseException) -> None:
        """The run's last words: what went wrong and what to do, in the state and as an event."""
        user = isinstance(error, UserError)
        message = error.message if user else f"{type(error).__name__}: {error}"
        remedy = error.remedy if user else FAULT
        trace = "".join(traceback.format_exception(error))
        self.event("failed", message=message, remedy=remedy, trace=trace)
        self.tell(now=True, state="failed", left_s=None, error={"message": message, "remedy": remedy})

    def report(self, values: dict[str, Any]) -> None:
        """Write report.json, whole or not at all."""
        text = json.dumps(finite(values), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        write_whole(self.folder / REPORT, text)

    def stop_asked(self) -> bool:
        """Whether somebody wants this run to end and keep its best."""
        return (self.folder / STOP).exists()

    def discard_asked(self) -> bool:
        """Whether somebody wants this run to end and be gone."""
        return (self.folder / DISCARD).exists()


def create(folder: Path, settings: Settings, data: Path | None = None, purpose: str = "") -> Run:
    """A new run's folder with its settings. Raises DataError where another run lies there already."""
    if (folder / SETTINGS).exists():
        raise DataError(f"{folder} holds a run already.", "Name another folder, or remove this one.")
    run = Run(folder)
    try:
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        run.describe(
            v=VERSION,
            id=uuid.uuid4().hex,
            name=_title(folder),
            data=None if data is None else str(data.absolute()),
            purpose=purpose,
            seed=settings.training.seed,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        pid = os.getpid()
        run.tell(now=True, pid=pid, started=started_at(pid), epochs=settings.training.epochs)
        write_whole(folder / SETTINGS, dump(settings))
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}") from error
    remember(folder)
    return run


def _title(folder: Path) -> str:
    """What a run is called: its folder, as its user named it; of several seeds the folder above."""
    folder = folder.absolute()
    return folder.parent.name if re.fullmatch(r"seed[-=]\d+", folder.name) else folder.name


def open_run(folder: Path) -> Run:
    """A run that is there, to read or to go on with. Raises DataError where there is none."""
    if not (folder / SETTINGS).exists():
        raise DataError(f"There is no run in {folder}.", "Name the folder of a run.")
    run = Run(folder, _state=read_state(folder))
    told, _ = run.events()
    run._next = told[-1]["seq"] + 1 if told else 0
    return run


def resumable(folder: Path, state: RunState) -> None:
    """Raises DataError where a run cannot go on: somebody trains it, or it is finished."""
    if state.live:
        raise DataError(f"{folder} is being trained by process {state.pid} already.")
    if state.state == "finished":
        raise DataError(f"{folder} is finished: nothing is left to train.", "Start a new run.")


def clear_flags(folder: Path) -> None:
    """Nobody wants this run to end any more."""
    for flag in (STOP, DISCARD):
        (folder / flag).unlink(missing_ok=True)


def ask_stop(folder: Path) -> None:
    """Let the run end at its next batch and keep its best."""
    (folder / STOP).touch()


def put_aside(folder: Path) -> Path:
    """Move a run that found `discard` out of sight, to a folder beside it; returns that."""
    aside = folder.with_name(f"{ASIDE}{folder.name}")
    number = 1
    while aside.exists():
        number += 1
        aside = folder.with_name(f"{ASIDE}{folder.name}-{number}")
    folder.rename(aside)
    return aside


def _event(line: bytes) -> dict[str, Any] | None:
    """The event of a line; None where it holds none."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and {"seq", "kind"} <= event.keys() else None


def _cut_torn(file: BinaryIO) -> None:
    """Cut what follows the last whole line."""
    end = file.seek(0, os.SEEK_END)
    if not end or (file.seek(end - 1), file.read())[1] == b"\n":
        return
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)


def finite(value: Any) -> Any:
    """The value as JSON can hold it: numbers that are none become null."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
