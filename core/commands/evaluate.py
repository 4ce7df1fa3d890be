"""`consonance evaluate`: how good a model is on labelled data."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from core.commands.console import OK, Steps, json_lines
from core.training.evaluate import evaluate as judge
from core.training.runs import finite
from core.workers import torch_threads


def evaluate(model: str, data: Path, split: str | None, *, as_json: bool) -> int:
    """Score the model on one split and print every metric with its interval and count."""
    torch.set_num_threads(torch_threads())
    if not as_json:
        _show(_judged(model, data, split))
        return OK
    with json_lines() as write:
        write(finite(_judged(model, data, split)))
    return OK


def _judged(model: str, data: Path, split: str | None) -> dict[str, Any]:
    with Steps() as steps:
        return judge(model, data, split, steps.begin(str(data)))


def _show(found: dict[str, Any]) -> None:
    console = Console(highlight=False)
    model, rows = found["model"], f"{found['rows']} rows of {found['groups']} videos or people"
    console.print(
        f"{model['name']} {model['version']} on {found['data']}, {found['split']}: {rows}",
        style="bold",
        markup=False,
    )
    for head, metrics in found["metrics"].items():
        table = Table("metric", "value", "95 % interval", "rows", title=head, title_justify="left")
        for name, figure in metrics.items():
            interval = f"{_number(figure['low'])} … {_number(figure['high'])}"
            table.add_row(name, _number(figure["value"]), interval, str(figure["count"]))
        console.print(table)
    for head, share in found["coverage"].items():
        console.print(
            f"Intervals of {head}: {share['value']:.1%} of {share['count']} labels lie within "
            f"(made for {share['level']:.0%})."
        )
    for note in found["notes"]:
        console.print(json.dumps(note) if isinstance(note, dict) else str(note), style="dim", markup=False)


def _number(value: float | None) -> str:
    return "undefined" if value is None or not math.isfinite(value) else f"{value:.4f}"
