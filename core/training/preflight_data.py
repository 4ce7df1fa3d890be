"""The part of a preflight that looks at the data: rows and labels by part, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data import sources
from core.data.batches import row_index
from core.data.check import check_opened
from core.data.parts import DataSet, for_training
from core.training.preflight_report import Problem, Split
from core.training.settings import Settings
from core.types import HEADS

FIELDS = {
    "label-out-of-range": "data.scale",
    "label-range-narrow": "data.scale",
    "constant-modality": "data.modalities",
}
"""The setting by which a fault of the data can be mended."""


def read(settings: Settings, path: Path, progress: sources.Progress) -> tuple[DataSet, bool, list[Problem]]:
    """The data with parts for training, whether its features are there, and what a check of it says.

    Recordings that were not read before are not read now, which would take as long as it takes: of these
    only the tables are looked at. Raises DataError.
    """
    found, files = sources.outline(settings.read, path, lambda step, share: progress(step, 0.5 * share))
    cut = for_training(found)
    problems = list(
        _checked(found, files, settings, path, lambda step, share: progress(step, 0.5 + 0.5 * share))
    )
    problems += [
        Problem("data-note", "note", "data", f"{note[:1].upper()}{note[1:]}.")
        for note in cut.notes[len(found.notes) :]
    ]
    return cut, files is None, problems


_known: dict[tuple[str, str], list[Problem]] = {}
"""The last check, which need not be made again for another batch size."""


def _checked(
    data: DataSet,
    files: dict[str, Path] | None,
    settings: Settings,
    path: Path,
    progress: sources.Progress,
) -> list[Problem]:
    """What is wrong with the data, each with the setting that can mend it, else "data"."""
    key = (data.fingerprint, settings.read.model_dump_json())
    if data.fingerprint and key in _known:
        return _known[key]
    found = [
        replace(
            problem, where=FIELDS.get(problem.code, "data"), message=f"{problem.where}: {problem.message}"
        )
        for problem in check_opened(path, data, files, settings, progress).problems
        if problem.code != "no-parts"  # how they are cut is told instead
    ]
    _known.clear()
    _known[key] = found
    return found


def splits(data: DataSet) -> list[Split]:
    """Rows, groups and labels of each part."""
    found = []
    for name in ("train", "valid", "calibration", "test"):
        part = data.part(name)
        index = row_index(part.samples)
        counts = {head: int(np.isfinite(index.label(head)).sum()) for head in HEADS}
        found.append(Split(name, len(part), len(set(part.groups)), {h: n for h, n in counts.items() if n}))
    return found


def doubts(settings: Settings, parts: Sequence[Split]) -> Iterator[Problem]:
    """Where the settings do not suit the data."""
    train, _valid, calibration, _test = parts
    if not calibration.rows:
        told = "No rows to calibrate on: the model will show no intervals."
        yield Problem("empty-split", "note", "data.calibration_share", told)
    yield from _labels_wanted(settings, train)
    yield from _batch(settings, train.rows)


def _labels_wanted(settings: Settings, train: Split) -> Iterator[Problem]:
    if settings.labels.kind == "human" and set(train.labels) == {"multimodal"}:
        yield Problem(
            "no-human-labels",
            "warning",
            "labels.kind",
            "The data has no labels of single modalities: only the fusion would learn.",
            "Choose generated.",
        )
    highest = max(abs(bound) for bound in settings.data.scale)
    if settings.labels.kind == "generated" and settings.labels.limit > 2 * highest:
        yield Problem(
            "limit-beyond-scale",
            "warning",
            "labels.limit",
            f"Generated labels may reach ±{settings.labels.limit:g}, the scale ends at {highest:g}.",
            f"Set the limit to {highest:g}.",
        )


def _batch(settings: Settings, rows: int) -> Iterator[Problem]:
    size = settings.training.batch_size
    if rows and size > rows:
        yield Problem(
            "batch-too-large",
            "warning",
            "training.batch_size",
            f"A batch of {size:,} is more than all {rows:,} rows to train on: one batch an epoch.",
            f"Set it to {max(1, min(32, rows // 8))}.",
        )
    if size == 1 and settings.alignment.weight:
        yield Problem(
            "batch-too-small",
            "warning",
            "training.batch_size",
            "A single row has no covariance: nothing would be aligned.",
            "Set it to 16 or more.",
        )
