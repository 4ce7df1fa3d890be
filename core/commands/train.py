"""`consonance train`: runs from a settings file, each in a folder that holds everything about it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from core.commands.console import FAILED, OK, Steps, errors
from core.errors import Cancelled, SettingsError
from core.training.grid import Planned, expand
from core.training.run_state import read_state
from core.training.runs import finite
from core.training.settings import load
from core.workers import training
from core.workers.run_queue import enqueue


def train(
    settings: str | None,
    data: Path | None,
    run: Path,
    overrides: Sequence[str],
    *,
    resume: bool = False,
    detach: bool = False,
    seeds: Sequence[int] = (),
    vary: Sequence[str] = (),
) -> int:
    """Train, then print the report as JSON; detached, print where the run is and leave.

    seeds, vary (`core.training.grid`): a run for each, in folders in `run`, one after the other, detached.
    SettingsError lists everything that is wrong with the settings.
    """
    if resume:
        return _resume(run, detach)
    if settings is None or data is None:
        raise SettingsError("A new run needs settings and --data.", "Only --resume goes without them.")
    chosen = load(settings, overrides)
    if seeds or vary:
        return _queue(expand(chosen, vary, seeds), data, run)
    if detach:
        return _left(run, training.start(run, chosen, data))
    from core.training.loop import train as fit  # torch; not for what only starts another process

    return _follow(run, lambda progress: fit(chosen, data, run, progress))


def _resume(run: Path, detach: bool) -> int:
    if detach:
        return _left(run, training.resume(run))
    from core.training.loop import carry_on

    return _follow(run, lambda progress: carry_on(run, progress))


def _follow(run: Path, work: Callable[[Callable[[str, float], None]], dict[str, Any]]) -> int:
    """Do it here, with progress on the terminal."""
    with Steps() as steps:
        try:
            report = work(steps.begin(str(run)))
        except Cancelled:
            errors().print(f"{run} was discarded", markup=False, soft_wrap=True)
            return FAILED
    if int(os.environ.get("RANK", "0")):
        return OK  # of the processes that train together one speaks
    typer.echo(json.dumps(finite(report), indent=1, default=str))
    errors().print(f"The model lies in {run / 'model'}", markup=False, soft_wrap=True)
    return OK


def _left(run: Path, pid: int) -> int:
    typer.echo(json.dumps({"folder": str(run.absolute()), "pid": pid, "state": read_state(run).state}))
    errors().print("It goes on without this terminal: consonance runs", markup=False)
    return OK


def _queue(planned: Sequence[Planned], data: Path, parent: Path) -> int:
    runs = [(parent / _folder(each), each.settings) for each in planned]
    parent.mkdir(parents=True, exist_ok=True)
    enqueue(parent, runs, data)
    for folder, _ in runs:
        typer.echo(json.dumps({"folder": str(folder.absolute()), "state": "waiting"}))
    return OK


def _folder(planned: Planned) -> str:
    """What the run differs in; of seeds alone `seed-1111`."""
    seed = f"seed={planned.settings.training.seed}"
    return seed.replace("=", "-") if planned.label in ("", seed) else planned.label
