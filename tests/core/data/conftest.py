"""Dataset files and caches for tests of the data."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.benchmarks.synthetic import Shape, samples
from core.data.batches import Sample

SMALL = Shape({"train": 40, "valid": 12, "test": 9}, (1, 9, 4), (1, 7, 3), text_vectors=6)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, empty."""
    monkeypatch.setenv("CONSONANCE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pickled(tmp_path: Path) -> Callable[..., Path]:
    """Writes a dataset file in the usual layout, of a small shape by default; columns replace its own."""

    def write(shape: Shape = SMALL, words: bool = False, **columns: Any) -> Path:
        tree = {part: _part([s for name, s in samples(shape) if name == part], words) for part in shape.rows}
        path = tmp_path / "data.pkl"
        path.write_bytes(pickle.dumps({name: part | columns for name, part in tree.items()}))
        return path

    return write


def _part(rows: list[Sample], words: bool) -> dict[str, Any]:
    made = {
        "id": [s.id for s in rows],
        "text": np.stack([np.repeat(s.text[None], 2, axis=0) for s in rows]),
        "audio": _padded([s.audio for s in rows]),
        "vision": _padded([s.visual for s in rows]),
        "audio_lengths": [len(s.audio) for s in rows],
        "vision_lengths": [len(s.visual) for s in rows],
        "regression_labels": np.array([s.labels["multimodal"] for s in rows]),
    }
    return made | ({"raw_text": [f"said in {s.id}" for s in rows]} if words else {})


def _padded(sequences: list[np.ndarray]) -> np.ndarray:
    made = np.zeros((len(sequences), max(map(len, sequences)), sequences[0].shape[1]), np.float32)
    for row, x in enumerate(sequences):
        made[row, : len(x)] = x
    return made
