"""What a run says of itself in state.json, and what a reader makes of it when its process is gone.

Light on purpose (no torch): the window imports this module too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import psutil

from core.files import write_whole

STATE, REPORT = "state.json", "report.json"
STOP, DISCARD = "stop", "discard"
VERSION = 1

State = Literal[
    "starting", "running", "stopping", "finished", "stopped", "failed", "discarded", "interrupted"
]
LIVE = ("starting", "running", "stopping")
"""States of a run that a process works on."""
MOST = 1e12
"""No number of a state is larger; comparing with it also refuses what is no number."""
CLOCKS = 2.0
"""Seconds that two readings of a process's start may differ by."""


@dataclass(frozen=True, slots=True)
class RunState:
    """state.json. "interrupted" is never in the file: it is what a reader calls a run whose process is gone.

    pid, started: the process and when it started, in seconds of the epoch. share: of the training that is
    done, in [0, 1]. left_s: seconds that it may still take. segment: which start or resume this is, from 1.
    """

    state: State = "starting"
    pid: int = 0
    started: float = 0.0
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    share: float = 0.0
    best: dict[str, Any] | None = None
    left_s: float | None = None
    reason: str | None = None
    error: dict[str, str] | None = None
    segment: int = 0

    @property
    def live(self) -> bool:
        """Whether a process is working on the run."""
        return self.state in LIVE


def read_state(folder: Path) -> RunState:
    """The state of a run as it is now.

    "interrupted" where its process is gone, "stopping" once that is asked for. A run without a state.json
    (of an older version) is "finished" where it has a report.
    """
    try:
        found = _checked(json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return RunState("finished" if (folder / REPORT).exists() else "interrupted")
    if found.live and not alive(found.pid, found.started):
        return replace(found, state="interrupted", left_s=None)
    if found.state == "running" and any((folder / flag).exists() for flag in (STOP, DISCARD)):
        return replace(found, state="stopping")
    return found


def _checked(written: Any) -> RunState:
    """The state that was written; what is not of its kind is as in a new run. ValueError: no object.

    Anybody may have written the file: a run that says nonsense must not hide the others.
    """
    if not isinstance(written, dict):
        raise ValueError("not an object")
    return RunState(
        **{name: value for name, value in written.items() if name in _FITS and _FITS[name](value)}
    )


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < MOST


def _best(value: Any) -> bool:
    fits = {"figure": _number, "epoch": _count, "monitor": _text}
    return isinstance(value, dict) and all(
        held is None or fits.get(name, _text)(held) for name, held in value.items()
    )


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _error(value: Any) -> bool:
    return (
        isinstance(value, dict) and {"message", "remedy"} <= value.keys() and all(map(_text, value.values()))
    )


_FITS: dict[str, Callable[[Any], bool]] = {
    "state": lambda value: value in get_args(State) if isinstance(value, str) else False,
    **dict.fromkeys(("pid", "epoch", "epochs", "step", "segment"), _count),
    **dict.fromkeys(("started", "share", "left_s"), _number),
    "best": _best,
    "reason": _text,
    "error": _error,
}


def write_state(folder: Path, state: RunState, *, durable: bool = True) -> None:
    """Write state.json, whole or not at all."""
    text = json.dumps({"v": VERSION, **asdict(state)}, ensure_ascii=False, allow_nan=False)
    write_whole(folder / STATE, text + "\n", durable=durable)


def alive(pid: int, started: float) -> bool:
    """Whether the process that started then is still there; another one of the same number is not it."""
    if pid <= 0:
        return False
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < CLOCKS and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def started_at(pid: int) -> float:
    """When a process started; 0 where there is none (any more)."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0
