"""`consonance annotations`: projects of clips to rate, without a window."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from core.annotation import acts, agreement_report, elan, export, importing, report_page
from core.annotation.errors import RatingError
from core.annotation.project import Consensus
from core.annotation.store import Store
from core.annotation.view import View
from core.commands.console import FAILED, OK, Steps, errors
from core.errors import UserError
from core.types import Head


def init(folder: Path, settings: dict[str, Any], raters: Sequence[str], *, as_json: bool) -> int:
    """Make a project."""
    given = {name: value for name, value in settings.items() if value is not None}
    with Store.create(folder, **given) as store:
        for name in raters:
            store.rater(name, create=True)
        settings = store.project.model_dump(mode="json")  # an address may hold a password
        _tell({"project": str(folder), **settings, "store": store.database.place}, as_json)
    return OK


def bring_in(folder: Path, paths: Sequence[Path], *, cut: bool, as_json: bool) -> int:
    """Import clips, transcripts and labels. What fails is told, the rest goes on (exit code 1)."""
    failed = False
    with Store.open(folder) as store, Steps() as steps:
        for path in paths:
            try:
                report = _imported(store, path, cut, steps)
            except UserError as error:
                failed = True
                _tell({"source": str(path), "error": error.to_json()}, as_json)
                continue
            _tell(
                {
                    "source": str(path),
                    "added": report.added,
                    "known": report.known,
                    "labels": report.labels,
                    "labels_of": report.rater,
                    "missing": [{"clip": clip, "file": file} for clip, file in report.missing],
                },
                as_json,
            )
    return FAILED if failed else OK


def _imported(store: Store, path: Path, cut: bool, steps: Steps) -> importing.Report:
    progress = steps.begin(str(path))
    if cut:
        from core.annotation import cutting

        return cutting.bring_in(store, path, progress)
    return importing.bring_in(store, path, progress)


def rate(folder: Path, clip: str, rater: str, modality: Head, value: float | None, *, as_json: bool) -> int:
    """Rate one modality of a clip."""
    with Store.open(folder) as store:
        number = store.clip(clip)
        done = acts.rate(store, store.rater(rater, create=True).id, number, modality, value)
        told = {"clip": clip, "rater": rater, "modality": modality, "value": done.value, "event": done.event}
        _tell(told, as_json)
    return OK


def export_to(
    folder: Path, out: Path, form: str, rule: Consensus | None, raters: Sequence[str], *, as_json: bool
) -> int:
    """Write the ratings for another program."""
    with Store.open(folder) as store:
        for name in raters:
            store.rater(name)  # an unknown one is told, not left out
        done = FORMS[form](store, out, rule, raters or None)
        left_out = [{"clip": clip, "reason": reason} for clip, reason in done.left_out]
        files = [str(file) for file in done.files]
        _tell({"format": form, "clips": done.clips, "files": files, "left_out": left_out}, as_json)
    return OK


def measure(
    folder: Path, passes: Sequence[Head], raters: Sequence[str], report: Path | None, *, as_json: bool
) -> int:
    """Tell how far raters agree, and write the report if one is asked for."""
    with Store.open(folder) as store:
        chosen = [head for head in store.project.passes if head in passes]
        measured = [agreement_report.measure(store, head, raters or None) for head in chosen]
        if report is not None:
            export.written(report, report_page.page(store.project, measured))
    for one in measured:
        if as_json:
            typer.echo(json.dumps(one.to_json(), ensure_ascii=False, allow_nan=False))
        else:
            _show(one)
    return OK


def _show(one: agreement_report.Agreement) -> None:
    title = f"{one.modality}: {len(one.together):,} clips of two raters or more"
    table = Table(
        "raters", "coefficient", "value", "95 % interval", "clips", title=title, title_justify="left"
    )
    figures = [("all", name, figure) for name, figure in one.figures.items()]
    figures += [
        (f"{p.first}, {p.second}", name, figure) for p in one.pairs for name, figure in p.figures.items()
    ]
    for raters, name, f in figures:
        if math.isfinite(f.value):
            table.add_row(raters, name, f"{f.value:.3f}", f"{f.low:.3f} to {f.high:.3f}", f"{f.clips:,}")
    Console(highlight=False).print(table)


def raters(folder: Path, unblind: str | None, by: str | None, *, as_json: bool) -> int:
    """List the raters and how far they are; or show one what the others think, which is logged."""
    with Store.open(folder) as store:
        if unblind is not None:
            if by is None:
                raise RatingError("Who unblinds is part of the record.", "Name yourself with --by.")
            store.unblind(store.rater(unblind).id, store.rater(by, create=True, lead=True).id)
        for rater in store.raters():
            done = {head: asdict(View(store, rater.id, head).progress()) for head in store.project.passes}
            told = {"rater": rater.name, "kind": rater.kind, "lead": rater.lead}
            _tell({**told, "unblinded": rater.unblinded, "progress": done}, as_json)
    return OK


FORMS = {
    "csv": export.to_csv,
    "json": export.to_json,
    "elan": elan.to_elan,
    "label-folder": export.to_label_folder,
}
"""Export formats by name."""


def relink(folder: Path, search: Path | None, media: Path | None, *, as_json: bool) -> int:
    """Find files that have moved. Exit code 1 while some are missing."""
    with Store.open(folder) as store:
        done = importing.relink(store, search, media=media)
        missing = [{"clip": clip, "file": file} for clip, file in done.missing]
        _tell({"found": done.found, "doubtful": list(done.doubtful), "missing": missing}, as_json)
    return FAILED if done.missing else OK


def _tell(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, allow_nan=False))
        return
    console = errors()
    for name, value in answer.items():
        shown = f"{len(value)}" if isinstance(value, list) and len(value) > 5 else value
        if shown not in (None, [], ""):
            console.print(f"{name.replace('_', ' ')}: {shown}", markup=False, soft_wrap=True)
