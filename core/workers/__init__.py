"""Worker processes: the same program started with a hidden subcommand, as the frozen bundle needs it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any


def command(*arguments: str) -> list[str]:
    """The command line that starts this program again, from source or frozen: `command("engine")`."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "core.cli"]
    return [*program, *arguments]


def detached() -> dict[str, Any]:
    """Options of subprocess.Popen for a child that outlives this process and hears none of its signals."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def cores() -> int:
    """The cores this process may use, which containers and batch systems make fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def torch_threads() -> int:
    """Threads for a worker's tensors: one core stays free for the window."""
    return max(1, cores() - 1)
