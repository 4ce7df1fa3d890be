"""From the ratings of several people to one label a clip and modality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import mean, median

import sqlalchemy as sa

from core.annotation.project import Consensus
from core.annotation.schema import clips, flags, notes, ratings, settled
from core.annotation.store import GONE, Store
from core.types import Head

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A clip with all that was said about it. ratings: by modality and rater, None for "cannot judge".

    labels: by modality, what the ratings amount to by the rule that was asked for.
    """

    id: int
    name: str
    video: str
    path: str | None
    start: float | None
    end: float | None
    part: str
    text: str
    ratings: dict[Head, dict[str, float | None]] = field(default_factory=dict)
    labels: dict[Head, float] = field(default_factory=dict)
    flagged: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


def judged(
    store: Store, rule: Consensus | None = None, only: Sequence[str] | None = None
) -> Iterator[Judged]:
    """All clips in order. rule: the project's, if left out. only: names of the raters that count.

    "adjudicated": what a lead settled; elsewhere the rating, where all raters that could judge agree.
    """
    rule = rule or store.project.consensus
    last = store.count()
    names = {rater.id: rater.name for rater in store.raters() if only is None or rater.name in only}
    for first in range(1, last + 1, _CHUNK):
        yield from _chunk(store, rule, names, first, min(first + _CHUNK, last + 1))


def _chunk(store: Store, rule: Consensus, names: dict[int, str], first: int, after: int) -> list[Judged]:
    with store.database.read() as connection:

        def of(table: sa.Table) -> list[sa.Row]:
            key = table.c.id if table is clips else table.c.clip_id
            chosen = sa.select(table).where(key >= first, key < after).order_by(*table.primary_key)
            return list(connection.execute(chosen))

        found = {
            row.id: Judged(row.id, row.name, row.video, row.path, row.start, row.end, row.part, row.text)
            for row in of(clips)
            if not row.name.startswith(GONE)
        }
        for row in of(ratings):
            if row.rater_id in names:
                found[row.clip_id].ratings.setdefault(row.modality, {})[names[row.rater_id]] = row.value
        for row in of(flags):
            if row.rater_id in names:
                found[row.clip_id].flagged.append(names[row.rater_id])
        for row in of(notes):
            if row.rater_id in names:
                found[row.clip_id].notes[names[row.rater_id]] = row.text
        final = {(row.clip_id, row.modality): row.value for row in of(settled)}
    for clip in found.values():
        for modality in store.project.passes:
            value = label(rule, clip.ratings.get(modality, {}), final.get((clip.id, modality)))
            if value is not None:
                clip.labels[modality] = value
    return list(found.values())


def label(rule: Consensus, given: dict[str, float | None], final: float | None = None) -> float | None:
    """The label of one modality; None where nobody could judge it, or it waits for adjudication.

    What was settled holds under every rule.
    """
    if final is not None:
        return final
    values = [value for value in given.values() if value is not None]
    if not values:
        return None
    if rule == "adjudicated":
        return values[0] if max(values) == min(values) else None
    return float(mean(values) if rule == "mean" else median(values))
