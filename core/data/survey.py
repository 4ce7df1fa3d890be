"""One pass over all samples that keeps a line of each: what a check of the data reasons from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.data.batches import Sample, row_index
from core.data.fingerprint import Hashes
from core.data.parts import DataSet
from core.types import HEADS, MODALITIES, Head, Modality

WORDS_THAT_IDENTIFY = 4
"""Shorter texts ("Yes.", "I see") are said by many."""


@dataclass(frozen=True, slots=True)
class Survey:
    """N rows of all parts, one part after the other.

    parts: their names; part: (N,) number of each row's. lengths: (N, 3), labels: (N, 4) as in RowIndex.
    content[modality]: (N,) uint64, equal where the content is, 0 where it is missing. long_text: (N,) bool,
    texts that identify a row. low, high: least and greatest value of each feature over all rows (width,).
    looked_at: whether voices and faces were looked at, not only tables.
    """

    parts: tuple[str, ...]
    part: np.ndarray
    ids: list[str]
    groups: list[str]
    lengths: np.ndarray
    labels: np.ndarray
    content: dict[Modality, np.ndarray]
    long_text: np.ndarray
    low: dict[Modality, np.ndarray]
    high: dict[Modality, np.ndarray]
    looked_at: bool = True

    def has(self, modality: Modality) -> np.ndarray:
        """(N,) bool."""
        return self.lengths[:, MODALITIES.index(modality)] > 0

    def label(self, head: Head) -> np.ndarray:
        """(N,), NaN = none."""
        return self.labels[:, HEADS.index(head)]


def survey(
    data: DataSet, progress: Callable[[float], None], files: Mapping[str, Path] | None = None
) -> Survey:
    """Look at every sample once. files: of data without its features, the clip behind each id; their bytes
    then stand for what is heard and seen."""
    rows, done = sum(len(part) for part in data.parts.values()), 0
    names = tuple(name for name, part in data.parts.items() if len(part))
    ids, content = [], {m: np.zeros(rows, np.uint64) for m in MODALITIES}
    long_text, bounds = np.zeros(rows, bool), _Bounds()
    hashes = Hashes()
    for name in names:
        for sample in data.part(name).samples:
            ids.append(sample.id)
            long_text[done] = not isinstance(sample.text, str) or (
                len(sample.text.split()) >= WORDS_THAT_IDENTIFY or len(sample.text) >= 5 * WORDS_THAT_IDENTIFY
            )
            _take_in(sample, done, content, bounds)
            if files is not None and (file := files.get(sample.id)):
                content["visual"][done] = int(hashes.of(file)[:16], 16)
            done += 1
            if done % 256 == 0:
                progress(done / rows)
    hashes.keep()
    indices = [row_index(data.part(name).samples) for name in names]
    return Survey(
        names,
        np.repeat(np.arange(len(names)), [len(data.part(name)) for name in names]),
        ids,
        [group for name in names for group in data.part(name).groups],
        np.concatenate([i.lengths for i in indices]) if indices else np.zeros((0, len(MODALITIES)), int),
        np.concatenate([i.labels for i in indices]) if indices else np.zeros((0, len(HEADS))),
        content,
        long_text,
        bounds.low,
        bounds.high,
        looked_at=files is None,
    )


def _take_in(sample: Sample, row: int, content: Mapping[Modality, np.ndarray], bounds: _Bounds) -> None:
    for modality in MODALITIES:
        value = getattr(sample, modality)
        if value is None or not len(value):
            continue
        content[modality][row] = _mark(value)
        if not isinstance(value, str) and value.dtype.kind == "f":
            bounds.add(modality, np.atleast_2d(value))


def _mark(value: Any) -> int:
    """64 bits of the content, never 0; words count alike whatever their case and spaces."""
    if isinstance(value, str):
        stored = " ".join(value.split()).casefold().encode()
    else:
        stored = np.ascontiguousarray(value).tobytes()
    return int.from_bytes(hashlib.blake2b(stored, digest_size=8).digest(), "little") or 1


class _Bounds:
    """Least and greatest value of each feature so far."""

    def __init__(self) -> None:
        self.low: dict[Modality, np.ndarray] = {}
        self.high: dict[Modality, np.ndarray] = {}

    def add(self, modality: Modality, steps: np.ndarray) -> None:
        low, high = steps.min(axis=0), steps.max(axis=0)
        if modality in self.low:
            low, high = np.minimum(low, self.low[modality]), np.maximum(high, self.high[modality])
        self.low[modality], self.high[modality] = low, high
