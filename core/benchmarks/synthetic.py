"""Made-up data in the shapes of the field's files, for measuring: it needs no memory and no download."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.batches import Sample
from core.data.parts import DataSet
from core.data.sources import opened
from core.data.store import Writer, convert
from core.training.data_settings import DataSettings

PARTS = {"train": 1284, "valid": 229, "test": 686}
"""Rows of CMU-MOSI's usual parts."""
WORDS = ("good", "bad", "film", "really", "what", "a", "the", "plot", "acting", "boring", "great", "it")


@dataclass(frozen=True, slots=True)
class Shape:
    """Rows by part, and of the sequences the least and the most steps and the features a step."""

    rows: dict[str, int]
    audio: tuple[int, int, int] = (5, 50, 74)
    visual: tuple[int, int, int] = (5, 50, 35)
    words: tuple[int, int] = (4, 30)
    text_vectors: int = 0
    """Width of text vectors in place of words; 0: words."""

    def times(self, factor: float) -> Shape:
        """The same with so many times the rows."""
        rows = {name: max(1, round(count * factor)) for name, count in self.rows.items()}
        return Shape(rows, self.audio, self.visual, self.words, self.text_vectors)


ALIGNED = Shape(PARTS)
"""Shapes of CMU-MOSI aligned to its words, 50 steps at most."""
UNALIGNED = Shape(PARTS, (20, 400, 5), (20, 500, 20))
"""Shapes of CMU-MOSI at the features' own rates."""


def synthetic(shape: Shape, seed: int = 0) -> DataSet:
    """A data set of that shape, converted like any other: samples lie on disk. The same for the same seed.

    Every modality carries something of the label, so that training on it gets better.
    """
    name = "synthetic-" + hashlib.sha256(f"{seed} {shape}".encode()).hexdigest()[:16]

    def fill(writer: Writer) -> dict[str, Any]:
        for part, sample in samples(shape, seed):
            writer.add(sample, part)
        return {"features": {"text": "foreign", "audio": "foreign", "visual": "foreign"}}

    return opened(convert(name, fill), DataSettings())


def samples(shape: Shape, seed: int = 0) -> Iterator[tuple[str, Sample]]:
    """Its samples with their parts, one after the other; ten of a video."""
    random = np.random.default_rng(seed)
    for part, count in shape.rows.items():
        for number in range(count):
            yield part, _sample(shape, f"{part}{number // 10}$_${number}", random)


def _sample(shape: Shape, name: str, random: np.random.Generator) -> Sample:
    y = float(random.uniform(-3, 3))
    audio, visual = (_sequence(of, y, random) for of in (shape.audio, shape.visual))
    if shape.text_vectors:
        pattern = np.linspace(-1, 1, shape.text_vectors)
        noise = 0.3 * random.standard_normal(shape.text_vectors)
        text: Any = (y * pattern + noise).astype(np.float32)
    else:
        said = random.choice(WORDS, int(random.integers(shape.words[0], shape.words[1] + 1)))
        text = " ".join(["great" if y > 0 else "boring", *said])
    return Sample(name, name.split("$_$")[0], text, audio, visual, {"multimodal": y})


def _sequence(of: tuple[int, int, int], y: float, random: np.random.Generator) -> np.ndarray:
    least, most, width = of
    steps = int(random.integers(least, most + 1))
    return random.standard_normal((steps, width), dtype=np.float32) + np.float32(0.3 * y)
