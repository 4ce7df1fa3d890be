"""Agreement in a project: per modality, per pair of raters, and the clips about which they disagree most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import sqlalchemy as sa

from core.annotation import agreement
from core.annotation.agreement import Figure, Weighting
from core.annotation.errors import RatingError
from core.annotation.schema import clips, ratings
from core.annotation.store import Rater, Store
from core.types import Head

WORST = 20
WEIGHTINGS: tuple[Weighting, ...] = ("none", "linear", "quadratic")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two raters: clips that both rated, mean difference (first less second), coefficients by name."""

    first: str
    second: str
    clips: int
    difference: float
    figures: dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Worst:
    """A clip about which raters disagree: the range of its ratings, and who gave which."""

    id: int
    name: str
    spread: float
    ratings: dict[str, float]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One modality. rated, cannot: by rater, how many clips were rated and could not be judged.

    together: the matrix (n, r) of clips with two ratings or more, NaN where there is none; raters in order.
    """

    modality: Head
    raters: list[str]
    rated: dict[str, int]
    cannot: dict[str, int]
    figures: dict[str, Figure]
    pairs: list[Pair]
    worst: list[Worst]
    together: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    def to_json(self) -> dict[str, Any]:
        """As plain values; null for what is undefined."""
        return {
            "modality": self.modality,
            "raters": [{"name": n, "rated": self.rated[n], "cannot": self.cannot[n]} for n in self.raters],
            "clips": len(self.together),
            "figures": _plain(self.figures),
            "pairs": [
                {
                    "raters": [pair.first, pair.second],
                    "clips": pair.clips,
                    "difference": _finite(pair.difference),
                    "figures": _plain(pair.figures),
                }
                for pair in self.pairs
            ],
            "worst": [{"clip": w.name, "range": w.spread, "ratings": w.ratings} for w in self.worst],
        }


def measure(
    store: Store, modality: Head, names: Sequence[str] | None = None, times: int = agreement.TIMES
) -> Agreement:
    """Agreement about one modality. names: of the raters; left out, all people, without imported labels.

    times: resamples of the bootstrap behind each interval. Raises RatingError for an unknown rater.
    """
    chosen = _chosen(store, names)
    ids, matrix, cannot = _matrix(store, modality, chosen)
    raters = [rater.name for rater in chosen]
    kept = np.isfinite(matrix).sum(axis=1) >= 2
    together, common = matrix[kept], ids[kept]
    return Agreement(
        modality,
        raters,
        {name: int(np.isfinite(matrix[:, k]).sum()) for k, name in enumerate(raters)},
        {name: int(cannot[k]) for k, name in enumerate(raters)},
        _figures(together, times),
        [
            _pair(together[:, [a, b]], raters[a], raters[b], times)
            for a, b in combinations(range(len(raters)), 2)
        ],
        _worst(store, common, together, raters),
        together,
    )


def _chosen(store: Store, names: Sequence[str] | None) -> list[Rater]:
    known = store.raters()
    if names is None:
        return [rater for rater in known if rater.kind == "person"]
    by_name = {rater.name: rater for rater in known}
    if lacking := [name for name in names if name not in by_name]:
        raise RatingError(f"There is no rater “{lacking[0]}”.", f"Known are: {', '.join(by_name)}.")
    return [by_name[name] for name in dict.fromkeys(names)]


def _matrix(
    store: Store, modality: Head, chosen: Sequence[Rater]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids of the rated clips (n,), their ratings (n, r), and by rater how many could not be judged (r,)."""
    place = {rater.id: k for k, rater in enumerate(chosen)}
    where = (ratings.c.modality == modality, ratings.c.rater_id.in_(place))
    wanted = sa.select(ratings.c.clip_id, ratings.c.rater_id, ratings.c.value).where(*where)
    with store.database.read() as connection:
        found = connection.execute(wanted).all()
    ids, rows = np.unique([row.clip_id for row in found] or np.empty(0, dtype=int), return_inverse=True)
    matrix, cannot = np.full((len(ids), len(chosen)), np.nan), np.zeros(len(chosen))
    for row, (_, rater, value) in zip(rows, found, strict=True):
        if value is None:
            cannot[place[rater]] += 1
        else:
            matrix[row, place[rater]] = value
    return ids, matrix, cannot


def _figures(together: np.ndarray, times: int) -> dict[str, Figure]:
    found = {
        f"alpha {level}": agreement.with_interval(
            together, lambda x, w, level=level: agreement.krippendorff(x, level, w), times
        )
        for level in agreement.LEVELS
    }
    complete = together[np.isfinite(together).all(axis=1)]
    found["Fleiss kappa"] = agreement.with_interval(complete, agreement.fleiss, times)
    return found | agreement.with_intervals(complete, agreement.intraclass, times)


def _pair(both: np.ndarray, first: str, second: str, times: int) -> Pair:
    both = both[np.isfinite(both).all(axis=1)]
    names = {"none": "Cohen kappa", "linear": "Cohen kappa, linear", "quadratic": "Cohen kappa, quadratic"}
    figures = {
        names[weighting]: agreement.with_interval(
            both, lambda x, w, how=weighting: agreement.cohen(x[:, 0], x[:, 1], how, w), times
        )
        for weighting in WEIGHTINGS
    }
    figures["alpha interval"] = agreement.with_interval(
        both, lambda x, w: agreement.krippendorff(x, "interval", w), times
    )
    difference = float((both[:, 0] - both[:, 1]).mean()) if len(both) else np.nan
    return Pair(first, second, len(both), difference, figures)


def _worst(store: Store, ids: np.ndarray, together: np.ndarray, raters: Sequence[str]) -> list[Worst]:
    if not len(ids):
        return []
    spread = np.nanmax(together, axis=1) - np.nanmin(together, axis=1)
    order = [k for k in np.lexsort((ids, -np.nanstd(together, axis=1), -spread))[:WORST] if spread[k] > 0]
    with store.database.read() as connection:
        wanted = clips.c.id.in_([int(ids[k]) for k in order])
        names = {row.id: row.name for row in connection.execute(sa.select(clips).where(wanted))}
    return [
        Worst(
            int(ids[k]),
            names[int(ids[k])],
            float(spread[k]),
            {name: float(x) for name, x in zip(raters, together[k], strict=True) if np.isfinite(x)},
        )
        for k in order
    ]


def _plain(figures: dict[str, Figure]) -> dict[str, Any]:
    return {
        name: {"value": _finite(f.value), "low": _finite(f.low), "high": _finite(f.high), "clips": f.clips}
        for name, f in figures.items()
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
