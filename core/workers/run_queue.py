"""Runs that wait for their turn: files in the runs folder, and a detached process that starts them in order.

An entry is `<runs>/.queue/<order>.json`: {"v": 1, "folder", "settings": TOML, "data"}. The process outlives
whoever filled the queue and ends when it is empty. Light: it trains nothing itself.
"""

from __future__ import annotations

import contextlib
import json
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.files import write_whole
from core.sole import sole, worker
from core.training.run_state import read_state
from core.training.runs import SETTINGS
from core.training.settings import Settings, dump
from core.workers.children import spawn
from core.workers.training import start

SUBCOMMAND = "run-queue"
QUEUE = ".queue"
LOOK_EVERY = 0.5
"""Seconds between two looks at the run whose end is waited for."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that has not begun. entry: its file; taking it away takes the run out of the queue."""

    entry: Path
    folder: Path
    settings: str
    data: Path
    why: str = ""
    """Why it could not be started; "" while it waits."""
    begun: bool = False
    """Whether it has been started from here; its entry stays until its end, for whoever goes on here."""


def enqueue(root: Path, runs: Sequence[tuple[Path, Settings]], data: Path) -> None:
    """Put runs at the end of the queue and see that it is worked on. Raises OSError."""
    queue = root / QUEUE
    queue.mkdir(parents=True, exist_ok=True)
    order = time.time_ns()
    for number, (folder, settings) in enumerate(runs):
        entry = {
            "v": 1,
            "folder": str(folder.absolute()),
            "settings": dump(settings),
            "data": str(data.absolute()),
        }
        write_whole(queue / f"{order + number}.json", json.dumps(entry, ensure_ascii=False))
    ensure(root)


def waiting(root: Path) -> list[Waiting]:
    """The queue in its order; entries that cannot be read are not in it."""
    return [entry for entry in _entries(root / QUEUE) if not entry.begun]


def _entries(queue: Path) -> Iterator[Waiting]:
    for path in sorted(queue.glob("[0-9]*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            yield Waiting(
                path, Path(told["folder"]), told["settings"], Path(told["data"]), str(told.get("why", "")),
                bool(told.get("begun")),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            continue


def ensure(root: Path) -> None:
    """Start the process that works on the queue unless one does. Raises OSError."""
    if any(not entry.why for entry in waiting(root)) and not worked_on(root):
        with (root / QUEUE / "worker.log").open("ab") as log:
            spawn(SUBCOMMAND, str(root.absolute()), out=log, err=log)


def worked_on(root: Path) -> bool:
    """Whether a process works on this queue."""
    return bool(worker(root / QUEUE))


def serve(root: Path) -> None:
    """The process: start each run when the one before has ended, until none waits.

    What comes while it goes away, when whoever brings it still sees it at work, is found by looking again.
    """
    while _next(root) is not None:
        with sole(root / QUEUE) as mine:
            if not mine:
                return
            while (entry := _next(root)) is not None:
                _do(entry)


def _next(root: Path) -> Waiting | None:
    return next((entry for entry in _entries(root / QUEUE) if not entry.why), None)


def _do(entry: Waiting) -> None:
    """Start one run and wait for its end; one that cannot be started stays, with the reason.

    One that a worker which was killed has started already is only waited for.
    """
    if not entry.begun and not _begun(entry):
        return
    while read_state(entry.folder).live:
        time.sleep(LOOK_EVERY)
    entry.entry.unlink(missing_ok=True)


def _begun(entry: Waiting) -> bool:
    """Start the run of an entry; whether that went well. The entry says so first, in case of a kill."""
    try:
        settings = Settings.model_validate(tomllib.loads(entry.settings))
        if not (entry.folder / SETTINGS).exists():  # else it is another's, and `start` says so
            _note(entry, begun=True)
        start(entry.folder, settings, entry.data)
    except (UserError, OSError, ValueError) as error:
        with contextlib.suppress(OSError, ValueError):
            _note(entry, begun=False, why=str(error))
        return False
    return True


def _note(entry: Waiting, **values: bool | str) -> None:
    told = json.loads(entry.entry.read_text(encoding="utf-8"))
    write_whole(entry.entry, json.dumps({**told, **values}, ensure_ascii=False))
