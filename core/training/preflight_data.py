"""The part of a preflight that looks at the data: rows and labels by part, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from core.data import label_folder, sources, tables
from core.data.batches import Sample
from core.data.parts import DataSet, Part, assigned, for_training
from core.data.rows import Rows
from core.training.preflight_report import Problem, Split
from core.training.settings import DataSettings, Settings, Source
from core.types import HEADS, Head

SHOWN = 3
"""Names of groups that a message lists."""


def read(settings: Settings, path: Path, progress: sources.Progress) -> tuple[DataSet, bool]:
    """The data with parts for training, and whether its features are there.

    Recordings that were not read before are not read now, which would take as long as it takes: of these
    only the tables are looked at. Raises DataError.
    """
    data = settings.data.model_copy(update={"text": settings.text_kind})
    if not _has_recordings(data, path):
        return for_training(sources.load(data, path, progress)), True
    found = sources.converted(data, path)
    if found is not None:
        return for_training(found), True
    return for_training(_tables(data, path)), False


def _has_recordings(data: DataSettings, path: Path) -> bool:
    return any(s.columns.file for s in data.sources) if data.sources else path.is_dir()


def _tables(data: DataSettings, path: Path) -> DataSet:
    """The rows of tables that name recordings, without these."""
    parts: dict[str, Part] = {}
    notes: list[str] = []
    if not data.sources:
        for row in label_folder.read(path, notes.append):
            sample = Sample(row.id, row.group, row.text or None, labels=row.labels)
            parts.setdefault(row.mode, Part()).add([sample], 0)
        return DataSet(parts, (Source(),), notes=notes, calibration_share=data.calibration_share)
    for number, source in enumerate(data.sources):
        rows = tables.of_source(source, path)
        for name, row in zip(assigned([row.group for row in rows], source), rows, strict=True):
            sample = Sample(row.id, row.group, row.text, labels=row.labels)
            parts.setdefault(name, Part()).add([sample], number)
    return DataSet(parts, data.sources, notes=notes)


def labels_of(samples: Sequence[Sample]) -> dict[Head, np.ndarray]:
    """Labels (N,) of each head, NaN where there is none."""
    if isinstance(samples, Rows):
        return {head: samples.row_index.labels[:, i] for i, head in enumerate(HEADS)}
    return {head: np.array([s.labels.get(head, np.nan) for s in samples], dtype=float) for head in HEADS}


def splits(data: DataSet) -> list[Split]:
    """Rows, groups and labels of each part."""
    found = []
    for name in ("train", "valid", "calibration", "test"):
        part = data.part(name)
        counts = {head: int(np.isfinite(y).sum()) for head, y in labels_of(part.samples).items()}
        found.append(Split(name, len(part), len(set(part.groups)), {h: n for h, n in counts.items() if n}))
    return found


def problems(settings: Settings, data: DataSet) -> Iterator[Problem]:
    """Everything doubtful about the data, and about the settings beside it."""
    yield from _empty(data)
    yield from _out_of_range(settings, data)
    yield from _in_two_parts(data)
    yield from _labels_wanted(settings, data)
    yield from _batch(settings, len(data.part("train")))
    yield from _notes(data)


def _empty(data: DataSet) -> Iterator[Problem]:
    train = data.part("train")
    if not len(train):
        told = "Give some rows the part train (mode or split in a table), or none any part."
        yield Problem("empty-split", "error", "data", "The part train is empty.", told)
    elif not any(np.isfinite(y).any() for y in labels_of(train.samples).values()):
        told = "Look at the column of labels, and at the sources in the settings."
        yield Problem("no-labels", "error", "data", "No row of the part train has a label.", told)
    if not len(data.part("valid")):
        told = "Give the data a part valid; without one the last epoch is kept, whatever it is worth."
        yield Problem("empty-split", "warning", "data", "The part valid is empty.", told)
    if not len(data.part("test")):
        told = "Such a run gets no final score."
        yield Problem("empty-split", "note", "data", "The part test is empty.", told)
    if not len(data.part("calibration")):
        told = "Such a model shows no intervals."
        yield Problem("empty-split", "note", "data.calibration_share", "No rows to calibrate on.", told)


def _out_of_range(settings: Settings, data: DataSet) -> Iterator[Problem]:
    low, high = settings.data.scale
    outside: dict[Head, dict[str, np.ndarray]] = {head: {} for head in HEADS}
    for name, part in data.parts.items():
        for head, labels in labels_of(part.samples).items():
            beyond = labels[np.isfinite(labels) & ((labels < low) | (labels > high))]
            if len(beyond):
                outside[head][name] = beyond
    for head, found in outside.items():
        if not found:
            continue
        labels = np.concatenate(list(found.values()))
        span = f"from {labels.min():g} to {labels.max():g}" if len(labels) > 1 else f"{labels[0]:g}"
        yield Problem(
            "label-out-of-range",
            "error",
            "data.scale",
            f"{len(labels):,} {head} labels ({span}; in {', '.join(found)}) are beyond the scale "
            f"from {low:g} to {high:g}.",
            "Mend these labels, or set the scale that the data has.",
        )


def _in_two_parts(data: DataSet) -> Iterator[Problem]:
    groups = {name: set(part.groups) for name, part in data.parts.items()}
    for one, other in combinations(groups, 2):
        if both := sorted(groups[one] & groups[other]):
            more = ", …" if len(both) > SHOWN else ""
            yield Problem(
                "group-in-two-splits",
                "warning",
                "data",
                f"{len(both):,} speakers or videos are in {one} and in {other}: "
                f"{', '.join(both[:SHOWN])}{more}.",
                "Scores would be too good. Move all rows of a speaker to one part.",
            )


def _labels_wanted(settings: Settings, data: DataSet) -> Iterator[Problem]:
    heads = {head for head, y in labels_of(data.part("train").samples).items() if np.isfinite(y).any()}
    single = set(HEADS) - {"multimodal"}
    if settings.labels.kind == "human" and heads and not heads & single:
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


def _notes(data: DataSet) -> Iterator[Problem]:
    for note in map(str, data.notes):
        if "NaN" in note or "not finite" in note:
            told = "Mend them where they come from; here they count as stated."
            yield Problem("not-finite", "warning", "data", f"{note}.", told)
        else:
            yield Problem("data-note", "note", "data", f"{note}.")
