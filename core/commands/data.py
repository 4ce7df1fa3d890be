"""`consonance data check`: what is wrong with data, before anything learns from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.commands.console import FAILED, OK, Steps, json_lines
from core.data.check import PartReport, Report
from core.data.check import check as look
from core.training.settings import Settings, load

STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def check(path: Path, settings: str | None, *, as_json: bool) -> int:
    """Check the data and show what was found. Exit code 1 where there is an error."""
    chosen = None if settings is None else load(settings)
    if as_json:
        with json_lines() as write:
            report = _checked(path, chosen)
            write(report.to_json())
    else:
        report = _checked(path, chosen)
        _show(report)
    return OK if report.sound else FAILED


def _checked(path: Path, settings: Settings | None) -> Report:
    with Steps() as steps:
        return look(path, settings, steps.begin(str(path)))


def _show(report: Report) -> None:
    console = Console(highlight=False)
    if report.parts:
        console.print(_rows_table(report))
        console.print(_labels_table(report.parts))
    for problem in report.problems:
        style = STYLES[problem.severity]
        console.print(f"{problem.severity} · {problem.where} · {problem.code}", style=style, markup=False)
        console.print(f"    {problem.message}", markup=False, soft_wrap=True)
        if problem.remedy:
            console.print(f"    → {problem.remedy}", markup=False, soft_wrap=True)
    counts = [(sum(p.severity == name for p in report.problems), name) for name in STYLES]
    console.print(", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts))


def _rows_table(report: Report) -> Table:
    table = Table("part", title="rows that have a modality, and its typical length", title_justify="left")
    for name in ("rows", "groups", "text", "voice", "face"):
        table.add_column(name, justify="right")
    for part in report.parts:
        cells = []
        for modality, of in part.modalities.items():
            known = modality == "text" or report.looked_at
            shown = f"{of['rows']:,.0f} of {of['steps']:.0f}" if of["rows"] else "none"
            cells.append(shown if known else "not read yet")
        table.add_row(part.name, f"{part.rows:,}", f"{part.groups:,}", *cells)
    return table


def _labels_table(parts: Sequence[PartReport]) -> Table:
    table = Table("part", "head", title="labels", title_justify="left")
    for name in ("count", "lowest", "mean", "highest"):
        table.add_column(name, justify="right")
    for part in parts:
        for head, of in part.labels.items():
            values = (f"{of[name]:.3g}" for name in ("low", "mean", "high"))
            table.add_row(part.name, head, f"{of['count']:,.0f}", *values)
    return table
