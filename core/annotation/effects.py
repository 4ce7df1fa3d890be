"""What follows from the acts in force: ratings, flags, notes, transcripts, spans, and their columns.

A slot is what an act sets (`rating:text`, `flag`, `note`, `text`, `span`, `settle:audio`): in force is the
latest act on it that is not undone, of this rater, or of anybody for what all share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.annotation import columns
from core.annotation.database import upsert
from core.annotation.schema import acts, clips, events, flags, notes, ratings, settled

NOTHING = float("nan")


_SLOTS = {"flag": "flag", "unflag": "flag", "note": "note", "correct": "text", "span": "span"}


def slot_of(kind: str, modality: str | None) -> str:
    """What an act of this kind sets."""
    if kind in ("rate", "cannot"):
        return f"rating:{modality}"
    return f"settle:{modality}" if kind == "settle" else _SLOTS[kind]


def in_force(connection: Connection, slot: str, clip: int, rater: int) -> Any:
    """The event in force, or None."""
    where = [acts.c.clip_id == clip, acts.c.slot == slot, acts.c.status == "done"]
    if not _shared(slot):
        where.append(acts.c.rater_id == rater)
    latest = sa.select(sa.func.max(acts.c.event_id)).where(*where).scalar_subquery()
    return connection.execute(sa.select(events).where(events.c.id == latest)).one_or_none()


def apply(connection: Connection, slot: str, clip: int, rater: int) -> None:
    """Make the tables say what is in force on this slot."""
    name, _, modality = slot.partition(":")
    if name == "rating":
        columns.lock(connection, "mean", modality, 0, clip)  # before ratings are read: the mean is of all
        _rating(connection, clip, rater, modality, in_force(connection, slot, clip, rater))
    elif name == "flag":
        columns.lock(connection, "flags", "", 0, clip)
        _flag(connection, clip, rater, in_force(connection, slot, clip, rater))
    elif name == "note":
        _note(connection, clip, rater, in_force(connection, slot, clip, rater))
    elif name == "span":
        _span(connection, clip, in_force(connection, slot, clip, rater))
    elif name == "text":
        _text(connection, clip, in_force(connection, slot, clip, rater))
    else:
        _settle(connection, clip, modality, in_force(connection, slot, clip, rater))


def summarise(connection: Connection, chosen: Sequence[int], modality: str) -> None:
    """Set the mean over raters, and their range where there are two or more, of these clips."""
    table, value = ratings, ratings.c.value
    found = connection.execute(
        sa.select(
            table.c.clip_id, sa.func.avg(value), sa.func.max(value) - sa.func.min(value), sa.func.count(value)
        )
        .where(table.c.clip_id.in_(chosen), table.c.modality == modality)
        .group_by(table.c.clip_id)
    )
    by_clip = {clip: (mean, spread if number > 1 else None) for clip, mean, spread, number in found}
    rows = np.array([by_clip.get(clip, (None, None)) for clip in chosen], dtype=np.float64).reshape(-1, 2)
    ids = np.asarray(chosen)
    columns.put_many(connection, "mean", modality, 0, ids, rows[:, 0])
    columns.put_many(connection, "spread", modality, 0, ids, rows[:, 1])


def _shared(slot: str) -> bool:
    """Whether the latest act of anybody counts, not that of each rater."""
    return slot in ("text", "span") or slot.startswith("settle:")


def _rating(connection: Connection, clip: int, rater: int, modality: str, event: Any) -> None:
    key = {"clip_id": clip, "modality": modality, "rater_id": rater}
    if event is None:
        connection.execute(ratings.delete().where(*_is(ratings, key)))
        value = NOTHING
    else:
        upsert(connection, ratings, key | {"value": event.value, "at": event.at, "event_id": event.id})
        value = columns.CANNOT if event.value is None else event.value
    columns.put(connection, "rating", modality, rater, clip, value)
    summarise(connection, [clip], modality)


def _flag(connection: Connection, clip: int, rater: int, event: Any) -> None:
    key = {"clip_id": clip, "rater_id": rater}
    on = event is not None and event.kind == "flag"
    if on:
        upsert(connection, flags, key | {"at": event.at})
    else:
        connection.execute(flags.delete().where(*_is(flags, key)))
    columns.put(connection, "flag", "", rater, clip, 1.0 if on else NOTHING)
    number = connection.scalar(sa.select(sa.func.count()).where(flags.c.clip_id == clip))
    columns.put(connection, "flags", "", 0, clip, number or NOTHING)


def _note(connection: Connection, clip: int, rater: int, event: Any) -> None:
    key = {"clip_id": clip, "rater_id": rater}
    if event is not None and event.text:
        upsert(connection, notes, key | {"text": event.text, "at": event.at})
    else:
        connection.execute(notes.delete().where(*_is(notes, key)))


def _text(connection: Connection, clip: int, event: Any) -> None:
    row = connection.execute(
        sa.select(clips.c.name, clips.c.imported_text).where(clips.c.id == clip).with_for_update()
    ).one()
    text = row.imported_text if event is None else event.text or ""
    connection.execute(clips.update().where(clips.c.id == clip).values(text=text))
    columns.put_texts(connection, [(clip, row.name, text)])


def _span(connection: Connection, clip: int, event: Any) -> None:
    if event is None:
        given = {"start": clips.c.imported_start, "end": clips.c.imported_end}
    else:
        start, end = span_of(event.text)
        given = {"start": start, "end": end}
    connection.execute(clips.update().where(clips.c.id == clip).values(given))


def span_of(text: str) -> tuple[float, float]:
    """Start and end as an event keeps them."""
    start, end = text.split()
    return float(start), float(end)


def _settle(connection: Connection, clip: int, modality: str, event: Any) -> None:
    key = {"clip_id": clip, "modality": modality}
    if event is None:
        connection.execute(settled.delete().where(*_is(settled, key)))
    else:
        given = {"rater_id": event.rater_id, "value": event.value, "at": event.at}
        upsert(connection, settled, key | given)
    columns.put(connection, "settled", modality, 0, clip, NOTHING if event is None else event.value)


def _is(table: sa.Table, key: dict[str, Any]) -> list[Any]:
    return [table.c[name] == value for name, value in key.items()]
