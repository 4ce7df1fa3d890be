"""One thread: these networks are small, and threads waiting for each other cost more than they give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.batches import Sample
from core.data.sources import DataSet, Part
from core.training.settings import Settings, Source, load

torch.set_num_threads(1)

SMALL = """
[network]
text_encoder = ""
text_vector_width = 6
text_width = 8
audio_input_width = 4
visual_input_width = 5
[training]
epochs = 3
batch_size = 16
accumulate = 2
device = "cpu"
threads = 1
learning_rate = { text = 5e-3, audio = 5e-3, visual = 5e-3, other = 5e-3 }
[data]
name = "small"
"""


@pytest.fixture
def small_settings(tmp_path: Path) -> Callable[..., Settings]:
    """A function that makes the settings of a small network, with others laid over."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return lambda *overrides: load(path, overrides)


@pytest.fixture
def small_data() -> DataSet:
    """Utterances whose three modalities each carry the label; the 90 to train on make uneven batches."""
    sizes = {"train": 90, "valid": 24, "calibration": 24, "test": 24}
    parts = {
        name: Part(samples(count, seed), [0] * count) for seed, (name, count) in enumerate(sizes.items())
    }
    return DataSet(parts, (Source(),))


def samples(count: int, seed: int) -> list[Sample]:
    random = np.random.default_rng(seed)
    made = []
    for i in range(count):
        y, length = float(random.uniform(-3, 3)), int(random.integers(3, 9))
        text = y * np.linspace(-1, 1, 6) + 0.3 * random.standard_normal(6)
        audio = 0.5 * y + random.standard_normal((length, 4))
        visual = 0.5 * y + random.standard_normal((length, 5))
        made.append(
            Sample(
                id=f"{seed}-{i}",
                group=f"{seed}-{i // 4}",
                text=text.astype(np.float32) if i % 7 else None,
                audio=audio.astype(np.float32) if i % 5 else None,
                visual=visual.astype(np.float32),
                labels={"multimodal": y},
            )
        )
    return made
