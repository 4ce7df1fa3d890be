"""`consonance runs`: the runs there are, how they stand; stop, resume, and use what came of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Column, Table

from core.commands.console import FAILED, OK, errors
from core.errors import ModelError
from core.model.chosen import agree, usable
from core.paths import runs as usual
from core.training.known_runs import known
from core.training.run_reading import find, is_run, summary
from core.types import Modality
from core.workers import training

TOLD = ("folder", "name", "state", "epoch", "epochs", "best", "best_epoch", "seed", "data", "reason", "error")


def show(folder: Path | None, *, as_json: bool) -> int:
    """The runs below a folder; left out: those in the usual place and those started elsewhere."""
    found = find(usual(), known()) if folder is None else [folder] if is_run(folder) else find(folder)
    told = [summary(run) for run in found]
    if as_json:
        for one in told:
            typer.echo(json.dumps({key: one[key] for key in TOLD}, ensure_ascii=False))
        return OK
    table = Table(Column("run", overflow="fold"), "state", "epoch", "best", "why")
    for one in told:
        best = "" if one["best"] is None else f"{one['best']:.4f} (epoch {one['best_epoch']})"
        why = (one["error"] or {}).get("message") or one["reason"]
        table.add_row(one["folder"], one["state"], f"{one['epoch']}/{one['epochs']}", best, why)
    Console(highlight=False).print(table)
    return OK


def stop(folder: Path, grace: float) -> int:
    """End a run and keep its best."""
    state = training.stop(folder, grace)
    typer.echo(json.dumps({"folder": str(folder), "state": state.state, "reason": state.reason}))
    return FAILED if state.live else OK


def resume(folder: Path) -> int:
    """Go on with a run, detached."""
    typer.echo(json.dumps({"folder": str(folder), "pid": training.resume(folder)}))
    return OK


def use(folder: Path, drop: Sequence[Modality]) -> int:
    """Agree to use a run's model on clips, without the modalities in `drop`; ModelError says why not."""
    agree(folder, drop)
    if (why := usable(folder)) is not None:
        agree(folder, ())
        raise ModelError(f"{folder} cannot be used on clips. {why}", "--drop leaves a modality out of it.")
    errors().print(f"Use it with --model {folder}", markup=False, soft_wrap=True)
    return OK
