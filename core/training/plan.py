"""Which rows make a batch, and how much each of them counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from core.data.batches import BucketSampler, RowIndex, Sample, row_index
from core.data.sources import Part
from core.training.settings import Source, TrainingSettings
from core.types import HEADS

POOL = 32
"""Batches, at most, whose rows are sorted by length together."""


class Plan:
    """Batches of row numbers for each epoch, the same ones for the same seed.

    One kind of samples: each row once an epoch. `mixed`: samples come in kinds by what they hold (text only,
    voice only, …); an epoch is each row of the commonest kind once, and every batch takes a few rows of each
    other kind with it, which go round as often as it takes.
    """

    def __init__(self, samples: Sequence[Sample], settings: TrainingSettings, mixed: bool = False) -> None:
        lengths = row_index(samples).lengths
        kinds: dict[tuple[bool, ...], list[int]] = {}
        for row, there in enumerate((lengths > 0).tolist()):
            kinds.setdefault(tuple(there) if mixed else (), []).append(row)
        ordered = sorted(kinds.values(), key=len, reverse=True)
        sizes = [settings.batch_size, *[settings.batch_beside] * (len(ordered) - 1)]
        self._lead, *self._beside = (
            _Rows(rows, lengths, size, settings.seed, settings.by_length)
            for rows, size in zip(ordered, sizes, strict=True)
        )

    def __len__(self) -> int:
        """Batches an epoch."""
        return len(self._lead.sampler)

    def epoch(self, number: int) -> Iterator[list[int]]:
        """Batches of epoch 1, 2, …"""
        rounds = [rows.round_and_round(number * len(self)) for rows in self._beside]
        for batch in self._lead.epoch(number):
            yield batch + [row for others in rounds for row in next(others)]


class _Rows:
    """Rows of one kind, sampled by length; or at random, for sorting a pool of one batch changes none."""

    def __init__(self, rows: list[int], lengths: np.ndarray, size: int, seed: int, by_length: bool) -> None:
        self.rows = rows
        size = min(size, len(rows))
        # Length goes with speaker and label: few rows sorted as one pool would make batches of one kind.
        pool = min(POOL, max(1, len(rows) // (8 * size))) if by_length else 1
        self.sampler = BucketSampler(lengths[rows], size, seed, pool)

    def epoch(self, number: int) -> Iterator[list[int]]:
        for batch in self.sampler.epoch(number):
            yield [self.rows[i] for i in batch]

    def round_and_round(self, start: int) -> Iterator[list[int]]:
        """Batches without end, from the place that `start` batches before would have led to."""
        turn, skip = divmod(start, len(self.sampler))
        while True:
            for position, batch in enumerate(self.epoch(turn)):
                if position >= skip:
                    yield batch
            turn, skip = turn + 1, 0


def shares(part: Part, sources: Sequence[Source]) -> np.ndarray:
    """How much each row counts, (N,) float32: its source's weight, evened out over its labels if balanced."""
    share = np.array([sources[source].weight for source in part.sources], dtype=np.float32)
    labels = _first_labels(row_index(part.samples)).tolist()
    for number, source in enumerate(sources):
        if not source.balanced:
            continue
        rows = [i for i, of in enumerate(part.sources) if of == number and not math.isnan(labels[i])]
        counts = Counter(labels[i] for i in rows)
        for i in rows:
            share[i] *= len(rows) / (len(counts) * counts[labels[i]])
    return share


def _first_labels(known: RowIndex) -> np.ndarray:
    """(N,) the first label each sample has, NaN for none."""
    found = np.full(len(known.labels), math.nan)
    for head in HEADS:
        found = np.where(np.isnan(found), known.label(head), found)
    return found
