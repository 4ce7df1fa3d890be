"""What one rater may see in one pass: the clip list, its filters, the next clip.

Everything that a window shows comes through here. In a blind project it holds nothing of other raters and
nothing of the model until the rater is unblinded, not even as a filter or an order; and in the passes of
voice and face it holds no words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.annotation import columns
from core.annotation.errors import BlindError, RatingError
from core.annotation.order import shuffled
from core.annotation.schema import clips, estimates, flags, notes, raters, ratings, settled
from core.annotation.store import Store, last_clip
from core.types import MODALITIES, Estimate, Head

State = Literal["all", "unrated", "rated", "cannot", "flagged", "missing"]
Score = Literal["own", "mean", "estimate"]
Disagreement = Literal["raters", "model", "modalities"]
How = Literal["order", "unrated", "uncertain", "raters", "model", "modalities"]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which clips are listed. Ranges include their ends, and are on the project's scale."""

    text: str = ""
    state: State = "all"
    score: Range | None = None
    score_of: Score = "own"
    disagreement: Range | None = None
    disagreement_of: Disagreement = "raters"


@dataclass(frozen=True, slots=True)
class Row:
    """A clip as a rater sees it. text: None in passes in which words are not shown.

    value: the rater's own. others: other people's by name, None for "cannot judge"; others, mean, estimate
    and settled are empty while the rater is blind.
    """

    id: int
    name: str
    video: str
    path: str | None
    start: float | None
    end: float | None
    text: str | None
    missing: bool
    state: Literal["unrated", "rated", "cannot"]
    value: float | None
    flagged: bool
    note: str
    others: dict[str, float | None] = field(default_factory=dict)
    estimate: Estimate | None = None
    settled: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rater is in a pass."""

    clips: int
    rated: int
    cannot: int
    flagged: int


class View:
    """A rater's view of a pass. Raises RatingError for a rater or a pass that is not in the project."""

    def __init__(self, store: Store, rater: int, modality: Head) -> None:
        if modality not in store.project.passes:
            raise RatingError(f"This project has no pass “{modality}”.")
        self.store, self.rater, self.modality = store, rater, modality
        self._order = np.empty(0, dtype=np.int64)
        self._size = 0
        self.blind = True
        self.refresh()

    @property
    def words_shown(self) -> bool:
        """Whether this pass shows what is said."""
        return self.modality in ("multimodal", "text")

    def refresh(self) -> None:
        """Look again for clips that were added and for an unblinding."""
        with self.store.database.read() as connection:
            chosen = sa.select(raters.c.unblinded).where(raters.c.id == self.rater)
            row = connection.execute(chosen).one_or_none()
            if row is None:
                raise RatingError(f"There is no rater number {self.rater}.")
            self.blind = self.store.project.blind and row.unblinded is None
            if (count := last_clip(connection)) + 1 != self._size:
                self._size = count + 1
                settings = self.store.project
                everything = np.arange(1, count + 1)
                self._order = shuffled(count, settings.seed, self.rater) if settings.shuffled else everything

    def select(self, chosen: Filter | None = None) -> np.ndarray:
        """(n,) int64: the clips that a filter lets through, in the rater's order. Raises BlindError."""
        chosen = chosen or Filter()
        with self.store.database.read() as connection:
            kept = self._assigned(connection)
            if chosen.text.strip():
                names_only = not self.words_shown
                kept &= columns.matching(connection, chosen.text, self._size, names_only=names_only)
            if chosen.state != "all":
                kept &= self._in_state(connection, chosen.state)
            if chosen.score is not None:
                kept &= _within(self._score(connection, chosen.score_of), chosen.score)
            if chosen.disagreement is not None:
                kept &= _within(self._disagreement(connection, chosen.disagreement_of), chosen.disagreement)
        return self._order[kept[self._order]]

    def next(self, after: int | None, how: How = "order") -> int | None:
        """The clip to look at after this one (None: from the start); None where there is no more.

        "order", "unrated": in the rater's order, the latter from the start again at its end. The others: the
        unrated clip of which the model is least sure, or about which raters, model and raters, or the
        modalities disagree most; clips without such a figure come last, in order. Raises BlindError.
        """
        with self.store.database.read() as connection:
            kept = self._assigned(connection)
            if how != "order":
                kept &= self._in_state(connection, "unrated")
            if how in ("order", "unrated"):
                return self._following(kept, after, around=how == "unrated")
            if how == "uncertain":
                self._sighted("what the model is unsure of")
                figure = self._column(connection, "doubt", self.modality)
            else:
                figure = self._disagreement(connection, how)
        if after is not None and after < self._size:
            kept[after] = False
        candidates = self._order[kept[self._order]]
        if not len(candidates):
            return None
        return int(candidates[np.argmax(np.nan_to_num(figure[candidates], nan=-1.0))])

    def to_settle(self) -> np.ndarray:
        """(n,) int64: clips on which raters differ and nothing is settled, most first. Raises BlindError."""
        self._sighted("where raters disagree")
        with self.store.database.read() as connection:
            spread = self._column(connection, "spread", self.modality)
            open_ = np.isnan(self._column(connection, "settled", self.modality))
            kept = np.flatnonzero(open_ & (spread > 0) & self._assigned(connection))
        return kept[np.argsort(-spread[kept], kind="stable")]

    def progress(self) -> Progress:
        """How much of this pass is done."""
        with self.store.database.read() as connection:
            kept = self._assigned(connection)
            own = self._column(connection, "rating", self.modality, self.rater)[kept]
            flagged = self._column(connection, "flag", "", self.rater)[kept]
        return Progress(
            int(kept.sum()), int(np.isfinite(own).sum()), int(np.isinf(own).sum()), int((flagged > 0).sum())
        )

    def left_at(self) -> int | None:
        """The clip that this rater rated last in this pass, None before the first."""
        mine = (ratings.c.rater_id == self.rater, ratings.c.modality == self.modality)
        chosen = sa.select(ratings.c.clip_id).where(*mine).order_by(ratings.c.event_id.desc()).limit(1)
        with self.store.database.read() as connection:
            return connection.scalar(chosen)

    def rows(self, ids: Sequence[int] | np.ndarray) -> list[Row]:
        """These clips, in this order: a page of the list (up to some hundreds)."""
        wanted = [int(clip) for clip in ids]
        with self.store.database.read() as connection:
            chosen = sa.select(clips).where(clips.c.id.in_(wanted))
            found = {row.id: row for row in connection.execute(chosen)}
            about = _Page(connection, wanted, self)
        return [self._row(found[clip], about) for clip in wanted if clip in found]

    def _row(self, clip: sa.Row, about: _Page) -> Row:
        own = about.own.get(clip.id)
        state = "unrated" if own is None else "cannot" if own.value is None else "rated"
        return Row(
            clip.id,
            clip.name,
            clip.video,
            clip.path,
            clip.start,
            clip.end,
            clip.text if self.words_shown else None,
            bool(clip.missing),
            state,
            own.value if own is not None else None,
            clip.id in about.flagged,
            about.notes.get(clip.id, ""),
            about.others.get(clip.id, {}),
            about.estimates.get(clip.id),
            about.settled.get(clip.id),
        )

    def _column(self, connection: Connection, kind: str, modality: str, owner: int = 0) -> np.ndarray:
        return columns.column(connection, kind, modality, owner, self._size)

    def _assigned(self, connection: Connection) -> np.ndarray:
        """(size,) bool: the clips that are this rater's to rate."""
        assigned = self._column(connection, "assigned", "", self.rater) > 0
        if not assigned.any():
            assigned[1:] = True
        return assigned & ~(self._column(connection, "gone", "") > 0)

    def _in_state(self, connection: Connection, state: State) -> np.ndarray:
        if state == "missing":
            return self._column(connection, "missing", "") > 0
        if state == "flagged":
            if self.blind:
                return self._column(connection, "flag", "", self.rater) > 0
            return self._column(connection, "flags", "") > 0
        own = self._column(connection, "rating", self.modality, self.rater)
        tests = {"unrated": np.isnan, "rated": np.isfinite, "cannot": np.isinf}
        return tests[state](own)

    def _score(self, connection: Connection, of: Score) -> np.ndarray:
        if of == "own":
            return self._column(connection, "rating", self.modality, self.rater)
        self._sighted("other ratings and estimates")
        return self._column(connection, of, self.modality)

    def _disagreement(self, connection: Connection, of: Disagreement) -> np.ndarray:
        if of == "modalities":
            return self._between_modalities(connection)
        self._sighted("where raters or the model disagree")
        if of == "raters":
            return self._column(connection, "spread", self.modality)
        estimate = self._column(connection, "estimate", self.modality)
        return np.abs(estimate - self._column(connection, "mean", self.modality))

    def _between_modalities(self, connection: Connection) -> np.ndarray:
        """(size,) range over text, audio, visual: of the rater's own values, or of all that is known."""
        low = np.full(self._size, np.inf, dtype=np.float32)
        high = -low
        for modality in MODALITIES:
            if self.blind:
                x = self._column(connection, "rating", modality, self.rater)
                x[np.isinf(x)] = np.nan
            else:
                mean = self._column(connection, "mean", modality)
                x = np.where(np.isnan(mean), self._column(connection, "estimate", modality), mean)
            low, high = np.fmin(low, x), np.fmax(high, x)
        return np.where(high > low, high - low, np.where(high == low, np.float32(0), np.float32(np.nan)))

    def _following(self, kept: np.ndarray, after: int | None, *, around: bool) -> int | None:
        candidates = kept[self._order]
        place = 0
        if after is not None:
            at = np.flatnonzero(self._order == after)
            place = int(at[0]) + 1 if len(at) else 0
            if at.size:
                candidates[at] = False
        later = np.flatnonzero(candidates[place:])
        if len(later):
            return int(self._order[place + later[0]])
        earlier = np.flatnonzero(candidates[:place]) if around else ()
        return int(self._order[earlier[0]]) if len(earlier) else None

    def _sighted(self, what: str) -> None:
        if self.blind:
            raise BlindError(f"This project is blind: {what} cannot be seen.", "A lead may unblind a rater.")


class _Page:
    """What is said about the clips of a page, as far as the view lets it be seen."""

    def __init__(self, connection: Connection, wanted: list[int], view: View) -> None:
        def of(table: sa.Table, *where: sa.ColumnElement[bool]) -> list[sa.Row]:
            return list(connection.execute(sa.select(table).where(table.c.clip_id.in_(wanted), *where)))

        modality, rater = view.modality, view.rater
        mine = [ratings.c.rater_id == rater] if view.blind else []
        given = of(ratings, ratings.c.modality == modality, *mine)
        self.own = {row.clip_id: row for row in given if row.rater_id == rater}
        self.flagged = {row.clip_id for row in of(flags, flags.c.rater_id == rater)}
        self.notes = {row.clip_id: row.text for row in of(notes, notes.c.rater_id == rater)}
        self.others: dict[int, dict[str, float | None]] = {}
        self.estimates: dict[int, Estimate] = {}
        self.settled: dict[int, float] = {}
        if view.blind:
            return
        names = {row.id: row.name for row in connection.execute(sa.select(raters.c.id, raters.c.name))}
        for row in given:
            if row.rater_id != rater:
                self.others.setdefault(row.clip_id, {})[names[row.rater_id]] = row.value
        for row in of(estimates, estimates.c.modality == modality):
            self.estimates[row.clip_id] = Estimate(row.value, row.low, row.high)
        self.settled = {row.clip_id: row.value for row in of(settled, settled.c.modality == modality)}


def _within(values: np.ndarray, limits: Range) -> np.ndarray:
    """Which values lie in a range; neither those that are not there nor "cannot judge"."""
    with np.errstate(invalid="ignore"):
        return (values >= limits[0]) & (values <= limits[1])
