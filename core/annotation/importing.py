"""Bring clips, transcripts and labels into a project; find files again that have moved.

Labels become ratings of a rater named after their file, so that blind raters do not see them and agreement
can be measured against them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.annotation import columns, effects, incoming
from core.annotation.incoming import SUFFIXES, Incoming
from core.annotation.schema import acts, clips, events, ratings
from core.annotation.store import Rater, Store
from core.data.label_folder import told
from core.errors import DataError
from core.types import Head

CHUNK = 2_000
"""Clips of one transaction: others get their turn in between."""
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did. missing: clips whose file is not there, and its path; they are in the list."""

    added: int
    known: int
    labels: int
    missing: Sequence[tuple[str, str]]
    rater: str | None
    """Whose ratings the labels are."""


def bring_in(store: Store, path: Path, on_progress: Progress | None = None) -> Report:
    """Import what lies at a path (`core.annotation.incoming`). Clips that are known by name stay as they are.

    The first import into a project whose media folder does not exist makes its own folder the media root.
    Raises DataError that names everything that is wrong, before anything is stored; StoreError.
    """
    root = root_for(store, path)
    rows = incoming.read(path, root)
    if wrong := incoming.off_scale(rows, store.project.scale):
        low, high = store.project.scale
        raise DataError(
            f"{path}: labels lie off the project's scale from {low:g} to {high:g}: {told(wrong)}",
            "Make a project with the scale of these labels.",
        )
    take_root(store, root)
    return add(store, rows, path.name, on_progress)


def root_for(store: Store, path: Path) -> Path:
    """The media root for an import: the project's; its own, where that is not there and no clips are."""
    if store.media.is_dir() or store.count():
        return store.media
    return incoming.media_of(path).resolve()


def take_root(store: Store, root: Path) -> None:
    """Make this the project's media root, if it is not."""
    if root != store.media:
        store.keep(store.project.model_copy(update={"media": str(root)}))


def add(store: Store, rows: Sequence[Incoming], source: str, on_progress: Progress | None = None) -> Report:
    """Add clips and their labels. source: names the rater whose ratings the labels become."""
    progress = on_progress or (lambda step, share: None)
    before = store.count()
    labelled = any(row.labels for row in rows)
    rater = store.rater(f"labels of {source}", create=True, kind="import") if labelled else None
    count = 0
    for begin in range(0, len(rows), CHUNK):
        progress("adding clips", begin / len(rows))
        chunk = rows[begin : begin + CHUNK]
        ids = store.add([row.clip for row in chunk])
        if rater is not None:
            count += sum(_labels(store, rater, ids, chunk, head) for head in store.project.passes)
    missing = [(row.clip.name, row.clip.path or "") for row in rows if row.clip.missing]
    added = store.count() - before
    return Report(added, len(rows) - added, count, missing, rater.name if rater else None)


def _labels(store: Store, rater: Rater, ids: Sequence[int], rows: Sequence[Incoming], head: Head) -> int:
    """Store the labels of one modality but those that are stored already; returns their number."""
    given = {clip: row.labels[head] for clip, row in zip(ids, rows, strict=True) if head in row.labels}
    if not given:
        return 0
    with store.database.write() as connection:
        same = sa.and_(
            ratings.c.rater_id == rater.id, ratings.c.modality == head, ratings.c.clip_id.in_(given)
        )
        known = {row.clip_id: row.value for row in connection.execute(sa.select(ratings).where(same))}
        fresh = {clip: value for clip, value in given.items() if known.get(clip) != value}
        for clip in fresh.keys() & known.keys():
            _replace(connection, rater, clip, head)
        _insert(connection, rater, fresh, head)
    return len(fresh)


def _replace(connection: Connection, rater: Rater, clip: int, head: Head) -> None:
    """Make room for another label of a clip; the earlier one stays in the history."""
    key = (ratings.c.clip_id == clip, ratings.c.modality == head, ratings.c.rater_id == rater.id)
    connection.execute(ratings.delete().where(*key))


def _insert(connection: Connection, rater: Rater, fresh: dict[int, float], head: Head) -> None:
    if not fresh:
        return
    now = time.time()
    rows = [
        {
            "token": str(uuid4()),
            "at": now,
            "rater_id": rater.id,
            "clip_id": clip,
            "modality": head,
            "kind": "rate",
            "value": value,
        }
        for clip, value in fresh.items()
    ]
    connection.execute(events.insert(), rows)
    chosen = sa.select(events.c.id, events.c.clip_id).where(
        events.c.token.in_([row["token"] for row in rows])
    )
    event_of = {clip: event for event, clip in connection.execute(chosen)}
    shared = {"rater_id": rater.id, "slot": f"rating:{head}", "status": "done"}
    connection.execute(acts.insert(), [shared | {"event_id": event_of[c], "clip_id": c} for c in fresh])
    shared = {"rater_id": rater.id, "modality": head, "at": now}
    connection.execute(
        ratings.insert(),
        [shared | {"clip_id": c, "value": value, "event_id": event_of[c]} for c, value in fresh.items()],
    )
    ids = np.array(list(fresh))
    columns.put_many(connection, "rating", head, rater.id, ids, np.array(list(fresh.values())))
    effects.summarise(connection, [int(clip) for clip in ids], head)


def missing(store: Store) -> list[tuple[int, str, str]]:
    """Clips whose file was not there when it was last looked for: id, name, path."""
    with store.database.read() as connection:
        chosen = sa.select(clips.c.id, clips.c.name, clips.c.path).where(clips.c.missing).order_by(clips.c.id)
        return [(row.id, row.name, row.path) for row in connection.execute(chosen)]


@dataclass(frozen=True, slots=True)
class Relinked:
    """found: clips whose file is there now; doubtful: paths that several files fit; missing: what is left."""

    found: int
    doubtful: Sequence[str]
    missing: Sequence[tuple[str, str]]


def relink(store: Store, folder: Path | None = None, *, media: Path | None = None) -> Relinked:
    """Look for the files of all clips again.

    media: a new media root, kept in the project. folder: below the root, searched for files of the same
    name; of several, the one whose folders fit best. Raises DataError for a folder outside the root;
    StoreError.
    """
    if media is not None:
        store.keep(store.project.model_copy(update={"media": str(media.resolve())}))
    found = _looked(store, {})
    moved, doubtful = _moved(store, folder) if folder else ({}, [])
    found += _looked(store, moved) if moved else 0
    return Relinked(found, doubtful, [(name, path) for _, name, path in missing(store)])


def _looked(store: Store, moved: dict[str, str]) -> int:
    """See which files are there, under new paths where they have some; how many clips got their file back."""
    chosen = sa.select(clips.c.id, clips.c.path, clips.c.missing).where(clips.c.path.is_not(None))
    with store.database.read() as connection:
        rows = connection.execute(chosen).all()
    changed, found = [], 0
    for clip, path, was in rows:
        now = moved.get(path, path)
        gone = not (store.media / now).is_file()
        if gone != bool(was) or now != path:
            changed.append((clip, now, gone))
        found += was and not gone
    _set_paths(store, changed)
    return found


def _moved(store: Store, folder: Path) -> tuple[dict[str, str], list[str]]:
    """New paths of missing files by their old ones, and those that several files fit equally."""
    there: dict[str, list[str]] = {}
    for base, _, names in os.walk(folder):
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES:
                there.setdefault(name, []).append(incoming.below(store.media, Path(base) / name))
    moved, doubtful = {}, []
    for path in {path for _, _, path in missing(store)}:
        fits = sorted(((_tail(path, other), other) for other in there.get(Path(path).name, ())), reverse=True)
        if len(fits) > 1 and fits[0][0] == fits[1][0]:
            doubtful.append(path)
        elif fits:
            moved[path] = fits[0][1]
    return moved, sorted(doubtful)


def _tail(path: str, other: str) -> int:
    """How many names two paths have in common, counted from their ends."""
    pairs = zip(reversed(path.split("/")), reversed(other.split("/")), strict=False)
    same = [a == b for a, b in pairs]
    return same.index(False) if False in same else len(same)


def _set_paths(store: Store, changed: Sequence[tuple[int, str, bool]]) -> None:
    for begin in range(0, len(changed), CHUNK):
        chunk = changed[begin : begin + CHUNK]
        with store.database.write() as connection:
            for clip, path, gone in chunk:
                connection.execute(clips.update().where(clips.c.id == clip).values(path=path, missing=gone))
            ids = np.array([clip for clip, _, _ in chunk])
            values = np.array([1.0 if gone else np.nan for _, _, gone in chunk])
            columns.put_many(connection, "missing", "", 0, ids, values)
