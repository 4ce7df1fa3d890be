"""`consonance preflight`: what is wrong before a run starts, what it needs, how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from core.commands.console import FAILED, OK, Steps, errors, json_lines
from core.training.preflight import preflight as look
from core.training.preflight_report import Report, Room, seconds, size
from core.training.settings import load


def preflight(
    settings: str, data: Path, run: Path, overrides: Sequence[str], runs: int, *, as_json: bool
) -> int:
    """Print the report; exit code 1 where something keeps the run from starting."""
    chosen = load(settings, overrides)
    with json_lines() as write:
        with Steps() as steps:
            report = look(chosen, data, run, runs, steps.begin("preflight"))
        if as_json:
            write(report.to_json())
    if not as_json:
        _tell(report)
    return OK if report.ready else FAILED


def _tell(report: Report) -> None:
    for split in report.splits:
        labels = ", ".join(f"{head} {count:,}" for head, count in split.labels.items()) or "none"
        typer.echo(f"{split.name:12} {split.rows:,} rows of {split.groups:,} groups; labels: {labels}")
    time, device = report.time, report.device
    typer.echo(f"{'device':12} {f'{device.name} {device.detail}'.strip() if device else 'unknown'}")
    typer.echo(f"{'text encoder':12} {report.text_encoder or 'not there'}")
    typer.echo(f"{'an epoch':12} {seconds(time.epoch_s)}")
    typer.echo(f"{'all epochs':12} {seconds(time.run_s)}" + (f", {time.runs} times" if time.runs > 1 else ""))
    typer.echo(f"{'memory':12} {_room(report.memory)}")
    if report.device_memory is not None:
        typer.echo(f"{'on the card':12} {_room(report.device_memory)}")
    typer.echo(f"{'disk':12} {_room(report.disk)}")
    for problem in report.problems:
        typer.echo(f"{problem.severity:12} {problem.where}: {problem.message} {problem.remedy}".rstrip())
    errors().print(f"looked at in {report.seconds:.1f} s", markup=False)


def _room(room: Room) -> str:
    need = "unknown" if room.need is None else f"about {size(room.need)}"
    free = "unknown" if room.free is None else size(room.free)
    return f"{need} needed, {free} free"
