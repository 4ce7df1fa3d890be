"""Runs that wait for their turn: files in the runs folder, and a detached process that starts them in order.

An entry is `<runs>/.queue/<order>.json`: {"v": 1, "folder", "settings": TOML, "data"}. The process outlives
whoever filled the queue and ends when it is empty. Light: it trains nothing itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.files import write_whole
from core.training.run_state import alive, read_state, started_at
from core.training.settings import Settings, dump
from core.workers.children import spawn
from core.workers.training import start

SUBCOMMAND = "run-queue"
QUEUE, WORKER = ".queue", "worker.json"
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
    return list(_entries(root / QUEUE))


def _entries(queue: Path) -> Iterator[Waiting]:
    for path in sorted(queue.glob("[0-9]*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            yield Waiting(
                path, Path(told["folder"]), told["settings"], Path(told["data"]), str(told.get("why", ""))
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue


def ensure(root: Path) -> None:
    """Start the process that works on the queue unless one does. Raises OSError."""
    if any(not entry.why for entry in waiting(root)) and not worked_on(root):
        with (root / QUEUE / "worker.log").open("ab") as log:
            spawn(SUBCOMMAND, str(root.absolute()), out=log, err=log)


def worked_on(root: Path) -> bool:
    """Whether a process works on this queue."""
    try:
        told = json.loads((root / QUEUE / WORKER).read_text(encoding="utf-8"))
        return alive(int(told["pid"]), float(told["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def serve(root: Path) -> None:
    """The process: start each run when the one before has ended, until none waits."""
    if not _claim(root):
        return
    try:
        while (entry := next((e for e in waiting(root) if not e.why), None)) is not None:
            _do(entry)
    finally:
        (root / QUEUE / WORKER).unlink(missing_ok=True)


def _claim(root: Path) -> bool:
    """Become the one that works on this queue; False where another does. Only one can make the file."""
    path = root / QUEUE / WORKER
    if not worked_on(root):
        path.unlink(missing_ok=True)  # of a process that was killed
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"pid": os.getpid(), "started": started_at(os.getpid())}, file)
    return True


def _do(entry: Waiting) -> None:
    """Start one run and wait for its end; one that cannot be started stays, with the reason."""
    try:
        settings = Settings.model_validate(tomllib.loads(entry.settings))
        start(entry.folder, settings, entry.data)
    except (UserError, OSError, ValueError) as error:
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(entry.entry.read_text(encoding="utf-8"))
            write_whole(entry.entry, json.dumps({**told, "why": str(error)}, ensure_ascii=False))
        return
    entry.entry.unlink(missing_ok=True)
    while read_state(entry.folder).live:
        time.sleep(LOOK_EVERY)
