"""A project's ratings for other programs: tables, JSON, and a label folder that training opens.

`core.annotation.elan` writes the files of ELAN.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.annotation import spreadsheet
from core.annotation.consensus import Judged, judged
from core.annotation.project import Consensus
from core.annotation.store import Store
from core.data.label_folder import LABELS, MEDIA, TABLE
from core.errors import DataError, UserError
from core.files import write_whole
from core.types import Head

_COLUMN: dict[Head, str] = {head: column for column, head in LABELS.items()}


@dataclass(slots=True)
class Exported:
    """What an export wrote. left_out: clips that are not in it, and why."""

    files: list[Path] = field(default_factory=list)
    clips: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


def to_csv(
    store: Store, path: Path, rule: Consensus | None = None, only: Sequence[str] | None = None
) -> Exported:
    """One row a clip: what it is, its labels, how many rated it, each rater's value. Raises StoreError."""
    rows = list(judged(store, rule, only))
    columns = _rater_columns(rows)
    passes = store.project.passes
    header = ["clip", "video", "file", "start", "end", "part", "text"]
    header += [_COLUMN[head] for head in passes] + [f"raters {head}" for head in passes]
    header += [f"{head}: {rater}" for head, rater in columns] + ["flagged by", "notes"]
    written(path, spreadsheet.table(header, (_cells(row, passes, columns) for row in rows)))
    return Exported([path], len(rows))


def _rater_columns(rows: Iterable[Judged]) -> list[tuple[Head, str]]:
    found = {(head, rater) for row in rows for head, given in row.ratings.items() for rater in given}
    return sorted(found)


def _cells(row: Judged, passes: Sequence[Head], columns: Sequence[tuple[Head, str]]) -> list[Any]:
    cells: list[Any] = [row.name, row.video, row.path, row.start, row.end, row.part, row.text]
    cells += [row.labels.get(head) for head in passes]
    cells += [sum(v is not None for v in row.ratings.get(head, {}).values()) for head in passes]
    for head, rater in columns:
        given = row.ratings.get(head, {})
        cells.append("cannot judge" if rater in given and given[rater] is None else given.get(rater))
    notes = "; ".join(f"{rater}: {text}" for rater, text in row.notes.items())
    return [*cells, ", ".join(row.flagged), notes]


def to_json(
    store: Store, path: Path, rule: Consensus | None = None, only: Sequence[str] | None = None
) -> Exported:
    """The project's settings and every clip with its ratings, labels, flags and notes. Raises StoreError."""
    settings = store.project.model_dump(mode="json", exclude={"store", "media"})
    rows = [_object(row) for row in judged(store, rule, only)]
    told = {"version": 1, "project": settings, "rule": rule or store.project.consensus, "clips": rows}
    written(path, json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    return Exported([path], len(rows))


def _object(row: Judged) -> dict[str, Any]:
    return {
        "clip": row.name,
        "video": row.video,
        "file": row.path,
        "start": row.start,
        "end": row.end,
        "part": row.part,
        "text": row.text,
        "labels": row.labels,
        "ratings": row.ratings,
        "flagged": row.flagged,
        "notes": row.notes,
    }


def to_label_folder(
    store: Store, folder: Path, rule: Consensus | None = None, only: Sequence[str] | None = None
) -> Exported:
    """`label.csv` beside `Raw/<video>/<clip>.mp4`, which training opens. Raises DataError, StoreError.

    A label is that of the rule; clips without a multimodal one are left out, as are those without a file.
    Whole MP4 files are copied; parts of files and other formats are cut out and converted. A text that a
    spreadsheet would take for a formula gets a space before it, which no tokeniser sees.
    """
    from core.annotation.clip_files import place

    done, rows = Exported([folder / TABLE]), []
    for clip in judged(store, rule, only):
        if why := _unfit(clip, store):
            done.left_out.append((clip.name, why))
            continue
        video, name = _two(clip)
        try:
            file = place(store.media / (clip.path or ""), clip.start, clip.end, folder / MEDIA, video, name)
        except UserError as error:
            done.left_out.append((clip.name, error.message))
            continue
        done.files.append(file)
        labels = [clip.labels.get(head) for head in _COLUMN]
        part = "" if clip.part == "all" else clip.part
        rows.append([video, name, spaced(clip.text), *labels, "", part])
    header = ["video_id", "clip_id", "text", *_COLUMN.values(), "annotation", "mode"]
    written(folder / TABLE, spreadsheet.table(header, rows))
    done.clips = len(rows)
    return done


def spaced(text: str) -> str:
    """Text that starts no formula: with a space before it where it would."""
    return f" {text}" if spreadsheet.harmless(text) != text else text


def _unfit(clip: Judged, store: Store) -> str:
    """Why a clip cannot be in a label folder, "" where it can."""
    if "multimodal" not in clip.labels:
        return "it has no multimodal label"
    if clip.path is None:
        return "it has no recording"
    return "" if (store.media / clip.path).is_file() else f"{clip.path} is not there"


def _two(clip: Judged) -> tuple[str, str]:
    """Video and clip as names of a folder and a file: other folders in a name become part of the video's."""
    video, _, name = clip.name.rpartition("/")
    return (video or name).replace("/", "_"), name


def written(path: Path, text: str) -> None:
    """Write an exported file, whole or not at all. Raises DataError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}", "Name another place.") from error
