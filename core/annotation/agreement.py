"""How far raters agree: Krippendorff's alpha, Cohen's and Fleiss' kappa, intraclass correlation.

All take ratings as (n, r): n clips, r raters, NaN where a rater gave none; and weights (n,), how often each
row counts, which is what the bootstrap varies. An undefined coefficient (nobody in common, no variation) is
NaN.

Sources: K. Krippendorff, Computing Krippendorff's alpha-reliability (2011); J. Cohen, Weighted kappa,
Psychological Bulletin 70 (1968); J. L. Fleiss, Measuring nominal scale agreement among many raters,
Psychological Bulletin 76 (1971); P. E. Shrout and J. L. Fleiss, Intraclass correlations, Psychological
Bulletin 86 (1979).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Level = Literal["nominal", "ordinal", "interval"]
Weighting = Literal["none", "linear", "quadratic"]
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")
Weights = np.ndarray | None
TIMES = 1000
"""Resamples of a bootstrap."""
COVERED = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A coefficient with its bootstrap interval (95 %) and the number of clips behind it; NaN: undefined."""

    value: float
    low: float
    high: float
    clips: int


def krippendorff(ratings: np.ndarray, level: Level, weights: Weights = None) -> float:
    """Alpha, of any number of raters who need not have rated everything: one less observed over expected."""
    ratings, weights = _rows(ratings, weights, least=2)
    values, counts = _counted(ratings)
    if len(values) < 2:
        return np.nan
    per_unit = counts.sum(axis=1)
    scaled = counts * (weights / (per_unit - 1))[:, None]
    coincidences = scaled.T @ counts - np.diag(scaled.sum(axis=0))
    totals = coincidences.sum(axis=0)
    apart = _distances(values, totals, level)
    expected = totals @ apart @ totals
    if expected <= 0:
        return np.nan
    return float(1 - (totals.sum() - 1) * (coincidences * apart).sum() / expected)


def cohen(first: np.ndarray, second: np.ndarray, weighting: Weighting, weights: Weights = None) -> float:
    """Kappa of two raters (n,) each. weighting: what a disagreement costs, by its distance on the scale."""
    ratings, weights = _rows(np.column_stack([first, second]), weights, least=2)
    values, place = np.unique(ratings, return_inverse=True)
    place = place.reshape(ratings.shape)
    if len(values) < 2 or not weights.sum():
        return np.nan
    joint = np.zeros((len(values), len(values)))
    np.add.at(joint, (place[:, 0], place[:, 1]), weights)
    joint /= joint.sum()
    apart = np.abs(values[:, None] - values[None])
    cost = {"none": (apart > 0).astype(float), "linear": apart, "quadratic": apart**2}[weighting]
    expected = joint.sum(axis=1) @ cost @ joint.sum(axis=0)
    return float(1 - (joint * cost).sum() / expected) if expected > 0 else np.nan


def fleiss(ratings: np.ndarray, weights: Weights = None) -> float:
    """Kappa of r raters, over the clips that all of them rated."""
    ratings, weights = _rows(ratings, weights, least=ratings.shape[1])
    total, raters = weights.sum(), ratings.shape[1]
    if not total or raters < 2:
        return np.nan
    _, counts = _counted(ratings)
    share = weights @ counts / (total * raters)
    agreeing = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    observed, expected = weights @ agreeing / total, (share**2).sum()
    return float((observed - expected) / (1 - expected)) if expected < 1 else np.nan


def intraclass(ratings: np.ndarray, weights: Weights = None) -> dict[str, float]:
    """The six forms of Shrout and Fleiss, over the clips that all raters rated.

    (1,1): clips rated by others each; (2,1): raters drawn from many; (3,1): these raters, consistency alone.
    (1,k), (2,k), (3,k): the same of the mean over the k raters.
    """
    k = ratings.shape[1]
    x, weights = _rows(ratings, weights, least=k)
    n = weights.sum()
    if n < 2 or k < 2:
        return dict.fromkeys(FORMS, np.nan)
    mean = (weights @ x).sum() / (n * k)
    of_row, of_rater = x.mean(axis=1), weights @ x / n
    between = k * (weights @ (of_row - mean) ** 2) / (n - 1)
    raters = n * ((of_rater - mean) ** 2).sum() / (k - 1)
    within = (weights @ ((x - of_row[:, None]) ** 2)).sum() / (n * (k - 1))
    rest = x - of_row[:, None] - of_rater + mean
    error = (weights @ rest**2).sum() / ((n - 1) * (k - 1))
    return {
        "ICC(1,1)": _ratio(between - within, between + (k - 1) * within),
        "ICC(2,1)": _ratio(between - error, between + (k - 1) * error + k * (raters - error) / n),
        "ICC(3,1)": _ratio(between - error, between + (k - 1) * error),
        "ICC(1,k)": _ratio(between - within, between),
        "ICC(2,k)": _ratio(between - error, between + (raters - error) / n),
        "ICC(3,k)": _ratio(between - error, between),
    }


FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
Coefficient = Callable[[np.ndarray, np.ndarray], float]
Coefficients = Callable[[np.ndarray, np.ndarray], dict[str, float]]


def with_interval(ratings: np.ndarray, coefficient: Coefficient, times: int = TIMES, seed: int = 0) -> Figure:
    """A coefficient, and its percentile interval over `times` resamples of the clips."""
    return with_intervals(ratings, lambda x, w: {"": coefficient(x, w)}, times, seed)[""]


def with_intervals(
    ratings: np.ndarray, coefficients: Coefficients, times: int = TIMES, seed: int = 0
) -> dict[str, Figure]:
    """The same of several coefficients that are computed together.

    Clips rated alike are one row with a weight, so that a resample costs the number of different rows:
    drawing n clips with replacement is drawing how often each kind of row comes up.
    """
    rated = ratings[np.isfinite(ratings).sum(axis=1) >= 2]
    if not len(rated):
        return {name: Figure(np.nan, np.nan, np.nan, 0) for name in coefficients(rated, np.ones(0))}
    kinds, counts = np.unique(rated, axis=0, return_counts=True, equal_nan=True)
    values = coefficients(kinds, counts.astype(float))
    random, share = np.random.default_rng(seed), counts / counts.sum()
    defined = np.isfinite(list(values.values())).any()
    drawn = [
        list(coefficients(kinds, random.multinomial(len(rated), share).astype(float)).values())
        for _ in range(times if defined else 0)
    ]
    columns = np.array(drawn).reshape(-1, len(values)).T
    return {
        name: Figure(value, *_interval(value, column), len(rated))
        for (name, value), column in zip(values.items(), columns, strict=True)
    }


def _interval(value: float, drawn: np.ndarray) -> tuple[float, float]:
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(known):
        return np.nan, np.nan
    low, high = np.quantile(known, ((1 - COVERED) / 2, (1 + COVERED) / 2))
    return float(low), float(high)


def _rows(ratings: np.ndarray, weights: Weights, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows with at least so many ratings that count at all, and their weights."""
    weights = np.ones(len(ratings)) if weights is None else weights
    kept = (np.isfinite(ratings).sum(axis=1) >= least) & (weights > 0)
    return ratings[kept], weights[kept]


def _counted(ratings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values (v,) that occur, and how often each row holds each (n, v)."""
    there = np.isfinite(ratings)
    values, place = np.unique(ratings[there], return_inverse=True)
    counts = np.zeros((len(ratings), len(values)))
    np.add.at(counts, (np.nonzero(there)[0], place), 1)
    return values, counts


def _distances(values: np.ndarray, totals: np.ndarray, level: Level) -> np.ndarray:
    """Squared distances of values (v, v) by Krippendorff's difference functions."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return (values[:, None] - values[None]) ** 2
    ranks = np.cumsum(totals) - totals / 2  # the middle of each value's ranks
    return (ranks[:, None] - ranks[None]) ** 2


def _ratio(over: float, under: float) -> float:
    return float(over / under) if under > 0 else np.nan
