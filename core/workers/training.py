"""Training in a process of its own that outlives whoever started it: start, resume, stop, discard.

The process belongs to a session of its own, its output goes to files in the run's folder, and everything else
about it is read there. Light, for the window imports it: what the child does lies in `training_child`.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import replace
from pathlib import Path

import psutil

from core.sole import WORKER
from core.training.run_reading import is_run
from core.training.run_state import (
    DISCARD,
    REPORT,
    STATE,
    STOP,
    RunState,
    alive,
    read_state,
    started_at,
    write_state,
)
from core.training.runs import (
    ABOUT,
    EVENTS,
    SETTINGS,
    ask_stop,
    clear_flags,
    create,
    open_run,
    resumable,
)
from core.training.settings import Settings, load
from core.workers.children import reap, spawn

SUBCOMMAND = "train-worker"
LOOK_EVERY = 0.1
"""Seconds between two looks at a run that is to end."""
FOLDERS = ("checkpoints", "tensorboard", "model")
FILES = (EVENTS, REPORT, WORKER, "stdout.log", "stderr.log", STOP, DISCARD, STATE, ABOUT, SETTINGS)
"""What a run makes in its folder; last what makes it a run, so that one half erased can be erased again."""
TERMINATED = 5.0
"""Seconds that a process gets between being asked to terminate and being killed."""


def start(folder: Path, settings: Settings | str | Path, data: Path, purpose: str = "") -> int:
    """Make a run's folder and train in a detached process; returns its pid.

    settings: a settings file, the name of a preset, or settings. Raises SettingsError, DataError.
    """
    chosen = settings if isinstance(settings, Settings) else load(settings)
    create(folder, chosen, data, purpose)
    return _spawn(folder, RunState(epochs=chosen.training.epochs))


def resume(folder: Path) -> int:
    """Go on with a run that was interrupted, stopped or failed; returns the pid. Raises DataError."""
    open_run(folder)
    state = read_state(folder)
    resumable(folder, state)
    clear_flags(folder)
    return _spawn(folder, replace(state, state="starting", error=None, reason=None))


def stop(folder: Path, grace: float = 20.0) -> RunState:
    """End a run and keep its best: by asking, after `grace` seconds by terminating it, then by killing it.

    Waits until it has ended; returns how it ended.
    """
    if read_state(folder).live:
        ask_stop(folder)
        _ended(folder, grace, f"did not answer within {grace:g} s and was ended; its best checkpoint is kept")
        reap()
    return read_state(folder)


def erase(folder: Path, grace: float = 20.0) -> bool:
    """End a run as `stop` does, then remove what it wrote, and its folder if nothing else is in it.

    Anything but a run of this program is left alone. Returns whether the run is gone.
    """
    if not is_run(folder):
        return False
    if stop(folder, grace).live:  # of another user, whose process this one may not end
        return False
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    try:
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
    except OSError:  # still open somewhere, or of another owner
        with contextlib.suppress(OSError):
            write_state(folder, RunState("discarded"))
        return False
    with contextlib.suppress(OSError):  # somebody's own files are in it
        folder.rmdir()
    return True


def _spawn(folder: Path, state: RunState) -> int:
    """Start the child; from here on the state names it, even if it dies before it can say a word."""
    with (folder / "stdout.log").open("ab") as out, (folder / "stderr.log").open("ab") as err:
        pid = spawn(SUBCOMMAND, str(folder.absolute()), out=out, err=err)
    write_state(folder, replace(state, pid=pid, started=started_at(pid)))
    return pid


def _ended(folder: Path, grace: float, reason: str) -> None:
    """Wait for the end of a run that was asked to; end its whole tree where it does not obey."""
    if _wait(folder, grace):
        return
    state = read_state(folder)
    tree = _tree(state.pid)
    for process in tree:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, left = psutil.wait_procs(tree, timeout=TERMINATED)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=TERMINATED)
    if state.live:
        write_state(folder, replace(state, state="stopped", left_s=None, reason=reason))


def _wait(folder: Path, seconds: float) -> bool:
    """Whether the run ended and its process is gone within so many seconds."""
    end, state = time.monotonic() + seconds, read_state(folder)
    while read_state(folder).live or alive(state.pid, state.started):
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_EVERY)
    return True


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.Error:
        return []
