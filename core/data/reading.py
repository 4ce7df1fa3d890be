"""Each kind of source on its way into the store, sample by sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data import mmsa_pickle
from core.data.batches import Sample, has
from core.data.extraction import extract_all
from core.data.label_folder import LabelRow
from core.data.store import Writer
from core.data.tables import Row
from core.diagnostics.windows import paired_windows
from core.errors import MediaError
from core.features.cache import content_hash
from core.inference.spans import whole
from core.training.data_settings import Source
from core.types import EXTRACTOR_VERSION, MODALITIES, ClipFeatures, Modality

if TYPE_CHECKING:
    from core.features.extract import Extractor

Progress = Callable[[str, float], None]

OWN = f"extractor:{EXTRACTOR_VERSION}"
FOREIGN = "foreign"
"""Where a modality's features come from."""

EXTRACTING = "extracting voice and face"

_OWN: dict[Modality, str] = dict.fromkeys(MODALITIES, OWN)


def mmsa(path: Path, text: mmsa_pickle.TextKind, writer: Writer, progress: Progress) -> dict[str, Any]:
    """A dataset file; the pickle itself must be read whole, its samples go out part by part."""
    progress("reading the dataset file", 0.0)
    oddities: list[mmsa_pickle.Oddity] = []
    words = False
    for part, sample in mmsa_pickle.stream(path, text, oddities):
        words |= isinstance(sample.text, str)
        writer.add(sample, part)
    writer.notes += [str(oddity) for oddity in oddities]
    return {
        "oddities": [asdict(oddity) for oddity in oddities],
        "features": {"text": OWN if words else FOREIGN, "audio": FOREIGN, "visual": FOREIGN},
    }


def texts(rows: Sequence[Row], writer: Writer, progress: Progress) -> dict[str, Any]:
    """A plain table of texts."""
    for row in rows:
        writer.add(Sample(row.id, row.group, text=row.text, labels=row.labels), row.part)
    return {"features": _OWN}


def label_folder(
    rows: Sequence[LabelRow], notes: Sequence[str], writer: Writer, progress: Progress
) -> dict[str, Any]:
    """The clips of a label folder; those that are absent or cannot be read are left out and noted."""
    failed = extract_all([row.file for row in rows], partial(progress, EXTRACTING))
    reader = _Recordings(progress, "clips", failed)
    for done, row in enumerate(rows):
        reader.progress(done / len(rows))
        if (features := reader.read(row.file)) is None:
            continue
        if row.mode in ("train", "all"):
            writer.recordings.add(features, row.group)
        seen = whole(features)
        sample = Sample(row.id, row.group, row.text or None, seen.audio, seen.visual, row.labels)
        writer.add(sample, row.mode)
    writer.notes += [*notes, *reader.notes()]
    return {"features": _OWN}


def mixed(
    sources: Sequence[Source],
    read: Sequence[Sequence[Row]],
    parts: Sequence[Sequence[str]],
    writer: Writer,
    progress: Progress,
) -> dict[str, Any]:
    """The tables of a run, one after the other. parts: of each source the part of each row."""
    files = dict.fromkeys(row.file for rows in read for row in rows if row.file is not None)
    failed = extract_all(list(files), partial(progress, EXTRACTING))
    first: dict[str, Path] = {}
    for number, (source, rows) in enumerate(zip(sources, read, strict=True)):
        reader = _Recordings(progress, source.path, failed, first)
        _source(source, number, list(zip(parts[number], rows, strict=True)), writer, reader)
        writer.notes += reader.notes()
    return {"features": _OWN}


def _source(
    source: Source, number: int, rows: Sequence[tuple[str, Row]], writer: Writer, reader: _Recordings
) -> None:
    for done, (part, row) in enumerate(rows):
        reader.progress(done / len(rows))
        samples = [Sample(row.id, row.group, row.text, labels=row.labels)]
        if row.file is not None:
            features = reader.read(row.file)
            if features is None:
                continue
            samples = _windows(row, features) if source.windows else [_sample(row, features)]
            if source.windows and samples and part == "train":
                writer.recordings.add(features, row.group)
        for sample in samples:
            if any(has(sample, m) for m in MODALITIES):
                writer.add(sample, part, number)


def _sample(row: Row, features: ClipFeatures) -> Sample:
    seen = whole(features)
    return Sample(row.id, row.group, row.text, seen.audio, seen.visual, row.labels)


def _windows(row: Row, features: ClipFeatures) -> list[Sample]:
    """The windows of a second in which voice and face are there together, without labels."""
    found = paired_windows(features)
    if found is None:
        return []
    return [
        Sample(f"{row.id}@{i}", row.group, audio=found.audio[i], visual=found.visual[i])
        for i in range(len(found))
    ]


class _Recordings:
    """Reads the recordings of one source; what fails or was there before is left out and counted."""

    def __init__(
        self, progress: Progress, name: str, failed: Mapping[Path, str], first: dict[str, Path] | None = None
    ) -> None:
        """failed: why recordings could not be read, by their files; all others are in the features' cache.

        first: the file that had each content first, shared with other sources. These may name the same file
        once more, to learn something else from it, but not a copy: it would be the same person in two parts.
        """
        self._progress, self._name, self._failed = progress, name, failed
        self._extractor: Extractor | None = None
        self._seen: set[str] = set()
        self._first = {} if first is None else first
        self._twice: list[str] = []
        self._broken: list[str] = []

    def progress(self, share: float) -> None:
        self._progress(f"reading {self._name}", share)

    def read(self, file: Path) -> ClipFeatures | None:
        """Voice and face of a recording; None where it cannot be read or is a copy of one before."""
        if reason := self._failed.get(file):
            self._broken.append(reason if file.name in reason else f"{file.name}: {reason}")
            return None
        content = content_hash(file)
        if content in self._seen or self._first.setdefault(content, file) != file:
            self._twice.append(file.name)
            return None
        self._seen.add(content)
        if self._extractor is None:
            from core.features.extract import Extractor  # slow to import, and tables of texts need none

            self._extractor = Extractor()
        try:
            return self._extractor.extract(file, modalities=("audio", "visual"))
        except MediaError as error:
            self._broken.append(error.message)
            return None

    def notes(self) -> list[str]:
        notes = [f"{self._name}: {name} is a copy of another file: left out" for name in self._twice]
        return notes + [f"{self._name}: {message}: left out" for message in self._broken]
