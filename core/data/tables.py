"""Rows of tables: those of a run's sources, each with its columns named, and plain ones of texts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from core.data.label_folder import LABELS, MODES, inside, number, table, told
from core.errors import DataError
from core.training.data_settings import Source
from core.types import Head

SOURCE_LABELS: dict[str, Head] = {"label_text": "text", "label_audio": "audio", "label_visual": "visual"}

PLAIN_LABELS: dict[str, Head] = {
    "y": "multimodal",
    "y_M": "multimodal",
    "y_T": "text",
    "y_A": "audio",
    "y_V": "visual",
    **LABELS,
}
"""Columns of a plain table that are labels."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: `file` is None where it names no recording; `part` "" where the table says none."""

    id: str
    group: str
    text: str | None = None
    file: Path | None = None
    labels: dict[Head, float] = field(default_factory=dict)
    part: str = ""


def plain(path: Path) -> list[Row]:
    """Rows of a CSV of `text` and a score `y` (or `label`, or `y_M, y_T, y_A, y_V` as CH-SIMS has them).

    With `y` alone, the label is that of the words, which are all there is. Optional: `uid` or `id`,
    `video_id` or `group`, `mode` or `split`. Raises DataError that lists every problem.
    """
    rows, problems = [], []
    for line, cells in enumerate(table(path, ("text",)), 2):
        columns = {name: head for name, head in PLAIN_LABELS.items() if name in cells}
        if "multimodal" not in columns.values():
            raise DataError(
                f"{path}: no column y beside text; it has {', '.join(map(str, cells))}",
                "Name the score's column y, or say which columns hold what in data.sources of the settings.",
            )
        try:
            rows.append(_plain(cells, columns, line))
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    if problems:
        raise DataError(f"{path}: {told(problems)}")
    return rows


def _plain(cells: dict[str, str], columns: dict[str, Head], line: int) -> Row:
    labels = {head: number(cells[name]) for name, head in columns.items()}
    if list(columns.values()) == ["multimodal"]:
        labels["text"] = labels["multimodal"]
    identity = cells.get("uid") or cells.get("id") or str(line)
    mode = (cells.get("mode") or cells.get("split") or "").strip().lower()
    if mode and mode not in MODES:
        raise ValueError(f"part “{mode}” is none of train, valid, test")
    return Row(
        identity,
        cells.get("video_id") or cells.get("group") or identity,
        cells["text"],
        labels={head: value for head, value in labels.items() if not math.isnan(value)},
        part=MODES.get(mode, "all"),
    )


def of_source(source: Source, root: Path) -> list[Row]:
    """The rows a source lets in, in the table's order; a row without a label only where none is needed."""
    columns = source.columns
    named = [name for name in columns.model_dump().values() if name] + list(source.where)
    try:
        lines = list(table(inside(root, source.path), tuple(dict.fromkeys(named))))
    except ValueError as error:
        raise DataError(f"{source.path}: {error}") from error
    rows, problems = [], []
    for line, row in enumerate(lines, 2):
        if any(row[name] not in allowed for name, allowed in source.where.items()):
            continue
        try:
            made = _made(row, line, source, root)
        except ValueError as error:
            problems.append(f"line {line}: {error}")
            continue
        if made.labels or source.windows:
            rows.append(made)
        if source.limit and len(rows) == source.limit:
            break
    if problems:
        raise DataError(f"{source.path}: {told(problems)}")
    return rows


def _made(row: dict[str, str], line: int, source: Source, root: Path) -> Row:
    columns = source.columns
    identity = row[columns.id] if columns.id else f"{source.path}:{line}"
    file = inside(root, source.media_root, row[columns.file]) if columns.file else None
    if file is not None and not file.is_file():
        raise ValueError(f"no file {row[columns.file]}")
    return Row(
        id=identity,
        group=row[columns.group] if columns.group else identity,
        text=row[columns.text] if columns.text else None,
        file=file,
        labels=_labels(row, source),
    )


def _labels(row: dict[str, str], source: Source) -> dict[Head, float]:
    columns = source.columns
    labels: dict[Head, float] = {}
    if columns.label:
        labels = dict.fromkeys(source.heads, _value(row[columns.label], source))
    for name, head in SOURCE_LABELS.items():
        if column := getattr(columns, name):
            labels[head] = _value(row[column], source)
    return {head: value for head, value in labels.items() if not math.isnan(value)}


def _value(text: str, source: Source) -> float:
    """A score, or the place of a class on the scale; NaN for an empty cell and for an unplaced class."""
    return source.class_values.get(text, math.nan) if source.class_values else number(text)
