"""The field's metrics for sentiment, with bootstrap intervals.

Everything is written over rows of weights, (R, N): a score has one row of ones, a bootstrap R rows that count
how often each sample was drawn. So both are the same formulas, and a thousand resamples are a few products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray
Values = dict[str, tuple[Array, int]]
"""By metric: its value in each of the R rows of weights, and the number of samples behind it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A metric, the bounds of its bootstrap interval, the count of samples behind it; NaN: undefined."""

    value: float
    low: float
    high: float
    count: int


def score(prediction: ArrayLike, truth: ArrayLike, scheme: str) -> dict[str, float]:
    """Metrics of predictions (N,) against labels (N,); rows whose label is not finite are left out.

    scheme "mosi" (labels in [-3, 3]): mae corr acc2_has0 f1_has0 acc2_non0 f1_non0 acc5 acc7.
    scheme "sims" (labels in [-1, 1]; both sides are clipped to it first): mae corr acc2 acc3 acc5 f1.
    scheme "classes" (labels -2, 0, 2 for negative, neutral, positive): uar auc accuracy; a prediction belongs
    to the nearest class, `uar` is the mean recall of the three, `auc` that of positive against negative.
    NaN where undefined: corr of constants, no rows, no label other than 0, a prediction that is not finite.
    Raises ValueError for an unknown scheme and arrays of different lengths.
    """
    p, y = _checked(prediction, truth)
    return {name: float(rows[0]) for name, (rows, _) in _evaluate(p, y, scheme, np.ones((1, len(y)))).items()}


def bootstrap(
    prediction: ArrayLike,
    truth: ArrayLike,
    scheme: str,
    *,
    decisions: ArrayLike | None = None,
    groups: Sequence[str] | None = None,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """The metrics of `score` with percentile bootstrap intervals over the samples.

    decisions: (N,) values of the classes decided for, where these are not simply nearest to the prediction.
    groups: (N,) the video or person of each sample. Whole groups are drawn then, for samples of one group
    are alike: intervals over rows would be too narrow. Of fewer than two groups there is no interval.

    Resamples in which a metric is undefined are left out of its interval; with more than half undefined so is
    the interval.
    """
    p, y = _checked(prediction, truth)
    chosen = p if decisions is None else _checked(decisions, truth)[0]
    values = _evaluate(p, y, scheme, np.ones((1, len(y))), chosen)
    member = _members(groups, truth)
    drawn = _resampled(p, y, scheme, rounds, seed, chosen, member)
    return {
        name: Interval(float(rows[0]), *_bounds(drawn[name], level), count)
        for name, (rows, count) in values.items()
    }


def _checked(prediction: ArrayLike, truth: ArrayLike) -> tuple[Array, Array]:
    p, y = (_float(x).reshape(-1) for x in (prediction, truth))
    if len(p) != len(y):
        raise ValueError(f"{len(p)} predictions for {len(y)} labels")
    known = np.isfinite(y)
    return p[known], y[known]


def _float(x: ArrayLike) -> Array:
    array = np.asarray(x)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _evaluate(p: Array, y: Array, scheme: str, weights: Array, chosen: Array | None = None) -> Values:
    if scheme not in (*SCHEMES, "classes"):
        raise ValueError(f"unknown scheme {scheme!r}; known: {', '.join(SCHEMES)}, classes")
    finite = np.isfinite(p).all()
    shown = p if finite else np.zeros_like(p)
    if scheme == "classes":
        values = _classes(shown, y, weights, shown if chosen is None else chosen)
    else:
        values = SCHEMES[scheme](shown, y, weights)
    if finite:
        return values
    return {name: (np.full(len(weights), np.nan), count) for name, (_, count) in values.items()}


def _members(groups: Sequence[str] | None, truth: ArrayLike) -> Array:
    """(n,) number of the group of each sample with a label; without groups each is one of its own."""
    known = np.isfinite(_float(truth).reshape(-1))
    if groups is None:
        return np.arange(int(known.sum()))
    return np.unique(np.asarray(groups, dtype=str)[known], return_inverse=True)[1]


def _resampled(
    p: Array, y: Array, scheme: str, rounds: int, seed: int, chosen: Array, member: Array
) -> dict[str, Array]:
    """Each metric (rounds,) on resamples of whole groups; NaN where only one group could be drawn."""
    random = np.random.default_rng(seed)
    groups = int(member.max()) + 1 if len(member) else 0
    parts: list[Values] = []
    step = max(1, min(rounds, 1_000_000 // max(1, len(y))))  # weights of one part: 8 MB at most
    for start in range(0, rounds, step):
        size = (min(step, rounds - start), groups)
        drawn = random.integers(groups, size=size) if groups else np.empty(size, dtype=np.int64)
        weights = np.stack([np.bincount(row, minlength=groups)[member] for row in drawn]).astype(np.float64)
        parts.append(_evaluate(p, y, scheme, weights, chosen))
    told = {name: np.concatenate([part[name][0] for part in parts]) for name in parts[0]}
    return {name: np.full(rounds, np.nan) for name in told} if groups == 1 < len(y) else told


def _bounds(values: Array, level: float) -> tuple[float, float]:
    defined = values[~np.isnan(values)]
    if len(defined) * 2 < len(values) or not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _mosi(p: Array, y: Array, weights: Array) -> Values:
    nonzero = y != 0
    negative_has0, negative_non0 = (p >= 0, y >= 0), (p[nonzero] > 0, y[nonzero] > 0)
    return {
        **_regression(p, y, weights),
        **_binary(*negative_has0, weights, "acc2_has0", "f1_has0"),
        **_binary(*negative_non0, weights[:, nonzero], "acc2_non0", "f1_non0"),
        "acc5": _accuracy(_rounded(p, 2), _rounded(y, 2), weights),
        "acc7": _accuracy(_rounded(p, 3), _rounded(y, 3), weights),
    }


def _sims(p: Array, y: Array, weights: Array) -> Values:
    p, y = np.clip(p, -1, 1), np.clip(y, -1, 1)
    return {
        **_regression(p, y, weights),
        **_binary(p > 0, y > 0, weights, "acc2", "f1"),
        "acc3": _accuracy(_bins(p, [-0.1, 0.1]), _bins(y, [-0.1, 0.1]), weights),
        "acc5": _accuracy(_bins(p, [-0.7, -0.1, 0.1, 0.7]), _bins(y, [-0.7, -0.1, 0.1, 0.7]), weights),
    }


def _classes(p: Array, y: Array, weights: Array, chosen: Array) -> Values:
    predicted, true = np.digitize(chosen, [-1, 1]), np.digitize(y, [-1, 1])
    hit = (predicted == true).astype(np.float64)
    recalls = [_quotient(weights @ (hit * (true == c)), weights @ (true == c)) for c in range(3)]
    signed = true != 1
    return {
        "uar": (np.mean(recalls, axis=0), len(y)),
        "auc": (_auc(p[signed], true[signed] == 2, weights[:, signed]), int(signed.sum())),
        "accuracy": _accuracy(predicted, true, weights),
    }


SCHEMES: dict[str, Callable[[Array, Array, Array], Values]] = {
    "mosi": _mosi,
    "sims": _sims,
}


def _regression(p: Array, y: Array, weights: Array) -> Values:
    error = np.abs(p.astype(np.float64) - y.astype(np.float64))
    return {
        "mae": (_quotient(weights @ error, weights.sum(axis=1)), len(y)),
        "corr": (_correlation(p, y, weights), len(y)),
    }


def _correlation(p: Array, y: Array, weights: Array) -> Array:
    """Pearson's r by row of weights."""
    p, y = _centred(p), _centred(y)
    total = weights.sum(axis=1)
    mean_p, mean_y = _quotient(weights @ p, total), _quotient(weights @ y, total)
    square_p, square_y = _quotient(weights @ p**2, total), _quotient(weights @ y**2, total)
    variance_p, variance_y = square_p - mean_p**2, square_y - mean_y**2
    # A resample of one value repeated has a variance of rounding errors alone: as undefined as an exact 0.
    varies = (variance_p > 1e-12 * square_p) & (variance_y > 1e-12 * square_y)
    covariance = _quotient(weights @ (p * y), total) - mean_p * mean_y
    r = _quotient(np.where(varies, covariance, 0.0), np.sqrt(np.where(varies, variance_p * variance_y, 0.0)))
    return np.clip(r, -1, 1)


def _centred(x: Array) -> Array:
    """Scaled and shifted for numerical safety; a constant becomes exactly 0."""
    x = x.astype(np.float64)
    if not len(x):
        return x
    x = x - x[0]
    x = x / (np.abs(x).max() or 1.0)
    return x - x.mean()


def _binary(predicted: Array, true: Array, weights: Array, accuracy: str, f1: str) -> Values:
    """Accuracy, and the F1 of the two classes weighted by how often each is true."""
    total = weights.sum(axis=1)
    summed = np.zeros(len(weights))
    for positive in (False, True):
        found, there = predicted == positive, true == positive
        support = weights @ there
        score = _quotient(2 * (weights @ (found & there)), weights @ found + support)
        summed += np.where(support > 0, support * np.nan_to_num(score), 0.0)
    return {accuracy: _accuracy(predicted, true, weights), f1: (_quotient(summed, total), len(true))}


def _accuracy(predicted: Array, true: Array, weights: Array) -> tuple[Array, int]:
    return _quotient(weights @ (predicted == true), weights.sum(axis=1)), len(true)


def _auc(p: Array, positive: Array, weights: Array) -> Array:
    """Chance that a positive is ranked above a negative, ties half, by row of weights."""
    if not len(p):
        return np.full(len(weights), np.nan)
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(p[order]) > 0])
    above = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    below = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    ranked = (above * (below.cumsum(axis=1) - below / 2)).sum(axis=1)
    return _quotient(ranked, above.sum(axis=1) * below.sum(axis=1))


def _rounded(x: Array, limit: int) -> Array:
    """Nearest whole number within ±limit, halves to the even one."""
    return np.round(np.clip(x, -limit, limit))


def _bins(x: Array, edges: list[float]) -> Array:
    """Number of the bin (a, b] of each value; edges in the precision of the values, so that 0.7 is 0.7."""
    return np.digitize(x, np.asarray(edges, dtype=x.dtype), right=True)


def _quotient(a: Array, b: Array) -> Array:
    """a / b, NaN where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b != 0)
