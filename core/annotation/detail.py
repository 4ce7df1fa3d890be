"""One clip closely: what was done about it, what changed since; and more clips out of one recording."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from core.annotation.acts import adjust
from core.annotation.errors import RatingError
from core.annotation.schema import acts, clips, events, raters
from core.annotation.store import NewClip, Store
from core.annotation.view import View


@dataclass(frozen=True, slots=True)
class Entry:
    """An act in a clip's history. status: "done", "undone", or "dropped": undone for good."""

    event: int
    at: float
    rater: str
    kind: str
    modality: str | None
    value: float | None
    text: str | None
    status: str


def history(view: View, clip: int) -> list[Entry]:
    """What was done about a clip, oldest first: of the view's rater alone while blind. Raises StoreError."""
    chosen = (
        sa.select(events, acts.c.status, raters.c.name)
        .join_from(events, acts, acts.c.event_id == events.c.id)
        .join(raters, raters.c.id == events.c.rater_id)
        .where(events.c.clip_id == clip)
        .order_by(events.c.id)
    )
    if view.blind:
        chosen = chosen.where(events.c.rater_id == view.rater)
    with view.store.database.read() as connection:
        rows = connection.execute(chosen).all()
    return [
        Entry(row.id, row.at, row.name, row.kind, row.modality, row.value, row.text, row.status)
        for row in rows
    ]


def changed(store: Store, since: int) -> tuple[int, set[int]]:
    """The latest event, and the clips that anybody did anything about after the event `since`.

    For a window that shows rows while others work: ask now and then, fetch these rows again.
    """
    with store.database.read() as connection:
        latest = connection.scalar(sa.select(sa.func.max(events.c.id))) or 0
        later = (events.c.id > since, events.c.id <= latest, events.c.clip_id.is_not(None))
        return latest, set(connection.scalars(sa.select(events.c.clip_id).where(*later).distinct()))


def split(store: Store, rater: int, clip: int, at: float, end: float | None = None) -> int:
    """Cut a clip in two at `at` seconds of its file: it ends there; returns the id of the clip that goes on.

    end: where a clip ends that is a whole file. The words stay with the first. Raises RatingError and
    StoreError.
    """
    with store.database.read() as connection:
        row = connection.execute(sa.select(clips).where(clips.c.id == clip)).one_or_none()
        if row is None or row.path is None:
            raise RatingError(f"Clip number {clip} lies in no recording.")
        names = set(connection.scalars(sa.select(clips.c.name).where(clips.c.path == row.path)))
    start, stop = row.start or 0.0, end if row.end is None else row.end
    if stop is None or not start < at < stop:
        raise RatingError(f"{at:g} seconds is not inside {row.name}.")
    number = next(n for n in range(2, len(names) + 3) if f"{row.name}-{n}" not in names)
    rest = NewClip(f"{row.name}-{number}", row.path, start=at, end=stop, part=row.part)
    made = store.add([rest])[0]
    adjust(store, rater, clip, start, at)
    return made
