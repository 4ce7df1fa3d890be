"""A label folder: `label.csv` beside `Raw/<video_id>/<clip_id>.mp4`, as CH-SIMS and MMSA lay videos out.

Columns `video_id, clip_id, text, label`, and where there are any `label_T, label_A, label_V, mode`.
The table comes from outside: ids never lead out of the folder, and every problem is told at once.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import DataError
from core.types import Head

TABLE = "label.csv"
MEDIA = "Raw"
MODES = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "test": "test"}
LABELS: dict[str, Head] = {
    "label": "multimodal",
    "label_T": "text",
    "label_A": "audio",
    "label_V": "visual",
}
SHOWN = 10
"""Problems told in full; of more there is only the number."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One clip: its file, what is said in it, its labels by head, "train", "valid", "test" or "all"."""

    id: str
    group: str
    file: Path
    text: str
    labels: dict[Head, float]
    mode: str


def read(folder: str | Path, on_absent: Callable[[str], None] | None = None) -> list[LabelRow]:
    """Rows of the folder's table in its order. Raises DataError that lists what is wrong with it.

    on_absent: told of each clip that is not there, whose row is left out then; without it that is a problem,
    and so it is if no clip is there at all.
    """
    folder = Path(folder)
    if not (folder / TABLE).is_file():
        tables = ", ".join(sorted(path.name for path in folder.glob("*.csv"))[:SHOWN]) or "no table at all"
        raise DataError(
            f"{folder} is no label folder: it has no {TABLE}, but {tables}",
            f"Name one of its tables, or say in data.sources of the settings what they hold; a label folder "
            f"has {TABLE} beside {MEDIA}/.",
        )
    rows: list[LabelRow] = []
    problems: list[str] = []
    absent: list[str] = []
    for number, columns in enumerate(table(folder / TABLE, ("video_id", "clip_id", "text", "label")), 2):
        try:
            rows.append(_row(folder, columns))
        except FileNotFoundError as error:
            absent.append(f"line {number}: {error}")
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if on_absent is None or not rows:
        problems += absent
    else:
        for told_of in absent:
            on_absent(f"{TABLE}, {told_of}")
    if problems:
        raise DataError(f"{folder / TABLE}: {told(problems)}", "Correct the table or add the missing clips.")
    return rows


def table(path: Path, required: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Rows of a CSV file as text by column. Raises DataError where it cannot be read or lacks a column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            lacking = [name for name in required if name not in (reader.fieldnames or ())]
            if lacking:
                raise DataError(f"{path}: no column {', '.join(lacking)}")
            yield from reader
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def inside(root: Path, *parts: str) -> Path:
    """The path of `parts` under `root`; ValueError where it would lead out of it, also through a link."""
    path = root.joinpath(*parts)
    if not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"“{'/'.join(parts)}” leads out of {root}")
    return path


def number(text: str) -> float:
    """A label as written in a table, NaN for an empty cell; ValueError for anything else."""
    if not text.strip():
        return math.nan
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"“{text}” is no label")
    return value


def told(problems: list[str]) -> str:
    """Problems in one line, the first few in full."""
    more = len(problems) - SHOWN
    return "; ".join(problems[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _row(folder: Path, columns: dict[str, str]) -> LabelRow:
    video, clip = columns["video_id"].strip(), columns["clip_id"].strip()
    if not video or not clip:
        raise ValueError("no video_id or no clip_id")
    mode = (columns.get("mode") or "").strip().lower()
    if mode and mode not in MODES:
        raise ValueError(f"mode “{mode}” is none of train, valid, test")
    labels = {head: number(columns.get(name) or "") for name, head in LABELS.items()}
    return LabelRow(
        id=f"{video}/{clip}",
        group=video,
        file=_clip(folder, video, clip),
        text=columns["text"],
        labels={head: value for head, value in labels.items() if not math.isnan(value)},
        mode=MODES.get(mode, "all"),
    )


def _clip(folder: Path, video: str, clip: str) -> Path:
    file = inside(folder / MEDIA, video, f"{clip}.mp4")
    if not file.is_file():
        raise FileNotFoundError(f"no file {MEDIA}/{video}/{clip}.mp4")
    return file
