"""Make all that follows from the history again, from the history.

Every act writes what follows from it in its own transaction, so the two always agree; this holds the program
to that, and mends a store in which somebody else has written.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.annotation import columns, effects
from core.annotation.estimates import SEEN
from core.annotation.schema import (
    acts,
    assignments,
    clips,
    column_blocks,
    estimates,
    events,
    flags,
    notes,
    ratings,
    settled,
    text_blocks,
)
from core.annotation.store import GONE, Store, last_clip

_DERIVED = (acts, ratings, flags, notes, settled)


def differences(store: Store) -> list[str]:
    """Which tables do not say what the history says; none in a sound store. Raises StoreError.

    Changes nothing, but keeps others from writing meanwhile.
    """
    with store.database.write() as connection:
        before = _snapshot(connection)
        inner = connection.begin_nested()
        _again(connection)
        after = _snapshot(connection)
        inner.rollback()
    return [name for name in before if before[name] != after[name]]


def rebuild(store: Store) -> None:
    """Write all that follows from the history anew. Raises StoreError."""
    with store.database.write() as connection:
        _again(connection)


def _again(connection: Connection) -> None:
    for table in (*_DERIVED, text_blocks):
        connection.execute(table.delete())
    connection.execute(
        column_blocks.delete().where(column_blocks.c.kind != SEEN)
    )  # follows from nothing else
    start = {"text": clips.c.imported_text, "start": clips.c.imported_start, "end": clips.c.imported_end}
    connection.execute(clips.update().values(start))
    rows = connection.execute(sa.select(clips.c.id, clips.c.name, clips.c.text)).all()
    columns.put_texts(
        connection, [(row.id, "" if row.name.startswith(GONE) else row.name, row.text) for row in rows]
    )
    for slot, clip, rater in _replayed(connection):
        effects.apply(connection, slot, clip, rater)
    _other_columns(connection)


def _replayed(connection: Connection) -> list[tuple[str, int, int]]:
    """Fill `acts` from the history; the slots that it sets, by clip and rater."""
    status: dict[int, str] = {}
    rows: dict[int, dict[str, object]] = {}
    undone: dict[int, set[int]] = {}
    for event in connection.execute(sa.select(events).order_by(events.c.id)):
        if event.kind in ("undo", "redo"):
            status[event.target] = "undone" if event.kind == "undo" else "done"
            waiting = undone.setdefault(event.rater_id, set())
            (waiting.add if event.kind == "undo" else waiting.discard)(event.target)
        elif event.clip_id is not None:
            status |= dict.fromkeys(undone.pop(event.rater_id, ()), "dropped")
            status[event.id] = "done"
            rows[event.id] = {
                "event_id": event.id,
                "rater_id": event.rater_id,
                "clip_id": event.clip_id,
                "slot": effects.slot_of(event.kind, event.modality),
            }
    if rows:
        connection.execute(acts.insert(), [row | {"status": status[event]} for event, row in rows.items()])
    found = sa.select(acts.c.slot, acts.c.clip_id, acts.c.rater_id).distinct().order_by(acts.c.clip_id)
    return [(row.slot, row.clip_id, row.rater_id) for row in connection.execute(found)]


def _other_columns(connection: Connection) -> None:
    """The columns that do not follow from acts."""
    for rater, clip in connection.execute(sa.select(assignments.c.rater_id, assignments.c.clip_id)):
        columns.put(connection, "assigned", "", rater, clip, 1.0)
    gone = np.array(list(connection.scalars(sa.select(clips.c.id).where(clips.c.missing))), dtype=np.int64)
    columns.put_many(connection, "missing", "", 0, gone, np.ones(len(gone)))
    deleted = sa.select(clips.c.id).where(clips.c.name.startswith(GONE, autoescape=True))
    ids = np.array(list(connection.scalars(deleted)), dtype=np.int64)
    columns.put_many(connection, "gone", "", 0, ids, np.ones(len(ids)))
    for row in connection.execute(sa.select(estimates)):
        width = np.nan if row.low is None or row.high is None else row.high - row.low
        columns.put(connection, "estimate", row.modality, 0, row.clip_id, row.value)
        columns.put(connection, "doubt", row.modality, 0, row.clip_id, width)


def _snapshot(connection: Connection) -> dict[str, object]:
    """What the derived tables say; columns without those that hold nothing."""
    found: dict[str, object] = {
        table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in (*_DERIVED, clips)
    }
    found[text_blocks.name] = sorted(
        (b, bytes(n), bytes(t)) for b, n, t in connection.execute(sa.select(text_blocks))
    )
    found[column_blocks.name] = sorted(_values(connection))
    return found


def _values(connection: Connection) -> Iterator[tuple[str, str, int, int, float]]:
    size = last_clip(connection) + 1
    names = sa.select(column_blocks.c.kind, column_blocks.c.modality, column_blocks.c.owner).distinct()
    for kind, modality, owner in connection.execute(names).all():
        values = columns.column(connection, kind, modality, owner, size)
        for clip in np.flatnonzero(~np.isnan(values)):
            yield kind, modality, owner, int(clip), float(values[clip])
