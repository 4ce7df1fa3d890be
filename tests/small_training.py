"""Real training that takes a moment: a dataset file of vectors, and settings of a small network."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from core.training.settings import Settings, load

SETTINGS = """
[network]
text_encoder = ""
text_vector_width = 0
text_width = 8
audio_input_width = 0
visual_input_width = 0
[training]
epochs = {epochs}
patience = 10000
batch_size = 16
accumulate = 2
device = "cpu"
threads = 1
checkpoint_minutes = 1000
[data]
name = "small"
calibration_share = 0.1
"""


def small_settings(folder: Path, epochs: int = 10_000) -> Settings:
    """Settings of a run that goes on for so many epochs of a fraction of a second each."""
    path = folder / "small.toml"
    path.write_text(SETTINGS.format(epochs=epochs), encoding="utf-8")
    return load(path)


def small_data(folder: Path) -> Path:
    """A dataset file of MMSA's layout: text vectors, voice and face, 64 rows to train on."""
    random = np.random.default_rng(0)
    path = folder / "small.pkl"
    with path.open("wb") as file:
        pickle.dump(
            {name: _part(name, n, random) for name, n in (("train", 64), ("valid", 24), ("test", 24))}, file
        )
    return path


def _part(name: str, rows: int, random: np.random.Generator) -> dict[str, object]:
    y = np.linspace(-3, 3, rows, dtype=np.float32)

    def sequence(width: int) -> np.ndarray:
        return random.standard_normal((rows, 6, width), dtype=np.float32) + 0.3 * y[:, None, None]

    return {
        "id": [f"{name}{row // 4}$_${row % 4}" for row in range(rows)],
        "raw_text": ["a sentence"] * rows,
        "text": sequence(6),
        "audio": sequence(4),
        "vision": sequence(5),
        "regression_labels": y,
    }
