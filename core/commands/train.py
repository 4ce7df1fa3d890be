"""`consonance train`: a run from a settings file, in a folder that holds everything about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from core.commands.console import OK, Steps, errors
from core.training.loop import train as fit
from core.training.runs import finite
from core.training.settings import load


def train(settings: str, data: Path, run: Path, overrides: Sequence[str]) -> int:
    """Train, then print the report as JSON. SettingsError lists everything that is wrong with them."""
    chosen = load(settings, overrides)
    with Steps() as steps:
        report = fit(chosen, data, run, steps.begin(str(run)))
    typer.echo(json.dumps(finite(report), indent=1, default=str))
    errors().print(f"The model lies in {run / 'model'}", markup=False, soft_wrap=True)
    return OK
