"""Detached children of this process: started so that they outlive it, reaped if they end before it does."""

from __future__ import annotations

import atexit
import subprocess
from typing import IO, Any

from core.workers import command, detached

_children: list[subprocess.Popen[Any]] = []
"""Detached or not, to the system they are this process's children: those that end are to be reaped."""


def spawn(*arguments: str, out: IO[bytes], err: IO[bytes]) -> int:
    """Start this program again with a subcommand, in a session of its own; its output to files. The pid."""
    reap()
    child = subprocess.Popen(
        command(*arguments), stdin=subprocess.DEVNULL, stdout=out, stderr=err, **detached()
    )
    _children.append(child)
    return child.pid


def reap() -> None:
    """Let go of those that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


@atexit.register
def _leave() -> None:
    """What still works goes on without this process, which need not warn of it."""
    reap()
    for child in _children:
        child.returncode = 0
