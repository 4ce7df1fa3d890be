"""Intervals that hold: split-conformal half widths from rows that took no part in training.

For exchangeable rows the interval estimate ± q covers a new label with at least the chosen probability,
whatever the model, where q is the ceil((n + 1) level)-th smallest of the n calibration errors |ŷ - y|.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.8
"""Share of labels that an interval is to cover."""


def half_width(estimates: ArrayLike, labels: ArrayLike, level: float = LEVEL) -> float | None:
    """Half width q of the intervals, from estimates and labels (n,); pairs that are not finite are left out.

    None where n is too small for the level (fewer than level / (1 - level) rows): no width would do.
    """
    errors = np.abs(np.asarray(estimates, dtype=np.float64) - np.asarray(labels, dtype=np.float64))
    errors = np.sort(errors[np.isfinite(errors)])
    rank = math.ceil((len(errors) + 1) * level - 1e-9)
    return float(errors[rank - 1]) if 0 < rank <= len(errors) else None


def coverage(estimates: ArrayLike, labels: ArrayLike, width: float) -> float:
    """Share of labels (n,) within ± width of their estimate; NaN for no rows."""
    errors = np.abs(np.asarray(estimates, dtype=np.float64) - np.asarray(labels, dtype=np.float64))
    errors = errors[np.isfinite(errors)]
    # A label exactly at the end counts as covered; float32 estimates may miss it by their rounding.
    return float(np.mean(errors <= width + 1e-6)) if len(errors) else math.nan
