"""Made-up data of the shapes and lengths of CMU-MOSI, for measuring. Words, voice, face carry the label."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

STEPS, AUDIO_STEPS, VISUAL_STEPS = 50, 375, 500
"""Longest sequences of its aligned file, and of voice and face in its unaligned file."""
AUDIO_WIDTH, VISUAL_WIDTH = 5, 20
SECONDS, SPREAD = 3.4, 0.66
"""Median and deviation of the logarithm of its clips' seconds."""
WORDS_A_SECOND, AUDIO_A_SECOND, VISUAL_A_SECOND = 3.3, 12.5, 15.0
GOOD = ["good", "great", "love", "wonderful", "funny", "best", "amazing", "brilliant", "enjoyed", "perfect"]
BAD = ["bad", "awful", "hate", "terrible", "boring", "worst", "dull", "stupid", "disappointing", "mess"]
PLAIN = [
    "the",
    "movie",
    "was",
    "and",
    "it",
    "i",
    "think",
    "that",
    "this",
    "of",
    "a",
    "to",
    "in",
    "so",
    "you",
    "really",
    "story",
    "actor",
    "one",
    "scene",
    "um",
    "like",
]


def write(path: Path, train: int, valid: int, *, aligned: bool, seed: int = 0) -> Path:
    """A dataset file of MMSA's layout, with `train` and `valid` rows (and a few test rows)."""
    random = np.random.default_rng(seed)
    parts = {"train": train, "valid": valid, "test": 32}
    with path.open("wb") as file:
        pickle.dump({name: _part(name, rows, aligned, random) for name, rows in parts.items()}, file, 4)
    return path


def _part(name: str, rows: int, aligned: bool, random: np.random.Generator) -> dict[str, Any]:
    y = np.clip(random.normal(0, 1.6, rows), -3, 3).round(1).astype(np.float32)
    seconds = np.exp(random.normal(np.log(SECONDS), SPREAD, rows)).clip(0.3, 30)
    words = (seconds * WORDS_A_SECOND).astype(int).clip(1, STEPS - 2)
    audio = words if aligned else (seconds * AUDIO_A_SECOND).astype(int).clip(1, AUDIO_STEPS)
    visual = words if aligned else (seconds * VISUAL_A_SECOND).astype(int).clip(1, VISUAL_STEPS)
    made = {
        "raw_text": [_sentence(label, n, random) for label, n in zip(y, words, strict=True)],
        "id": [f"{name}{row // 20}$_${row % 20}" for row in range(rows)],
        "audio": _sequences(y, audio, STEPS if aligned else AUDIO_STEPS, AUDIO_WIDTH, random),
        "vision": _sequences(y, visual, STEPS if aligned else VISUAL_STEPS, VISUAL_WIDTH, random),
        "regression_labels": y,
        "annotations": ["Positive" if label > 0 else "Negative" for label in y],
    }
    if not aligned:
        made |= {"audio_lengths": audio.tolist(), "vision_lengths": visual.tolist()}
    return made


def _sentence(label: float, words: int, random: np.random.Generator) -> str:
    chosen = random.choice(PLAIN, words)
    loaded = random.random(words) < abs(label) / 6 + 0.05
    chosen[loaded] = random.choice(GOOD if label > 0 else BAD, int(loaded.sum()))
    return " ".join(chosen)


def _sequences(
    y: np.ndarray, lengths: np.ndarray, longest: int, width: int, random: np.random.Generator
) -> np.ndarray:
    """(N, longest, width) float32, zeros beyond each length."""
    made = random.standard_normal((len(y), longest, width), dtype=np.float32) + 0.2 * y[:, None, None]
    made[np.arange(longest)[None, :] >= lengths[:, None]] = 0
    return made
