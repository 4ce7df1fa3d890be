"""Whole recordings, kept for the alignment's reference: the voice, where it speaks, and the face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa

from core.data.columns import MappedFile
from core.types import AUDIO_WIDTH, VISUAL_WIDTH, ClipFeatures

SCHEMA = pa.schema(
    [
        ("group", pa.large_string()),
        ("duration", pa.float64()),
        ("audio", pa.large_list(pa.float32())),
        ("voiced", pa.large_list(pa.uint8())),
        ("visual", pa.large_list(pa.float32())),
    ]
)


MOST = 2000
"""Recordings that are kept at most: more of them change no percentile, but would all be looked at."""


class RecordingWriter:
    """Appends recordings to a folder's file, the first MOST of them; none is made where there are none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "recordings-0000.arrow"
        self._file: pa.ipc.RecordBatchFileWriter | None = None
        self._count = 0

    def add(self, features: ClipFeatures, group: str) -> None:
        """Append a recording that holds voice and face; others are no use to a reference of both."""
        if features.audio is None or features.visual is None or features.voiced is None:
            return
        if self._count == MOST:
            return
        self._count += 1
        if self._file is None:
            self._file = pa.ipc.new_file(str(self._path), SCHEMA)
        flat = (features.audio.ravel(), features.voiced.astype(np.uint8), features.visual.ravel())
        columns = [pa.array([group], pa.large_string()), pa.array([features.duration])]
        columns += [_one(x, SCHEMA.field(i + 2).type) for i, x in enumerate(flat)]
        self._file.write_batch(pa.record_batch(columns, schema=SCHEMA))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _one(values: np.ndarray, kind: pa.DataType) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(
        pa.array([0, len(values)], pa.int64()), pa.array(values, kind.value_type)
    )


class Recordings(Sequence[ClipFeatures]):
    """Recordings on disk, each read when it is asked for; `groups` names the video or person of each."""

    def __init__(self, files: Sequence[Path] = ()) -> None:
        self._batches = [batch for path in files for batch in MappedFile(path).batches()]
        self.groups: list[str] = [batch.column("group")[0].as_py() for batch in self._batches]

    def __len__(self) -> int:
        return len(self._batches)

    @overload
    def __getitem__(self, item: int) -> ClipFeatures: ...
    @overload
    def __getitem__(self, item: slice) -> list[ClipFeatures]: ...
    def __getitem__(self, item: int | slice) -> ClipFeatures | list[ClipFeatures]:
        if isinstance(item, slice):
            return [self[i] for i in range(len(self))[item]]
        batch = self._batches[item]
        audio, voiced, visual = (batch.column(n).values.to_numpy() for n in ("audio", "voiced", "visual"))
        return ClipFeatures(
            duration=batch.column("duration")[0].as_py(),
            audio=audio.reshape(-1, AUDIO_WIDTH),
            voiced=voiced.astype(bool),
            visual=visual.reshape(-1, VISUAL_WIDTH),
        )

    def __iter__(self) -> Iterator[ClipFeatures]:
        return (self[i] for i in range(len(self)))

    def of(self, groups: set[str]) -> Recordings:
        """Those of these groups alone."""
        found = Recordings()
        found._batches = [b for b, g in zip(self._batches, self.groups, strict=True) if g in groups]
        found.groups = [g for g in self.groups if g in groups]
        return found
