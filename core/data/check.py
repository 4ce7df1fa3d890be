"""Is this data fit to learn from? Everything doubtful about it, told together, before any training.

In one pass over the samples as training sees them; recordings that were not extracted yet are not extracted
for it: of these only the table and the clips' bytes are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.data import sources
from core.data.faults import faults
from core.data.parts import DataSet
from core.data.survey import Survey, survey
from core.errors import DataError
from core.training.preflight_report import Problem
from core.training.settings import Settings
from core.types import HEADS, MODALITIES, Modality


@dataclass(frozen=True, slots=True)
class PartReport:
    """One part: rows, groups; by head the count and the range of its labels; by modality rows and steps."""

    name: str
    rows: int
    groups: int
    labels: dict[str, dict[str, float]]
    modalities: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. looked_at: whether features were looked at, or tables alone."""

    path: str
    problems: Sequence[Problem]
    parts: Sequence[PartReport] = ()
    fingerprint: str = ""
    features: dict[Modality, str] = field(default_factory=dict)
    looked_at: bool = True

    @property
    def sound(self) -> bool:
        """Whether there is no error."""
        return not any(problem.severity == "error" for problem in self.problems)

    def to_json(self) -> dict[str, Any]:
        return {"sound": self.sound, **asdict(self)}


def check(
    path: Path, settings: Settings | None = None, on_progress: sources.Progress | None = None
) -> Report:
    """Check what lies at a path as these settings read it (by default, as it is, on whatever scale it has).

    Never raises for what is wrong with the data: a file that cannot be read is a report with that error.
    """
    progress = on_progress or (lambda step, share: None)
    read = Settings().data if settings is None else settings.read
    try:
        data, files = sources.outline(read, path, progress)
    except DataError as error:
        problem = Problem("unreadable", "error", str(path.name), error.message, error.remedy)
        return Report(str(path), [problem], looked_at=False)
    return check_opened(path, data, files, settings, progress)


def check_opened(
    path: Path,
    data: DataSet,
    files: dict[str, Path] | None,
    settings: Settings | None,
    progress: sources.Progress,
) -> Report:
    """The same for what `sources.outline` gave of this path."""
    found = survey(data, lambda share: progress("looking at every row", share), files)
    problems = [*faults(found, settings.data.scale if settings else None), *_notes(data, files is not None)]
    order = ("error", "warning", "note")
    return Report(
        str(path),
        sorted(problems, key=lambda problem: order.index(problem.severity)),
        _parts(found),
        data.fingerprint,
        data.features,
        looked_at=files is None,
    )


def _parts(found: Survey) -> list[PartReport]:
    made = []
    for number, name in enumerate(found.parts):
        rows = found.part == number
        groups = {found.groups[row] for row in np.flatnonzero(rows)}
        labels: dict[str, dict[str, float]] = {}
        for column, head in enumerate(HEADS):
            y = found.labels[rows, column]
            if len(y := y[np.isfinite(y)]):
                labels[head] = _range(y)
        modalities: dict[str, dict[str, float]] = {}
        for column, modality in enumerate(MODALITIES):
            steps = found.lengths[rows, column]
            there = steps[steps > 0]
            modalities[modality] = {
                "rows": len(there),
                "steps": float(np.median(there)) if len(there) else 0.0,
            }
        made.append(PartReport(name, int(rows.sum()), len(groups), labels, modalities))
    return made


def _range(y: np.ndarray) -> dict[str, float]:
    return {"count": len(y), "low": float(y.min()), "mean": float(y.mean()), "high": float(y.max())}


def _notes(data: DataSet, tables_alone: bool) -> Iterator[Problem]:
    """What the reading itself mended or left out."""
    for oddity in data.oddities:
        if oddity["code"] == "label-scale":  # looked at by itself, with the settings' scale
            continue
        severity = "warning" if oddity["code"] in ("non-finite", "label-not-finite") else "note"
        told = "Mend them where they come from; here they count as stated." if severity == "warning" else ""
        where = f"{oddity['part']}, {oddity['field']}"
        yield Problem(oddity["code"], severity, where, f"{oddity['count']:,} {oddity['message']}.", told)
    known = {f"{o['part']}: {o['field']}: {o['count']} {o['message']}" for o in data.oddities}
    for note in data.notes:
        if note not in known:
            yield Problem("left-out", "note", "rows", f"{note}.")
    if tables_alone:
        yield Problem(
            "not-extracted",
            "note",
            "clips",
            "Voices and faces were not looked at: they are extracted when a run starts.",
        )
