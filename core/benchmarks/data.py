"""What it costs to read rows in the order of training: from the store, and from Parquet beside it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.benchmarks.synthetic import ALIGNED, UNALIGNED, Shape, samples, synthetic
from core.data.batches import BucketSampler, collate, row_index
from core.data.columns import SCHEMA, packed, record_batch
from core.data.rows import Rows

BATCHES = (16, 32)
ROUNDS = 3
VECTORS = 384
PARQUET_BATCHES = 10
"""So few tell enough of what takes a hundred times as long."""


def data(clip: Path) -> dict[str, Any]:
    """Microseconds a row at their best of some rounds, from a warm disk; rows converted a second."""
    with tempfile.TemporaryDirectory() as folder, _cache(folder):
        shapes = {"aligned": ALIGNED, "unaligned": UNALIGNED}
        reading, converting = [], {}
        for name, shape in shapes.items():
            shape = Shape(shape.rows, shape.audio, shape.visual, text_vectors=VECTORS)
            started = perf_counter()
            made = synthetic(shape)
            converting[name] = sum(shape.rows.values()) / (perf_counter() - started)
            rows = made.part("train").samples
            assert isinstance(rows, Rows)
            parquet = _parquet(Path(folder) / f"{name}.parquet", shape)
            reading += [_measured(name, size, rows, parquet) for size in BATCHES]
    return {"microseconds_a_row": reading, "rows_converted_a_second": converting}


def _measured(name: str, size: int, rows: Rows, parquet: pq.ParquetFile) -> dict[str, Any]:
    order = list(BucketSampler(row_index(rows).lengths, size, seed=0, pool=5).epoch(1))
    return {
        "data": name,
        "batch": size,
        "rows": _best(lambda batch: [rows[i] for i in batch], order),
        "with their batch": _best(lambda batch: collate([rows[i] for i in batch], None, batch), order),
        "Parquet rows": _best(
            lambda batch: [parquet.read_row_group(i, use_threads=False) for i in batch],
            order[:PARQUET_BATCHES],
        ),
    }


def _best(read: Callable[[list[int]], object], order: Sequence[list[int]]) -> float:
    """Microseconds a row."""
    seconds = []
    for _ in range(ROUNDS):
        started = perf_counter()
        for batch in order:
            read(batch)
        seconds.append(perf_counter() - started)
    return 1e6 * min(seconds) / sum(map(len, order))


def _parquet(path: Path, shape: Shape) -> pq.ParquetFile:
    """The training rows in the form of Parquet that gives single rows quickest: uncompressed, one a group."""
    with pq.ParquetWriter(path, SCHEMA, compression="none", use_dictionary=False) as file:
        for part, sample in samples(shape):
            if part == "train":
                file.write_table(pa.Table.from_batches([record_batch([packed(sample)[1]])]))
    return pq.ParquetFile(path, memory_map=True)


@contextmanager
def _cache(folder: str) -> Generator[None]:
    """Converted data goes into the folder instead of the user's cache."""
    before = os.environ.get("CONSONANCE_CACHE")
    os.environ["CONSONANCE_CACHE"] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ["CONSONANCE_CACHE"]
        else:
            os.environ["CONSONANCE_CACHE"] = before
