"""Samples as Arrow columns: packed into record batches, and read back from a mapped file without a copy.

A sequence (T, width) lies flat in a list column; the width is the same for all rows and kept beside the file.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from core.data.batches import Sample, has

NO_TEXT, WORDS, TOKENS, VECTOR = range(4)
"""What a row's text is."""

_LIST = {"tokens": pa.int32(), "vector": pa.float32(), "audio": pa.float32(), "visual": pa.float32()}
LISTS = tuple(_LIST)
SCHEMA = pa.schema(
    [("words", pa.large_string()), *((name, pa.large_list(kind)) for name, kind in _LIST.items())]
)

Row = dict[str, Any]
"""The columns of one sample that hold something."""


def packed(sample: Sample) -> tuple[int, Row]:
    """The kind of a sample's text, and its columns. Text vectors become their mean: no network reads more.

    The mean is taken exactly as `core.data.batches.collate` takes it.
    """
    row: Row = {}
    for name in ("audio", "visual"):
        if has(sample, name):
            row[name] = np.atleast_2d(np.asarray(getattr(sample, name), dtype=np.float32))
    if not has(sample, "text"):
        return NO_TEXT, row
    if isinstance(sample.text, str):
        return WORDS, row | {"words": sample.text}
    stored = np.asarray(sample.text)
    if stored.dtype.kind in "iu":
        return TOKENS, row | {"tokens": stored.astype(np.int32)}
    mean = np.atleast_2d(stored).mean(axis=0, dtype=np.float64)
    return VECTOR, row | {"vector": mean.astype(np.float32)}


def record_batch(rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows of `packed` as one record batch of SCHEMA."""
    words = pa.array([row.get("words", "") for row in rows], pa.large_string())
    return pa.record_batch(
        [words, *(_list([row.get(name) for row in rows], kind) for name, kind in _LIST.items())],
        schema=SCHEMA,
    )


def _list(values: Sequence[np.ndarray | None], kind: pa.DataType) -> pa.LargeListArray:
    sizes = [0 if x is None else x.size for x in values]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    there = [x.ravel() for x in values if x is not None]
    flat = np.concatenate(there) if there else np.empty(0, kind.to_pandas_dtype())
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(flat, kind))


class MappedFile:
    """An Arrow file in the page cache: what is read of it is no memory of this process's own."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(self._map)))

    def batches(self) -> Iterable[pa.RecordBatch]:
        for number in range(self._reader.num_record_batches):
            yield self._reader.get_batch(number)

    def release(self) -> None:
        """Let the system take back the pages read so far; views stay valid and are read again on use."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


class Chunk:
    """One record batch of sequences: views of row `position`'s columns."""

    __slots__ = ("_columns", "_words")

    def __init__(self, batch: pa.RecordBatch) -> None:
        _, offsets, characters = batch.column("words").buffers()
        self._words = (np.frombuffer(offsets, np.int64), memoryview(characters or b""))
        self._columns = {}
        for name in LISTS:
            column = batch.column(name)
            values = column.values.to_numpy()
            if len(values):
                self._columns[name] = (column.offsets.to_numpy(), values)

    def words(self, position: int) -> str:
        offsets, characters = self._words
        return str(characters[offsets[position] : offsets[position + 1]], "utf-8")

    def view(self, name: str, position: int) -> np.ndarray:
        """The flat values of a list column that holds something in this row."""
        offsets, values = self._columns[name]
        return values[offsets[position] : offsets[position + 1]]
