"""What can be wrong with a data set, each a short look at a survey of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from core.data.survey import Survey
from core.training.preflight_report import Problem
from core.types import HEADS, MODALITIES, Modality

SHOWN = 3
"""Rows that a message names."""
FEW_ROWS = 0.01
"""Share of the rows up to which something is worth knowing but no reason to stop."""

SEEN: dict[Modality, str] = {"text": "text", "audio": "voice", "visual": "face"}


def faults(found: Survey, scale: tuple[float, float] | None) -> list[Problem]:
    """Everything that is wrong or doubtful. scale: lowest and highest label; None: not known."""
    looks: Sequence[Callable[[Survey], Iterator[Problem]]] = (
        _empty_parts, _labels, _ids, _groups, _shared, _repeated, _modalities, _constant,
    )  # fmt: skip
    problems = [problem for look in looks for problem in look(found)]
    return [*problems, *_range(found, scale)]


def _what(found: Survey, modality: Modality) -> str:
    if not found.looked_at and modality == "visual":
        return "clip files"
    return "texts" if modality == "text" else f"{SEEN[modality]} features"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(str, names[:SHOWN])) + more


def _empty_parts(found: Survey) -> Iterator[Problem]:
    if list(found.parts) == ["all"]:
        yield Problem("no-parts", "note", "all", "The data has no parts: training cuts them by whole groups.")
        return
    if "all" in found.parts:
        rows = int((found.part == list(found.parts).index("all")).sum())
        message = f"{rows:,} rows are of no part, while others are: training does nothing with them."
        yield Problem("rows-without-part", "warning", "all", message, "Give them a part, or none any.")
    told = "Give some rows the part {} (mode or split in a table), or none any part."
    if "train" not in found.parts:
        yield Problem("empty-split", "error", "train", "No row is in train.", told.format("train"))
    if "valid" not in found.parts:
        yield Problem(
            "empty-split",
            "warning",
            "valid",
            "No row is in valid: nothing tells when to stop, the last epoch is kept.",
            told.format("valid"),
        )
    if "test" not in found.parts:
        yield Problem("empty-split", "note", "test", "No row is in test: there is no final score.")


def _labels(found: Survey) -> Iterator[Problem]:
    known = np.isfinite(found.labels)
    for number, name in enumerate(found.parts):
        rows = found.part == number
        without = rows & ~known.any(axis=1)
        if without.sum() == rows.sum():
            severity = "error" if name in ("train", "all") else "warning"
            told = "Look at the column of labels."
            yield Problem("no-labels", severity, name, "No row has a label.", told)
        elif without.any():
            message = f"{without.sum():,} of {_count(rows)} without a label: {_rows(found, without)}."
            yield Problem("rows-without-label", "note", name, message)
        y = found.label("multimodal")[rows]
        y = y[np.isfinite(y)]
        if len(y) > 1 and np.ptp(y) == 0:
            told = "A correlation is undefined, and nothing can be learned from it."
            yield Problem("constant-label", "warning", name, f"All {len(y):,} labels are {y[0]:g}.", told)


def _range(found: Survey, scale: tuple[float, float] | None) -> Iterator[Problem]:
    known = found.labels[np.isfinite(found.labels)]
    if not len(known):
        return
    severity = "error" if scale else "warning"
    low, high = scale or ((-1.0, 1.0) if np.abs(known).max() <= 1 else (-3.0, 3.0))
    for number, head in enumerate(HEADS):
        y = found.labels[:, number]
        outside = np.isfinite(y) & ((y < low) | (y > high))
        if outside.any():
            message = (
                f"{outside.sum():,} labels ({np.nanmin(y):g} to {np.nanmax(y):g}) are beyond "
                f"{low:g} to {high:g}: {_rows(found, outside)}."
            )
            told = "Mend these labels, or set data.scale to what the data has."
            yield Problem("label-out-of-range", severity, f"{head} label", message, told)
    if len(known) >= 20 and np.ptp(known) < (high - low) / 2:
        message = (
            f"They lie in {known.min():.3g} to {known.max():.3g}, less than half of {low:g} to {high:g}."
        )
        told = "Is it another scale, or a mean of several labels? Set data.scale to what the data has."
        yield Problem("label-range-narrow", "warning", "labels", message, told)


def _ids(found: Survey) -> Iterator[Problem]:
    _, inverse, counts = np.unique(
        np.array(found.ids, dtype=object).astype(str), return_inverse=True, return_counts=True
    )
    twice = counts[inverse] > 1
    if not twice.any():
        return
    where = ", ".join(found.parts[number] for number in np.unique(found.part[twice]))
    message = f"{_count(twice)} with the id of another: {_rows(found, twice)}."
    yield Problem("duplicate-id", "warning", where, message, "Give every row an id of its own.")


def _groups(found: Survey) -> Iterator[Problem]:
    names, numbers = np.unique(np.array(found.groups, str), return_inverse=True)
    for one, other in _pairs(found):
        both = np.intersect1d(numbers[found.part == one], numbers[found.part == other])
        if not len(both):
            continue
        yield Problem(
            "group-in-two-splits",
            "warning",
            f"{found.parts[one]}, {found.parts[other]}",
            f"In both: {_named(list(names[both]))} ({len(both):,} in all).",
            "Scores are too good then: the speaker is known. Move all rows of one to one part.",
        )


def _shared(found: Survey) -> Iterator[Problem]:
    """Content that lies in two parts: what is learned by heart is then scored."""
    for modality in MODALITIES:
        marks = (
            np.where(found.long_text, found.content["text"], 0)
            if modality == "text"
            else found.content[modality]
        )
        for one, other in _pairs(found):
            here, there = marks[found.part == one], marks[found.part == other]
            both = np.intersect1d(here[here > 0], there[there > 0])
            if not len(both):
                continue
            rows = (found.part == other) & np.isin(marks, both)
            few = modality == "text" and rows.sum() <= FEW_ROWS * (found.part == other).sum()
            yield Problem(
                "text-in-two-splits" if modality == "text" else "features-in-two-splits",
                "warning" if few else "error",
                f"{found.parts[one]}, {found.parts[other]}",
                f"The {_what(found, modality)} of {_count(rows)} of {found.parts[other]} "
                f"are also in {found.parts[one]}: {_rows(found, rows)}.",
                "Leave the copies out of one: as it is, the score tells what was learned by heart.",
            )


def _repeated(found: Survey) -> Iterator[Problem]:
    """Content that comes twice in one part."""
    for number, name in enumerate(found.parts):
        rows = found.part == number
        for modality in MODALITIES[1:]:
            if (twice := _twice(found.content[modality], rows)).any():
                what, told = _what(found, modality), "Copies count several times: leave out all but one."
                message = f"{_count(twice)} with the same {what} as another: {_rows(found, twice)}."
                yield Problem("duplicate-features", "warning", name, message, told)
        y = np.nan_to_num(found.label("multimodal"), nan=1e9).view(np.uint64)
        texts = found.content["text"]
        marks = np.where((texts > 0) & found.long_text, texts ^ (y * np.uint64(3)), 0)
        if (twice := _twice(marks, rows)).any():
            message = f"{_count(twice)} with the text and the label of another: {_rows(found, twice)}."
            yield Problem("duplicate-text", "note", name, message)


def _twice(marks: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(N,) bool: those of these rows whose mark came before. 0 is no mark."""
    here = np.flatnonzero(rows & (marks > 0))
    _, first = np.unique(marks[here], return_index=True)
    again = np.setdiff1d(here, here[first])
    which = np.zeros(len(marks), bool)
    which[again] = True
    return which


def _modalities(found: Survey) -> Iterator[Problem]:
    for modality in MODALITIES:
        if not found.looked_at and modality != "text":
            continue
        has = found.has(modality)
        if not has.any():
            yield Problem("no-modality", "note", SEEN[modality], "No row has it: a model knows none then.")
            continue
        for number, name in enumerate(found.parts):
            rows = found.part == number
            lacking = rows & ~has
            if lacking.sum() == rows.sum():
                told = f"It is there in other parts: look at the {SEEN[modality]} features of {name}."
                message = f"No row of {name} has it."
                yield Problem("modality-missing-in-split", "warning", SEEN[modality], message, told)
            elif lacking.any():
                count = f"{lacking.sum():,} of {_count(rows)}"
                message = f"{name}: {count} without it: {_rows(found, lacking)}."
                yield Problem("rows-without-modality", "note", SEEN[modality], message)


def _constant(found: Survey) -> Iterator[Problem]:
    for modality in found.low:
        same = found.low[modality] == found.high[modality]
        if same.all():
            told = "It tells nothing: leave it out (data.modalities), or mend the file."
            message = f"All {len(same)} features have one value throughout."
            yield Problem("constant-modality", "warning", SEEN[modality], message, told)
        elif same.any():
            message = f"{same.sum()} of {len(same)} features never change."
            yield Problem("constant-features", "note", SEEN[modality], message)


def _pairs(found: Survey) -> Iterator[tuple[int, int]]:
    count = len(found.parts)
    return ((one, other) for one in range(count) for other in range(one + 1, count))


def _count(rows: np.ndarray) -> str:
    count = int(rows.sum())
    return f"{count:,} row{'' if count == 1 else 's'}"


def _rows(found: Survey, rows: np.ndarray) -> str:
    return _named([found.ids[row] for row in np.flatnonzero(rows)])
