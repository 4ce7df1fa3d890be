"""Data sets converted once, kept by the fingerprint of what they were made from, read memory-mapped.

`cache()/data/<fingerprint>/` holds `index.arrow` (a line a sample), `sequences-0000.arrow` … (its text
and sequences), `recordings-0000.arrow` (whole clips for the alignment's reference) and `about.json`. It is
written beside its place, append-only, and takes its name when it is whole; then it never changes. Why Arrow
files and not Parquet: docs/adr/0008-arrow-for-training-rows.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from core import paths
from core.data.batches import Sample
from core.data.columns import SCHEMA, packed, record_batch
from core.data.recordings import Recordings, RecordingWriter
from core.data.rows import Table
from core.errors import DataError
from core.types import HEADS, MODALITIES

VERSION = 1
"""Raised when older stores cannot be read any more."""
CHUNK_BYTES, CHUNK_ROWS = 2**23, 4096
"""What is held in memory before it is written."""
SHARD_BYTES = 2**30
ABANDONED_SECONDS = 2 * 86400.0
"""A half-written store that nobody touched for so long belongs to no process any more."""
PATIENCE = 3
"""How often a finished store is offered its name while others take it and give it up."""
INDEX, ABOUT = "index.arrow", "about.json"

PARTS = ("train", "valid", "calibration", "test", "all")

_INDEX_SCHEMA = pa.schema(
    [
        ("id", pa.large_string()),
        ("group", pa.large_string()),
        ("part", pa.uint8()),
        ("source", pa.int32()),
        ("together", pa.uint8()),
        ("text_kind", pa.uint8()),
        *((f"length_{m}", pa.int32()) for m in MODALITIES),
        *((f"label_{head}", pa.float64()) for head in HEADS),
        ("chunk", pa.int32()),
        ("position", pa.int32()),
    ]
)


class Stored:
    """A converted data set on disk: its table, its recordings, and what is to be said about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        shards = sorted(folder.glob("sequences-*.arrow"))
        self.table = Table(folder.name, folder / INDEX, shards, self.about["widths"])
        self.recordings = Recordings(sorted(folder.glob("recordings-*.arrow")))

    def rows(self, part: str) -> np.ndarray:
        """Numbers of the rows of a part."""
        return np.flatnonzero(self.table.column("part") == PARTS.index(part))


class Writer:
    """Takes samples one after the other; holds one chunk of them and, of all, a line each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[Any] = []
        self.recordings = RecordingWriter(folder)
        self._index: dict[str, list[Any]] = {name: [] for name in _INDEX_SCHEMA.names if name != "part"}
        self._parts: list[str] = []
        self._rows: list[Any] = []
        self._bytes, self._shard_bytes, self._chunks = 0, 0, 0
        self._widths: dict[str, int] = {}
        self._file: pa.ipc.RecordBatchFileWriter | None = None

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, sample: Sample, part: str, source: int = 0) -> None:
        """Append a sample. Raises DataError where its features are not as wide as those before."""
        kind, row = packed(sample)
        for name in ("vector", "audio", "visual"):
            if name in row:
                width = self._widths.setdefault(name, row[name].shape[-1])
                if row[name].shape[-1] != width:
                    raise DataError(
                        f"{sample.id}: {row[name].shape[-1]} {name} features, but {width} in rows before",
                        "All rows must have features of one kind.",
                    )
        text = len(row.get("words", "")) or len(row.get("tokens", ())) or len(row.get("vector", ()))
        values = {
            "id": sample.id,
            "group": sample.group,
            "source": source,
            "together": int(sample.together),
            "text_kind": kind,
            "length_text": text,
            "length_audio": len(row.get("audio", ())),
            "length_visual": len(row.get("visual", ())),
            **{f"label_{head}": float(sample.labels.get(head, np.nan)) for head in HEADS},
            "chunk": self._chunks,
            "position": len(self._rows),
        }
        for name, value in values.items():
            self._index[name].append(value)
        self._parts.append(part)
        self._rows.append(row)
        self._bytes += sum(x.nbytes if isinstance(x, np.ndarray) else len(x) for x in row.values())
        if self._bytes >= CHUNK_BYTES or len(self._rows) >= CHUNK_ROWS:
            self._flush()

    def close(self, about: Mapping[str, Any]) -> None:
        """Write what is left, the index, and what there is to say."""
        self._flush()
        if self._file is not None:
            self._file.close()
        self.recordings.close()
        columns = dict(self._index, part=[PARTS.index(part) for part in self._parts])
        batch = pa.record_batch([pa.array(columns[f.name], f.type) for f in _INDEX_SCHEMA], _INDEX_SCHEMA)
        with pa.OSFile(str(self.folder / INDEX), "wb") as sink, pa.ipc.new_file(sink, _INDEX_SCHEMA) as file:
            file.write_batch(batch)
        told = {"version": VERSION, "widths": self._widths, "notes": self.notes, **about}
        (self.folder / ABOUT).write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")

    def _flush(self) -> None:
        if not self._rows:
            return
        if self._file is None or self._shard_bytes >= SHARD_BYTES:
            if self._file is not None:
                self._file.close()
            number = len(list(self.folder.glob("sequences-*.arrow")))
            self._file = pa.ipc.new_file(str(self.folder / f"sequences-{number:04}.arrow"), SCHEMA)
            self._shard_bytes = 0
        self._file.write_batch(record_batch(self._rows))
        self._shard_bytes += self._bytes
        self._rows, self._bytes, self._chunks = [], 0, self._chunks + 1


def root() -> Path:
    """Where converted data lies; it may be deleted at any time when nothing runs."""
    return paths.cache() / "data"


def find(fingerprint: str) -> Stored | None:
    """The store of that fingerprint; None where there is none that this version reads."""
    folder = root() / fingerprint
    try:
        stored = Stored(folder)
    except (OSError, ValueError, KeyError, StopIteration, pa.ArrowException):
        return None
    return stored if stored.about["version"] == VERSION else None


def convert(fingerprint: str, fill: Callable[[Writer], Mapping[str, Any]]) -> Stored:
    """The store of that fingerprint, made by `fill` unless it is there: it adds the samples, and returns what
    goes into about.json. Raises DataError where it cannot be written."""
    if (stored := find(fingerprint)) is not None:
        return stored
    with _beside(fingerprint) as folder:
        writer = Writer(folder)
        about = fill(writer)
        writer.close(about)
    stored = find(fingerprint)
    if stored is None:
        raise DataError(f"{root() / fingerprint} was written but cannot be read again.", "Is the disk sound?")
    return stored


def kept(fingerprint: str, name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays that were made of a store and are kept beside it, made now if they are not there yet.

    A cache that cannot be written costs time, not the answer.
    """
    file = root() / "made" / f"{fingerprint}-{name}.npz"
    try:
        with np.load(file, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        arrays = make()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
            np.savez(part, allow_pickle=False, **arrays)
        Path(part.name).replace(file)
    except OSError:
        return arrays
    return arrays


def _sweep() -> None:
    """Remove what conversions that were killed left behind."""
    for folder in root().glob(".*-*"):
        if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _publish(folder: Path, fingerprint: str) -> None:
    """Give a finished store its name, unless another process was quicker: that one's holds the same.

    Not by `core.files.whole_folder`, where the newer takes the place of the older, which may be mapped.
    """
    place = root() / fingerprint
    for _ in range(PATIENCE):
        if find(fingerprint) is not None:
            return
        with contextlib.suppress(OSError):  # the name is taken
            folder.rename(place)
            return
        if find(fingerprint) is None and place.exists():  # of an older version, or damaged
            with (
                tempfile.TemporaryDirectory(prefix=f".{fingerprint}-", dir=root()) as old,
                contextlib.suppress(OSError),  # another process was quicker with that, too
            ):
                place.rename(Path(old) / "old")
    folder.rename(place)


@contextmanager
def _beside(fingerprint: str) -> Generator[Path]:
    """A folder to fill, which takes the place of that fingerprint only if all went well."""
    try:
        root().mkdir(parents=True, exist_ok=True)
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=f".{fingerprint}-", dir=root()))
    except OSError as error:
        raise DataError(
            f"{root()} cannot be written: {error.strerror}", "CONSONANCE_CACHE moves it."
        ) from error
    try:
        yield folder
        for path in folder.iterdir():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        _publish(folder, fingerprint)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written: {error.strerror or error}",
            "Make room there, or move the cache with CONSONANCE_CACHE.",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
