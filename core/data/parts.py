"""What is learned from, by part; cutting parts by whole groups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.data.batches import Sample
from core.data.recordings import Recordings
from core.data.rows import Rows
from core.training.data_settings import Source
from core.types import ClipFeatures, Modality

PARTS = ("train", "valid", "calibration", "test")
OWN_SHARE = 0.1
"""Of data without parts, the share that each of the last three gets for training."""
LEAST_GROUPS = 5
"""With fewer videos or people no part is cut off: it would take too much from training."""


@dataclass(slots=True)
class Part:
    """Samples of one part, and of each the number of the source it came from."""

    samples: Sequence[Sample] = field(default_factory=list)
    sources: Sequence[int] | np.ndarray = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, rows: Sequence[int] | np.ndarray) -> Part:
        """These rows of it, by their numbers, in that order; samples on disk stay there."""
        chosen = np.asarray(rows, dtype=np.int64)
        samples = self.samples
        taken = samples.take(chosen) if isinstance(samples, Rows) else [samples[i] for i in chosen]
        return Part(taken, np.asarray(self.sources, dtype=np.int64)[chosen])

    def of(self, source: int) -> Sequence[Sample]:
        """The samples that came from one source."""
        return self.take(np.flatnonzero(np.asarray(self.sources) == source)).samples

    def add(self, samples: Sequence[Sample], source: int) -> None:
        """Append samples to a part that is held in memory."""
        assert isinstance(self.samples, list)
        assert isinstance(self.sources, list)
        self.samples += samples
        self.sources += [source] * len(samples)

    @property
    def groups(self) -> list[str]:
        """The video or person of each row."""
        return self.samples.groups if isinstance(self.samples, Rows) else [s.group for s in self.samples]


@dataclass(slots=True)
class DataSet:
    """Everything a run learns from and is judged by.

    parts: "train", "valid", "calibration", "test" ("all" for data without parts). sources: what
    `Part.sources` counts. recordings: voice and face of the same clip, of the training part alone, for the
    alignment's reference. notes: what was left out or mended, in words. fingerprint: of the content and of
    how it was read. features: by modality "extractor:<version>" where `core.features.extract` makes them
    (or the text is words), else "foreign". calibration_share: what `for_training` cuts from train. oddities:
    those of the notes that a program can read (`core.data.mmsa_pickle.Oddity`).
    """

    parts: dict[str, Part]
    sources: tuple[Source, ...]
    recordings: Sequence[ClipFeatures] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)
    fingerprint: str = ""
    features: dict[Modality, str] = field(default_factory=dict)
    calibration_share: float = OWN_SHARE
    oddities: list[dict[str, Any]] = field(default_factory=list)

    def part(self, name: str) -> Part:
        """A part by name; empty where there is none."""
        return self.parts.get(name) or Part()


def for_training(data: DataSet) -> DataSet:
    """The same with parts to train on, to watch, to calibrate and to test, where the data has none itself.

    Data with parts of its own, but none to calibrate on, gives the last share of its training part's groups
    for that; of sources each says itself what it gives.
    """
    there = [name for name, part in data.parts.items() if len(part)]
    if there == ["all"]:
        if (groups := len(set(data.part("all").groups))) < LEAST_GROUPS:
            found = _noted(data, f"no parts of its own, and only {groups} groups: all rows are trained on")
            found.parts = {"train": data.part("all")}
            return found
        shares = Source(valid_share=OWN_SHARE, calibration_share=OWN_SHARE, test_share=OWN_SHARE)
        return _cut(data, "all", shares, "no parts of its own: cut by whole groups into {rows}")
    if "all" in there:
        told = f"{len(data.part('all'))} rows are of no part, while others are: nothing is done with them"
        data = _noted(data, told)
        data.parts = {name: part for name, part in data.parts.items() if name != "all"}
        there.remove("all")
    unasked = any(source.path for source in data.sources) or not data.calibration_share
    if unasked or "calibration" in there or "train" not in there:
        return data
    if (groups := len(set(data.part("train").groups))) < LEAST_GROUPS:
        return _noted(data, f"no part to calibrate on: only {groups} groups to train on; no intervals then")
    shares = Source(calibration_share=data.calibration_share)
    return _cut(data, "train", shares, "a part to calibrate on was cut from train by whole groups: {rows}")


def _noted(data: DataSet, note: str) -> DataSet:
    return replace(data, notes=[*data.notes, note])


def _cut(data: DataSet, name: str, shares: Source, note: str) -> DataSet:
    """The data with one part cut up; the recordings are those of what is trained on then."""
    part = data.part(name)
    names = np.array(assigned(part.groups, shares))
    cut = {new: part.take(np.flatnonzero(names == new)) for new in PARTS if (names == new).any()}
    parts = {**{k: p for k, p in data.parts.items() if k != name}, **cut}
    ordered = {k: parts[k] for k in PARTS if k in parts}
    rows = ", ".join(f"{k} {len(p)}" for k, p in ordered.items())
    found = _noted(data, note.format(rows=rows))
    found.parts = ordered
    if isinstance(data.recordings, Recordings):
        found.recordings = data.recordings.of(set(ordered["train"].groups))
    return found


def assigned(groups: Sequence[str], source: Source) -> list[str]:
    """The part of each row by its group. Shares are cut by whole groups, in an order that only the groups'
    names decide."""
    shares = {
        "test": source.test_share,
        "calibration": source.calibration_share,
        "valid": source.valid_share,
    }
    sizes: dict[str, int] = {}
    for group in groups:
        sizes[group] = sizes.get(group, 0) + 1
    order = iter(sorted(sizes, key=lambda name: hashlib.sha256(name.encode()).digest()))
    part_of: dict[str, str] = {}
    for part, share in shares.items():
        part_of |= dict.fromkeys(_taken(order, sizes, round(share * len(groups))), part)
    return [part_of.get(group, source.split) for group in groups]


def _taken(groups: Iterator[str], sizes: dict[str, int], rows: int) -> Iterator[str]:
    """The next groups until they hold so many rows."""
    held = 0
    while held < rows and (name := next(groups, None)) is not None:
        held += sizes[name]
        yield name
