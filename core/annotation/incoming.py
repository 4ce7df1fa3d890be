"""Clips and labels as they come from outside: folders of clips, label folders, feature files, tables.

Nothing of it is believed: a path that leads out of the media root, or a label off the scale, refuses the
whole import with a list of all that is wrong. A file that is not there is kept in the list, to be found
later.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.annotation.store import NewClip
from core.data.label_folder import LABELS, MEDIA, MODES, TABLE, inside, number, table, told
from core.data.safe_pickle import load
from core.errors import DataError
from core.types import Head

VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".3gp")
SOUNDS = (".wav", ".mp3", ".m4a", ".flac", ".ogg", ".opus", ".aac")
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
SUFFIXES = frozenset((*VIDEOS, *SOUNDS, *PICTURES))
LABEL_COLUMNS: dict[str, Head] = {
    "y": "multimodal",
    "y_M": "multimodal",
    "y_T": "text",
    "y_A": "audio",
    "y_V": "visual",
    **LABELS,
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A clip and the labels that came with it."""

    clip: NewClip
    labels: Mapping[Head, float] = field(default_factory=dict)


def read(path: Path, root: Path) -> list[Incoming]:
    """What there is at a path, for a project with this media root. Raises DataError with every problem."""
    if not path.exists():
        raise DataError(f"{path} is not there.", "Name a folder of clips, a label folder, a .pkl or a CSV.")
    if path.is_dir():
        rows = list(_labelled(path, root) if (path / TABLE).is_file() else _files(path, root))
        if not rows:
            raise DataError(f"{path} holds no clips.", f"Clips are files such as {', '.join(VIDEOS[:4])}.")
        return rows
    if path.suffix.lower() in (".pkl", ".pickle", ".p"):
        return list(_features(path, root))
    if path.suffix.lower() in (".csv", ".txt"):
        return list(_table(path, root))
    if path.suffix.lower() in SUFFIXES:
        return [_file(path, root)]
    raise DataError(f"{path}: files of the kind {path.suffix} are not read.", "Clips, .csv and .pkl are.")


def below(root: Path, path: Path) -> str:
    """The path of a file as a project keeps it; DataError where it does not lie below the media root."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise DataError(
            f"{path} does not lie in the project's media root, {root}.",
            "Move it there, or set `media` in project.toml to a folder that holds all of its clips.",
        ) from error


def media_of(path: Path) -> Path:
    """The folder that an import's files lie in: what becomes the media root of a project without clips."""
    return path if path.is_dir() else path.parent


def _files(folder: Path, root: Path) -> Iterator[Incoming]:
    files = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    seen: set[str] = set()
    for path in sorted(files, key=lambda path: _natural(path.relative_to(folder).as_posix())):
        row = _file(path, root)
        if row.clip.name in seen:  # a.mp4 and a.wav
            row = Incoming(NewClip(f"{row.clip.name}{path.suffix}", row.clip.path))
        seen.add(row.clip.name)
        yield row


def _file(path: Path, root: Path) -> Incoming:
    relative = below(root, path)
    return Incoming(NewClip(relative.rpartition(".")[0] or relative, relative))


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts clip 2 before clip 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _labelled(folder: Path, root: Path) -> Iterator[Incoming]:
    def row(cells: dict[str, str], _line: int) -> Incoming:
        video, clip = cells["video_id"].strip(), cells["clip_id"].strip()
        if not video or not clip:
            raise ValueError("no video_id or no clip_id")
        file = inside(folder / MEDIA, video, f"{clip}.mp4")
        return _with_file(f"{video}/{clip}", below(root, file), root, cells)

    yield from _rows(folder / TABLE, ("video_id", "clip_id", "text"), row)


def _table(path: Path, root: Path) -> Iterator[Incoming]:
    """A table of texts and scores; a column `file` or `path` names clips below the media root.

    Where none does, they are looked for as `Raw/<video_id>/<clip_id>.mp4`; else they are texts alone.
    """

    def row(cells: dict[str, str], line: int) -> Incoming:
        name = _name(cells, line)
        if given := (cells.get("file") or cells.get("path") or "").strip():
            inside(root, given)
            return _with_file(name, Path(given).as_posix(), root, cells)
        return _with_file(name, _beside(name, root), root, cells)

    yield from _rows(path, (), row)


def _name(cells: Mapping[str, str], line: int) -> str:
    video, clip = (cells.get("video_id") or "").strip(), (cells.get("clip_id") or "").strip()
    if video and clip:
        return f"{video}/{clip}"
    return (cells.get("uid") or cells.get("id") or cells.get("name") or "").strip() or f"row/{line}"


def _rows(
    path: Path, required: tuple[str, ...], row: Callable[[dict[str, str], int], Incoming]
) -> Iterator[Incoming]:
    """Rows of a table; once one is wrong no more come, but all are looked at before that is raised."""
    problems: list[str] = []
    seen: set[str] = set()
    for line, cells in enumerate(table(path, required), 2):
        try:
            made = row(cells, line)
            if made.clip.name in seen:
                raise ValueError(f"{made.clip.name} is there twice")
        except (ValueError, DataError) as error:
            problems.append(f"line {line}: {error}")
            continue
        seen.add(made.clip.name)
        if not problems:
            yield made
    if problems:
        raise DataError(f"{path}: {told(problems)}", "Correct the table and import it again.")


def _with_file(name: str, file: str | None, root: Path, cells: Mapping[str, str]) -> Incoming:
    part = (cells.get("mode") or cells.get("split") or "").strip().lower()
    if part and part not in MODES:
        raise ValueError(f"part “{part}” is none of train, valid, test")
    labels = {head: number(cells[column]) for column, head in LABEL_COLUMNS.items() if column in cells}
    missing = file is not None and not (root / file).is_file()
    span = [_seconds(cells.get(column)) for column in ("start", "end")]
    clip = NewClip(name, file, cells.get("text") or "", *span, MODES.get(part, "all"), missing)
    return Incoming(clip, {head: value for head, value in labels.items() if not math.isnan(value)})


def _seconds(text: str | None) -> float | None:
    value = number(text or "")
    return None if math.isnan(value) else value


def _beside(name: str, root: Path) -> str | None:
    """The file of a clip that is only named; None where there are no media at all."""
    if not (root / MEDIA).is_dir():
        return None
    inside(root / MEDIA, f"{name}.mp4")
    return f"{MEDIA}/{name}.mp4"


def _features(path: Path, root: Path) -> Iterator[Incoming]:
    """Transcripts and labels of a feature file in MMSA's layout; the features themselves are left alone."""
    tree = load(path)
    parts = {MODES[k]: v for k, v in tree.items() if k in MODES} if isinstance(tree, dict) else {}
    problems: list[str] = []
    for part, columns in parts.items():
        try:
            yield from _part(part, columns, root)
        except ValueError as error:
            problems.append(f"{part}: {error}")
    if not parts:
        problems.append("no parts train, valid, test in it")
    if problems:
        raise DataError(f"{path}: {told(problems)}")


_STORED: dict[Head, str] = {
    "multimodal": "regression_labels",
    "text": "regression_labels_T",
    "audio": "regression_labels_A",
    "visual": "regression_labels_V",
}


def _part(part: str, columns: Any, root: Path) -> Iterator[Incoming]:
    if not isinstance(columns, dict) or "id" not in columns:
        raise ValueError("no ids: its rows cannot be told apart")
    ids = [str(_first(item)) for item in columns["id"]]
    texts = columns.get("raw_text")
    labels = {head: _numbers(columns[key]) for head, key in _STORED.items() if key in columns}
    for what, column in {"raw_text": texts, **labels}.items():
        if column is not None and len(column) != len(ids):
            raise ValueError(f"{what} has {len(column)} rows for {len(ids)} ids")
    for row, identity in enumerate(ids):
        name = clip_name(identity)
        file = _beside(name, root)
        missing = file is not None and not (root / file).is_file()
        text = "" if texts is None else _decoded(texts[row])
        known = {head: float(y[row]) for head, y in labels.items() if math.isfinite(y[row])}
        yield Incoming(NewClip(name, file, text, part=part, missing=missing), known)


def clip_name(identity: str) -> str:
    """`video/clip` of an id such as `video$_$clip`, `video[clip]` or `video_clip`."""
    if "$_$" in identity:
        return identity.replace("$_$", "/", 1)
    found = re.fullmatch(r"(.+?)(?:\[(\d+)\]|_(\d+))", identity)
    return f"{found[1]}/{found[2] or found[3]}" if found else identity


def _numbers(column: Any) -> np.ndarray:
    values = np.asarray(column, dtype=np.float64)
    return values.reshape(len(values), -1)[:, 0] if values.ndim > 1 else values


def _first(item: Any) -> Any:
    """An id that is a list of its parts in some files."""
    if isinstance(item, (list, tuple, np.ndarray)):
        return "_".join(_decoded(part) for part in np.ravel(np.asarray(item, dtype=object)))
    return _decoded(item)


def _decoded(item: Any) -> str:
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def off_scale(rows: list[Incoming], scale: tuple[float, float]) -> list[str]:
    """Labels that do not lie on the scale, in words."""
    low, high = scale
    return [
        f"{row.clip.name}: {head} {value:g}"
        for row in rows
        for head, value in row.labels.items()
        if not low <= value <= high
    ]
