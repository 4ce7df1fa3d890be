"""`consonance search`: try settings on validation, train the best once more, score that on the test part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from core.commands.console import OK, Steps, errors
from core.training.search import search as find


def search(
    settings: str,
    data: Path,
    study: Path,
    vary: Sequence[str],
    *,
    trials: int,
    jobs: int,
    overrides: Sequence[str],
    as_json: bool,
) -> int:
    """Search, then print what came of it. SettingsError lists everything that is wrong with what is asked."""
    with Steps() as steps:
        found = find(settings, data, study, vary, trials, jobs, overrides, steps.begin(str(study)))
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _show(found, study)
    return OK


def _show(found: dict[str, Any], study: Path) -> None:
    best = found["trials"][found["best"]]
    typer.echo(f"best of {len(found['trials'])} on validation: {found['monitor']} {best['value']:.4f}")
    for key, value in best["settings"].items():
        share = found["importance"].get(key)
        typer.echo(f"  {key} = {value}" + ("" if share is None else f"   explains {100 * share:.0f} %"))
    for name, part in found["chosen"]["test"]["sources"].items():
        for head, figures in part["metrics"].items():
            mae = figures["mae"]
            told = f"MAE {mae['value']:.4f} ({mae['low']:.4f} to {mae['high']:.4f}), {mae['count']} rows"
            typer.echo(f"{name}, {head}: {told}")
    errors().print(f"The model lies in {study / 'chosen'}", markup=False, soft_wrap=True)
