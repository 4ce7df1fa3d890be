"""What raters do, each in one transaction that is on the disk when the function returns.

An act adds a row to the history and sets what follows from it. Undoing adds a row too: nothing is taken away.
A rater's undo goes back over all clips, latest first; a new act ends what could be redone.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.annotation import effects
from core.annotation.errors import RatingError, StoreError
from core.annotation.schema import acts, clips, events, raters
from core.annotation.store import Store
from core.types import Head

Kind = Literal["rate", "cannot", "flag", "unflag", "note", "correct", "span", "settle", "undo", "redo"]
NOTE_LIMIT = 20_000
"""Characters of a note or a transcript."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a rater does, before it is stored. `token` tells a second attempt from a second act."""

    rater: int
    kind: Kind
    clip: int | None = None
    modality: Head | None = None
    value: float | None = None
    text: str | None = None
    token: str = field(default_factory=lambda: str(uuid4()))

    @property
    def slot(self) -> str:
        """What it sets."""
        return effects.slot_of(self.kind, self.modality)


@dataclass(frozen=True, slots=True)
class Done:
    """An act that is stored. event: its number in the history; at: seconds since 1970.

    kind, clip, modality, value and text are those of the act itself; for undo and redo, of the act that was
    undone or redone. before: the event that was in force until then, by whichever program it came.
    """

    event: int
    at: float
    kind: str
    clip: int
    modality: Head | None
    value: float | None
    text: str | None
    before: int | None = None


def rate(store: Store, rater: int, clip: int, modality: Head, value: float | None) -> Done:
    """Rate one modality of a clip; None: it cannot be judged. Raises RatingError, StoreError."""
    if value is None:
        return perform(store, Act(rater, "cannot", clip, modality))
    return perform(store, Act(rater, "rate", clip, modality, float(value)))


def flag(store: Store, rater: int, clip: int, on: bool = True) -> Done:
    """Flag a clip for discussion, or take the flag off."""
    return perform(store, Act(rater, "flag" if on else "unflag", clip))


def note(store: Store, rater: int, clip: int, text: str) -> Done:
    """Set a rater's note on a clip; "" removes it."""
    return perform(store, Act(rater, "note", clip, text=text))


def correct(store: Store, rater: int, clip: int, text: str) -> Done:
    """Correct the transcript of a clip, for everyone."""
    return perform(store, Act(rater, "correct", clip, text=text))


def adjust(store: Store, rater: int, clip: int, start: float, end: float) -> Done:
    """Move the edges of a clip in its file, in seconds, for everyone."""
    if not 0 <= start < end < math.inf:
        raise RatingError(f"A clip cannot go from {start:g} to {end:g} seconds.")
    return perform(store, Act(rater, "span", clip, text=f"{start!r} {end!r}"))


def settle(store: Store, rater: int, clip: int, modality: Head, value: float) -> Done:
    """Adjudicate: what this modality of the clip counts as from now on, whoever rated it how. For leads."""
    return perform(store, Act(rater, "settle", clip, modality, float(value)))


def undo(store: Store, rater: int) -> Done | None:
    """Undo the rater's latest act, on whichever clip; None where there is none."""
    return _step(store, rater, "undo")


def redo(store: Store, rater: int) -> Done | None:
    """Do again what was undone last; None where there is nothing, or something new was done since."""
    return _step(store, rater, "redo")


def perform(store: Store, act: Act) -> Done:
    """Store an act of any kind but undo and redo; the same token again changes nothing and gives the same.

    Raises RatingError for what the project does not allow, and StoreError, which carries the act, where the
    store cannot take it now.
    """
    _check(store, act)
    try:
        with store.database.write() as connection:
            rater = _rater(connection, act.rater)
            _allow(connection, act, rater)
            known = connection.execute(sa.select(events).where(events.c.token == act.token)).one_or_none()
            return _done(known) if known else _stored(connection, act)
    except StoreError as error:
        error.act = act
        raise


def _check(store: Store, act: Act) -> None:
    """RatingError for an act that no state of the store allows."""
    if act.modality is not None and act.modality not in store.project.passes:
        raise RatingError(f"This project has no pass “{act.modality}”.", ", ".join(store.project.passes))
    if act.value is not None:
        low, high = store.project.scale
        if not math.isfinite(act.value) or not low <= act.value <= high:
            raise RatingError(f"{act.value:g} is not on the scale from {low:g} to {high:g}.")
    if act.text is not None and len(act.text) > NOTE_LIMIT:
        raise RatingError(f"The text is too long: {len(act.text):,} of {NOTE_LIMIT:,} characters.")
    if act.kind == "rate" and act.value is not None and _level(store, act.value) is None:
        levels = ", ".join(f"{value:g}" for value in store.project.values)
        raise RatingError(f"{act.value:g} is no level of this project.", f"Its levels are {levels}.")


def _level(store: Store, value: float) -> float | None:
    return next((level for level in store.project.values if abs(level - value) < 1e-6), None)


def _rater(connection: Connection, rater: int) -> Any:
    """The rater's row, kept from others until the transaction ends: a rater's acts come one after another."""
    found = connection.execute(sa.select(raters).where(raters.c.id == rater).with_for_update()).one_or_none()
    if found is None:
        raise RatingError(f"There is no rater number {rater}.")
    return found


def _allow(connection: Connection, act: Act, rater: Any) -> None:
    if connection.scalar(sa.select(clips.c.id).where(clips.c.id == act.clip)) is None:
        raise RatingError(f"There is no clip number {act.clip}.")
    if act.kind == "settle" and not rater.lead:
        raise RatingError(f"{rater.name} is no lead.", "Only a lead settles what raters disagree about.")


def _stored(connection: Connection, act: Act) -> Done:
    now = time.time()
    row = {
        "token": act.token,
        "at": now,
        "rater_id": act.rater,
        "clip_id": act.clip,
        "modality": act.modality,
        "kind": act.kind,
        "value": act.value,
        "text": act.text,
    }
    clip = act.clip or 0
    before = effects.in_force(connection, act.slot, clip, act.rater)
    event = connection.execute(events.insert().returning(events.c.id), row).scalar_one()
    gone = (acts.c.rater_id == act.rater, acts.c.status == "undone")
    connection.execute(acts.update().where(*gone).values(status="dropped"))
    fresh = {"event_id": event, "rater_id": act.rater, "clip_id": clip, "slot": act.slot, "status": "done"}
    connection.execute(acts.insert(), fresh)
    effects.apply(connection, act.slot, clip, act.rater)
    return Done(
        event, now, act.kind, clip, act.modality, act.value, act.text, None if before is None else before.id
    )


def _step(store: Store, rater: int, kind: Literal["undo", "redo"]) -> Done | None:
    was, becomes = ("done", "undone") if kind == "undo" else ("undone", "done")
    pick = sa.func.max if kind == "undo" else sa.func.min
    with store.database.write() as connection:
        _rater(connection, rater)
        mine = (acts.c.rater_id == rater, acts.c.status == was)
        target = connection.scalar(sa.select(pick(acts.c.event_id)).where(*mine))
        if target is None:
            return None
        act = connection.execute(sa.select(acts).where(acts.c.event_id == target)).one()
        row = {
            "token": str(uuid4()),
            "at": time.time(),
            "rater_id": rater,
            "clip_id": act.clip_id,
            "kind": kind,
            "target": target,
        }
        connection.execute(events.insert(), row)
        connection.execute(acts.update().where(acts.c.event_id == target).values(status=becomes))
        effects.apply(connection, act.slot, act.clip_id, rater)
        return _done(connection.execute(sa.select(events).where(events.c.id == target)).one())


def _done(row: Any) -> Done:
    return Done(row.id, row.at, row.kind, row.clip_id, row.modality, row.value, row.text)
