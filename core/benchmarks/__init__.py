"""`consonance bench NAME`: figures of this program on this machine, for notes and for comparing changes.

Shared machines are noisy, so ratios within one run say more than seconds; every report names the cores.
"""

from __future__ import annotations

import importlib
import json
import platform
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.workers import cores

BENCHMARKS = {
    "clip": ("core.benchmarks.clip", "clip"),
    "first-estimate": ("core.benchmarks.clip", "first_estimate"),
    "start": ("core.benchmarks.window", "start"),
    "gui": ("core.benchmarks.window", "gaps"),
    "training-page": ("core.benchmarks.training_page", "training_page"),
    "live": ("core.benchmarks.live", "live"),
    "alignment": ("core.benchmarks.alignment", "alignment"),
    "labels": ("core.benchmarks.labels", "labels"),
    "training": ("core.benchmarks.training", "training"),
    "data": ("core.benchmarks.data", "data"),
    "store": ("core.benchmarks.store", "store"),
    "memory": ("core.benchmarks.memory", "memory"),
}
"""Name to module and function; a function takes the clip to measure with and returns its figures."""

LASTING = ("live",)
"""Those that go on for a while: how many seconds can be said."""


def run(name: str, *, as_json: bool, clip: Path | None, seconds: float | None = None) -> int:
    """Measure and report; 0. UserError for a name that is none, or a clip that is not there.

    seconds: how long, of what is measured for a while.
    """
    if name not in BENCHMARKS:
        raise UserError(f"There is no measurement “{name}”.", f"Choose one of {', '.join(BENCHMARKS)}.")
    if seconds is not None and name not in LASTING:
        raise UserError(f"“{name}” takes the time it takes.", f"--seconds is for {', '.join(LASTING)}.")
    module, function = BENCHMARKS[name]
    lasting = {} if seconds is None else {"seconds": seconds}
    figures = getattr(importlib.import_module(module), function)(clip or sample(), **lasting)
    report = {"bench": name, "cores": cores(), "machine": platform.machine(), **figures}
    if as_json:
        import typer

        typer.echo(json.dumps(report))
    else:
        _show(report)
    return 0


def sample() -> Path:
    """The clip that is shipped with the program."""
    from core.paths import resources

    found = sorted((resources() / "samples").glob("*.mp4"))
    if not found:
        raise UserError("The sample clip is not there.", "Name another with --clip.")
    return found[0]


def _show(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"{report['bench']}, {report['cores']} cores, {report['machine']}", style="bold")
    for key, value in report.items():
        if isinstance(value, list):
            table = Table(*value[0])
            for row in value:
                table.add_row(*(_figure(item) for item in row.values()))
            console.print(table)
        elif key not in ("bench", "cores", "machine"):
            console.print(f"{key.replace('_', ' ')}: {_figure(value)}")


def _figure(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key} {_figure(item)}" for key, item in value.items())
    return f"{value:.3f}" if isinstance(value, float) else str(value)
