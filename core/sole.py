"""One process at a time: a file that the system locks for as long as the process that holds it lives."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from core.training.run_state import alive, started_at

WORKER = "worker.json"
"""The file's name in whatever folder one process at a time works on."""
FAR = 2**30
"""Byte that is locked where a lock keeps others from reading it: nothing is written there."""


@contextmanager
def sole(folder: Path) -> Generator[bool]:
    """Whether this process is the only one that works on a folder; if so, it stays that until the block ends.

    The file tells who it is, and nobody once that is over. It stays, for of a file that is removed and made
    again two processes could each lock one. Raises OSError where it cannot be written.
    """
    with (folder / WORKER).open("ab", buffering=0) as file:
        if not _locked(file.fileno()):
            yield False
            return
        file.truncate(0)  # of a process that was killed
        file.write(json.dumps({"pid": os.getpid(), "started": started_at(os.getpid())}).encode())
        try:
            yield True
        finally:
            file.truncate(0)


def worker(folder: Path) -> int:
    """The process that works on a folder; 0 for none."""
    try:
        told = json.loads((folder / WORKER).read_text(encoding="utf-8"))
        return int(told["pid"]) if alive(int(told["pid"]), float(told["started"])) else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        """Lock a file until it is closed; False where another process has."""
        os.lseek(descriptor, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        """Lock a file until it is closed; False where another process has."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks: better unguarded than not at all
            return True
        return True
