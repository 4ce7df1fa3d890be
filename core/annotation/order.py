"""Each rater's own order of clips: shuffled by a seed that the project keeps, the same on every machine.

A clip's place follows from a number mixed of the seed, the rater and the clip (SplitMix64, Steele, Lea and
Flood 2014). So clips that are added later come in between, and leave the order of all others as it was.
"""

from __future__ import annotations

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def shuffled(count: int, seed: int, rater: int) -> np.ndarray:
    """(count,) int64: the ids 1 to count in this rater's order."""
    start = _mixed(_mixed(np.array([seed], dtype=np.uint64)) + np.array([rater], dtype=np.uint64))
    keys = _mixed(start ^ np.arange(1, count + 1, dtype=np.uint64))
    return np.argsort(keys, kind="stable") + 1


def _mixed(x: np.ndarray) -> np.ndarray:
    """SplitMix64 of each number, modulo 2^64."""
    z = x + _STEP
    z = (z ^ (z >> _SHIFTS[0])) * _FACTORS[0]
    z = (z ^ (z >> _SHIFTS[1])) * _FACTORS[1]
    return z ^ (z >> _SHIFTS[2])
