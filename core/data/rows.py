"""Samples that stay on disk: a light index in memory, sequences mapped and read where they are used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa

from core.data.batches import RowIndex, Sample
from core.data.columns import NO_TEXT, TOKENS, VECTOR, WORDS, Chunk, MappedFile
from core.types import HEADS, MODALITIES, Head, Modality

RELEASE_BYTES = 2**26
"""So much is read of the mapped files before their pages are given back to the system."""
READ_BYTES = 2**16
"""The system maps at least so much around a place that is read."""


@dataclass(frozen=True, slots=True)
class Ragged:
    """N arrays of different length, one after the other: `values` (sum, …), `offsets` (N + 1,)."""

    values: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """(N,) int64."""
        return np.diff(self.offsets)


@dataclass(frozen=True, slots=True)
class Looked:
    """N vectors looked up in `values` (M, width), which may be mapped; `places` (N,), -1 for none."""

    values: np.ndarray
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, row: int) -> np.ndarray:
        place = int(self.places[row])
        return np.asarray(self.values[place] if place >= 0 else self.values[:0].reshape(-1))

    @property
    def lengths(self) -> np.ndarray:
        """(N,) int64: the width, or 0."""
        return np.where(self.places >= 0, self.values.shape[1], 0)


class Table:
    """A converted data set: one index file, and the files of its sequences, all of them mapped."""

    def __init__(
        self, fingerprint: str, index: Path, shards: Sequence[Path], widths: Mapping[str, int]
    ) -> None:
        """widths: features a step of "audio" and "visual"."""
        self.fingerprint, self._widths = fingerprint, dict(widths)
        self._index = MappedFile(index)
        self.columns: pa.RecordBatch = next(iter(self._index.batches()))
        self._files = [MappedFile(path) for path in shards]
        self._chunks = [Chunk(batch) for file in self._files for batch in file.batches()]
        self._kind, self._chunk, self._position = (self.column(n) for n in ("text_kind", "chunk", "position"))
        self._together = self.column("together")
        self._lengths = {m: self.column(f"length_{m}") for m in MODALITIES}
        self._labels = {head: self.column(f"label_{head}") for head in HEADS}
        self._read = 0

    def __len__(self) -> int:
        return self.columns.num_rows

    def column(self, name: str) -> np.ndarray:
        """(N,) a numeric column of the index, not copied."""
        return self.columns.column(name).to_numpy()

    def text(self, row: int) -> str | np.ndarray | None:
        kind, chunk, position = self._kind[row], self._chunks[self._chunk[row]], self._position[row]
        if kind == NO_TEXT:
            return None
        if kind == WORDS:
            return chunk.words(position)
        return chunk.view("tokens" if kind == TOKENS else "vector", position)

    def sequence(self, row: int, modality: Modality) -> np.ndarray | None:
        """(T, width) float32, mapped; None where it is missing."""
        length = self._lengths[modality][row]
        if not length:
            return None
        flat = self._chunks[self._chunk[row]].view(modality, self._position[row])
        self._read += max(flat.nbytes, READ_BYTES)
        if self._read > RELEASE_BYTES:
            self.release()
        return flat.reshape(length, self._widths[modality])

    def labels(self, row: int) -> dict[Head, float]:
        known = {head: float(column[row]) for head, column in self._labels.items()}
        return {head: value for head, value in known.items() if value == value}

    def sample(self, row: int, shown: frozenset[Modality], text: str | np.ndarray | None) -> Sample:
        """A row with that text, and the other modalities among `shown`."""
        return Sample(
            self.columns.column("id")[row].as_py(),
            self.columns.column("group")[row].as_py(),
            text,
            self.sequence(row, "audio") if "audio" in shown else None,
            self.sequence(row, "visual") if "visual" in shown else None,
            self.labels(row),
            bool(self._together[row]),
        )

    def release(self) -> None:
        """Give the pages read so far back; a run's resident memory then does not grow with the data."""
        self._read = 0
        for file in self._files:
            file.release()


class Rows(Sequence[Sample]):
    """Chosen rows of a table as samples, each made when it is asked for; their arrays are read-only views."""

    def __init__(
        self,
        table: Table,
        rows: np.ndarray | None = None,
        shown: frozenset[Modality] = frozenset(MODALITIES),
        texts: Ragged | Looked | None = None,
        places: np.ndarray | None = None,
    ) -> None:
        """rows: numbers in the table, all by default. texts: in place of the table's, at `places`."""
        self.table, self.shown = table, shown
        self.rows = np.arange(len(table), dtype=np.int64) if rows is None else np.asarray(rows, np.int64)
        self._texts, self._places = texts, places

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, item: int) -> Sample: ...
    @overload
    def __getitem__(self, item: slice) -> Rows: ...
    def __getitem__(self, item: int | slice) -> Sample | Rows:
        if isinstance(item, slice):
            return self.take(np.arange(len(self))[item])
        return self.table.sample(int(self.rows[item]), self.shown, self.text(item))

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    def text(self, item: int) -> str | np.ndarray | None:
        """The text of one row alone."""
        if self._texts is not None and self._places is not None:
            found = self._texts[int(self._places[item])]
            return found if len(found) else None
        return self.table.text(int(self.rows[item])) if "text" in self.shown else None

    def take(self, rows: Sequence[int] | np.ndarray) -> Rows:
        """These of them, by their numbers here, in that order."""
        chosen = np.asarray(rows, dtype=np.int64)
        places = None if self._places is None else self._places[chosen]
        return Rows(self.table, self.rows[chosen], self.shown, self._texts, places)

    def showing(self, modalities: Sequence[Modality]) -> Rows:
        """The same with all other modalities missing."""
        return Rows(self.table, self.rows, self.shown & set(modalities), self._texts, self._places)

    def with_texts(self, texts: Ragged | Looked) -> Rows:
        """The same with token ids or vectors in place of the text, one entry a row; an empty one is none."""
        return Rows(self.table, self.rows, self.shown, texts, np.arange(len(self)))

    @cached_property
    def row_index(self) -> RowIndex:
        """Lengths and labels of all rows, without reading a sequence."""
        lengths = np.zeros((len(self), len(MODALITIES)), dtype=np.int32)
        for number, modality in enumerate(MODALITIES):
            if modality in self.shown:
                lengths[:, number] = self.table.column(f"length_{modality}")[self.rows]
        if self._texts is not None:
            lengths[:, 0] = self._texts.lengths[self._places]
        labels = [self.table.column(f"label_{head}")[self.rows] for head in HEADS]
        return RowIndex(lengths, np.stack(labels, axis=1).reshape(len(self), len(HEADS)))

    @cached_property
    def text_kinds(self) -> np.ndarray:
        """(N,) what each row's text is: a constant of `core.data.columns`."""
        kinds = self.table.column("text_kind")[self.rows]
        if self._texts is not None:
            kind = TOKENS if self._texts.values.dtype.kind in "iu" else VECTOR
            return np.where(self.row_index.has("text"), kind, NO_TEXT)
        return kinds if "text" in self.shown else np.zeros_like(kinds)

    @property
    def groups(self) -> list[str]:
        """The group of each row."""
        return self.table.columns.column("group").take(pa.array(self.rows)).to_pylist()

    @property
    def fingerprint(self) -> str:
        """Of these rows of this table: what was made of them can be kept under it."""
        digest = hashlib.sha256(self.table.fingerprint.encode())
        digest.update(self.rows.tobytes())
        digest.update(",".join(sorted(self.shown)).encode())
        return digest.hexdigest()


def ragged(arrays: Iterator[np.ndarray], dtype: type = np.int32) -> Ragged:
    """Arrays one after the other into one."""
    offsets, pieces = [0], []
    for array in arrays:
        offsets.append(offsets[-1] + len(array))
        pieces.append(np.asarray(array, dtype=dtype))
    values = np.concatenate(pieces) if pieces else np.empty(0, dtype)
    return Ragged(values, np.array(offsets, dtype=np.int64))
