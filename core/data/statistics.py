"""Means and deviations of features over a data set, in one pass that keeps nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from core.data.batches import Sample
from core.data.rows import Rows
from core.data.store import kept
from core.types import Modality


def standardisation(samples: Sequence[Sample], modality: Modality) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and standard deviation (width,) of a modality's frames over all samples; None without any.

    Of samples on disk the answer is kept beside them: the next run has it at once.
    """
    if not isinstance(samples, Rows):
        return _over(samples, modality)
    name = hashlib.sha256(f"{samples.fingerprint} {modality}".encode()).hexdigest()[:16]
    found = kept(samples.table.fingerprint, f"statistics-{name}", lambda: _arrays(samples, modality))
    return (found["mean"], found["deviation"]) if len(found["mean"]) else None


def _arrays(samples: Sequence[Sample], modality: Modality) -> dict[str, np.ndarray]:
    mean, deviation = _over(samples, modality) or (np.empty(0), np.empty(0))
    return {"mean": mean, "deviation": deviation}


def _over(samples: Sequence[Sample], modality: Modality) -> tuple[np.ndarray, np.ndarray] | None:
    """Sums of blocks, joined as Chan, Golub and LeVeque (1983) do: exact also far from 0."""
    count, mean, squares = 0, np.zeros(0), np.zeros(0)
    for sample in samples:
        value = getattr(sample, modality)
        if value is None or not len(value):
            continue
        block = np.asarray(value, dtype=np.float64)
        if not count:
            mean, squares = np.zeros(block.shape[1]), np.zeros(block.shape[1])
        n, block_mean = len(block), block.mean(axis=0)
        apart = block_mean - mean
        squares = squares + ((block - block_mean) ** 2).sum(axis=0) + apart**2 * count * n / (count + n)
        mean = mean + apart * n / (count + n)
        count += n
    return (mean, np.sqrt(squares / count)) if count else None
