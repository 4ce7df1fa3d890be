"""From data on disk to samples by part: dataset files, label folders, tables of texts, and the mixed sources
of a run (`data.sources`), each a table with the recordings that it names.

Recordings become features by `core.features.extract`, the one way that clips go when the model is used.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data import label_folder, mmsa_pickle
from core.data.batches import Sample, has
from core.data.label_folder import inside, number, table, told
from core.diagnostics.windows import paired_windows
from core.errors import DataError, MediaError
from core.inference.spans import whole
from core.training.settings import DataSettings, Source
from core.types import MODALITIES, ClipFeatures, Head, Modality

if TYPE_CHECKING:
    from core.features.extract import Extractor

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]."""

PARTS = ("train", "valid", "calibration", "test")
OWN_SHARE = 0.1
"""Of data without parts, the share that each of the last three gets for training."""
TABLE_LABELS: dict[str, Head] = {"label_text": "text", "label_audio": "audio", "label_visual": "visual"}


@dataclass(slots=True)
class Part:
    """Samples of one part, and of each the number of the source it came from."""

    samples: list[Sample] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.samples)

    def of(self, source: int) -> list[Sample]:
        """The samples that came from one source."""
        return [s for s, number in zip(self.samples, self.sources, strict=True) if number == source]

    def add(self, samples: Sequence[Sample], source: int) -> None:
        self.samples += samples
        self.sources += [source] * len(samples)


@dataclass(slots=True)
class DataSet:
    """Everything a run learns from and is judged by.

    parts: "train", "valid", "calibration", "test" ("all" for data without parts). sources: what
    `Part.sources` counts. recordings: voice and face of the same clip, for the alignment's reference.
    notes: what was left out or mended, in words.
    """

    parts: dict[str, Part]
    sources: tuple[Source, ...]
    recordings: list[ClipFeatures] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def part(self, name: str) -> Part:
        """A part by name; empty where there is none."""
        return self.parts.get(name) or Part()


def load(settings: DataSettings, path: Path, on_progress: Progress | None = None) -> DataSet:
    """Read what the settings and the path name; parts that are absent are absent.

    path: a `.pkl` of MMSA's layout, a folder with `label.csv`, a CSV with columns `text, y` — or, where the
    settings name sources, the folder that their tables lie in. Raises DataError that lists every problem.
    """
    progress = on_progress or (lambda step, share: None)
    if settings.sources:
        return _mixed(settings, path, progress)
    if path.is_dir():
        return _label_folder(path, progress)
    if path.suffix.lower() in (".pkl", ".pickle"):
        read = mmsa_pickle.read(path, settings.text)
        return _data_set(
            {name: list(samples) for name, samples in read.items()}, [str(o) for o in read.oddities]
        )
    return _data_set({"all": _texts(path)}, [])


def for_training(data: DataSet) -> DataSet:
    """The same with parts to train on, to watch, to calibrate and to test, where the data has none itself."""
    if [name for name, part in data.parts.items() if len(part)] != ["all"]:
        return data
    shares = Source(valid_share=OWN_SHARE, calibration_share=OWN_SHARE, test_share=OWN_SHARE)
    found = _data_set(_split(data.part("all").samples, shares), data.notes)
    found.recordings = data.recordings
    rows = ", ".join(f"{name} {len(found.part(name))}" for name in PARTS)
    found.notes.append(f"no parts of its own: cut by whole groups into {rows}")
    return found


def _data_set(parts: dict[str, list[Sample]], notes: list[str]) -> DataSet:
    made = {name: Part(samples, [0] * len(samples)) for name, samples in parts.items()}
    return DataSet(made, (Source(),), notes=notes)


def _texts(path: Path) -> list[Sample]:
    """Rows of a CSV with columns `text, y`: the label is that of the words, which are all there is."""
    samples, problems = [], []
    for line, row in enumerate(table(path, ("text", "y")), 2):
        try:
            y = number(row["y"])
        except ValueError as error:
            problems.append(f"line {line}: {error}")
            continue
        labels: dict[Head, float] = {} if math.isnan(y) else {"multimodal": y, "text": y}
        identity = row.get("uid") or str(line)
        samples.append(Sample(identity, row.get("video_id") or identity, text=row["text"], labels=labels))
    if problems:
        raise DataError(f"{path}: {told(problems)}")
    return samples


def _label_folder(path: Path, progress: Progress) -> DataSet:
    rows = label_folder.read(path)
    reader = _Recordings(progress, "features")
    parts: dict[str, list[Sample]] = {}
    recordings = []
    for done, row in enumerate(rows):
        reader.progress(done / len(rows))
        if (features := reader.read(row.file)) is None:
            continue
        if row.mode in ("train", "all"):
            recordings.append(features)
        sample = whole(features)
        parts.setdefault(row.mode, []).append(
            Sample(row.id, row.group, row.text or None, sample.audio, sample.visual, row.labels)
        )
    data = _data_set(parts, reader.notes())
    data.recordings = recordings
    return data


def _mixed(settings: DataSettings, root: Path, progress: Progress) -> DataSet:
    data = DataSet({name: Part() for name in PARTS}, settings.sources)
    problems: list[str] = []
    for index, source in enumerate(settings.sources):
        try:
            _read_source(source, index, root, data, progress)
        except DataError as error:
            problems.append(error.message)
    if problems:
        raise DataError("; ".join(problems), "Correct these sources and start again.")
    return data


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a source's table: `file` is None where it names no recording."""

    id: str
    group: str
    text: str | None
    file: Path | None
    labels: dict[Head, float]


def _read_source(source: Source, index: int, root: Path, data: DataSet, progress: Progress) -> None:
    rows = _rows(source, root)
    reader = _Recordings(progress, source.path)
    samples: list[Sample] = []
    for done, row in enumerate(rows):
        reader.progress(done / len(rows))
        if row.file is None:
            samples.append(Sample(row.id, row.group, row.text, labels=row.labels))
        elif (features := reader.read(row.file)) is not None:
            if source.windows and source.split == "train":
                data.recordings.append(features)
            samples += _windows(row, features) if source.windows else [_sample(row, features)]
    samples = [s for s in samples if any(has(s, m) for m in MODALITIES)]
    for name, part in _split(samples, source).items():
        data.parts[name].add(part, index)
    data.notes += reader.notes()


def _sample(row: _Row, features: ClipFeatures) -> Sample:
    seen = whole(features)
    return Sample(row.id, row.group, row.text, seen.audio, seen.visual, row.labels)


def _windows(row: _Row, features: ClipFeatures) -> list[Sample]:
    """The windows of a second in which voice and face are there together, without labels."""
    found = paired_windows(features)
    if found is None:
        return []
    return [
        Sample(f"{row.id}@{i}", row.group, audio=found.audio[i], visual=found.visual[i])
        for i in range(len(found))
    ]


def _rows(source: Source, root: Path) -> list[_Row]:
    """The rows a source lets in, in the table's order; a row without a label only where none is needed."""
    columns = source.columns
    named = [name for name in columns.model_dump().values() if name] + list(source.where)
    try:
        lines = list(table(inside(root, source.path), tuple(dict.fromkeys(named))))
    except ValueError as error:
        raise DataError(f"{source.path}: {error}") from error
    rows, problems = [], []
    for line, row in enumerate(lines, 2):
        if any(row[name] not in allowed for name, allowed in source.where.items()):
            continue
        try:
            made = _made(row, line, source, root)
        except ValueError as error:
            problems.append(f"line {line}: {error}")
            continue
        if made.labels or source.windows:
            rows.append(made)
        if source.limit and len(rows) == source.limit:
            break
    if problems:
        raise DataError(f"{source.path}: {told(problems)}")
    return rows


def _made(row: dict[str, str], line: int, source: Source, root: Path) -> _Row:
    columns = source.columns
    identity = row[columns.id] if columns.id else f"{source.path}:{line}"
    file = inside(root, source.media_root, row[columns.file]) if columns.file else None
    if file is not None and not file.is_file():
        raise ValueError(f"no file {row[columns.file]}")
    return _Row(
        id=identity,
        group=row[columns.group] if columns.group else identity,
        text=row[columns.text] if columns.text else None,
        file=file,
        labels=_labels(row, source),
    )


def _labels(row: dict[str, str], source: Source) -> dict[Head, float]:
    columns = source.columns
    labels: dict[Head, float] = {}
    if columns.label:
        labels = dict.fromkeys(source.heads, _value(row[columns.label], source))
    for name, head in TABLE_LABELS.items():
        if column := getattr(columns, name):
            labels[head] = _value(row[column], source)
    return {head: value for head, value in labels.items() if not math.isnan(value)}


def _value(text: str, source: Source) -> float:
    """A score, or the place of a class on the scale; NaN for an empty cell and for an unplaced class."""
    return source.class_values.get(text, math.nan) if source.class_values else number(text)


class _Recordings:
    """Reads the recordings of one source; what fails or was there before is left out and counted."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name
        self._extractor: Extractor | None = None
        self._seen: set[bytes] = set()
        self._twice: list[str] = []
        self._broken: list[str] = []

    def progress(self, share: float) -> None:
        self._progress(f"reading {self._name}", share)

    def read(self, file: Path) -> ClipFeatures | None:
        """Voice and face of a recording; None where it cannot be read or is a copy of one before."""
        content = hashlib.sha256(file.read_bytes()).digest()
        if content in self._seen:
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


def _split(samples: Sequence[Sample], source: Source) -> dict[str, list[Sample]]:
    """Samples by part. Shares are cut by whole groups, in an order that only the groups' names decide."""
    shares = {
        "test": source.test_share,
        "calibration": source.calibration_share,
        "valid": source.valid_share,
    }
    names = sorted({s.group for s in samples}, key=lambda name: hashlib.sha256(name.encode()).digest())
    sizes = {name: 0 for name in names}
    for sample in samples:
        sizes[sample.group] += 1
    part_of: dict[str, str] = {}
    order = iter(names)
    for part, share in shares.items():
        part_of |= dict.fromkeys(_taken(order, sizes, round(share * len(samples))), part)
    parts: dict[str, list[Sample]] = {}
    for sample in samples:
        parts.setdefault(part_of.get(sample.group, source.split), []).append(sample)
    return parts


def _taken(groups: Iterator[str], sizes: dict[str, int], rows: int) -> Iterator[str]:
    """The next groups until they hold so many rows."""
    held = 0
    while held < rows and (name := next(groups, None)) is not None:
        held += sizes[name]
        yield name


def standardisation(samples: Sequence[Sample], modality: Modality) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and standard deviation (width,) of a modality's frames over all samples; None without any."""
    frames = [np.asarray(getattr(s, modality), dtype=np.float64) for s in samples if has(s, modality)]
    if not frames:
        return None
    joined = np.concatenate(frames)
    return joined.mean(axis=0), joined.std(axis=0)
