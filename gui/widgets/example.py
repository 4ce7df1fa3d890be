"""An invented analysis of a 12 s clip, in the shape of `consonance analyse --json`, to show widgets with."""

from __future__ import annotations

from typing import Any

import numpy as np

SCALE = (-3.0, 3.0)
DURATION = 12.0

ESTIMATES: dict[str, Any] = {
    "multimodal": {"value": 1.2, "low": 0.4, "high": 2.0},
    "text": {"value": 1.7, "low": 0.8, "high": 2.6},
    "audio": {"value": -0.3, "low": None, "high": None},
    "visual": None,
}
MISSING = [{"modality": "visual", "reason": "no face"}]

_SENTENCE = (
    "I honestly did not expect to like this film at all but the second half is wonderful "
    "and I would watch it again tomorrow"
)


def transcript() -> dict[str, Any]:
    """A transcript with word times and a few unsure words."""
    words, at = [], 0.4
    for index, text in enumerate(_SENTENCE.split()):
        length = 0.12 + 0.05 * len(text)
        probability = 0.35 if index % 7 == 4 else 0.96
        words.append({"text": text, "start": at, "end": at + length, "probability": probability})
        at += length + (0.9 if text == "all" else 0.08)
    return {"text": _SENTENCE, "language": "en", "words": words}


def curve() -> dict[str, Any]:
    """Four curves every half second; the face is lost for a while and once seen for a single moment."""
    time = np.arange(0.5, DURATION + 0.01, 0.5)
    made: dict[str, Any] = {"time": time.tolist()}
    for shift, head in enumerate(("multimodal", "text", "audio", "visual")):
        made[head] = (1.6 * np.sin(time / 2.2 + shift * 0.7) + 0.4 * shift - 0.4).round(3).tolist()
    made["text"][:2] = [None, None]
    made["visual"][10:16] = [None, None, None, made["visual"][13], None, None]
    return made


def peaks(count: int = 1200) -> np.ndarray:
    """(count, 2) smallest and largest sample, louder while words are spoken."""
    random = np.random.default_rng(5)
    at = np.linspace(0, DURATION, count)
    level = np.full(count, 0.02)
    for word in transcript()["words"]:
        inside = (at >= word["start"]) & (at < word["end"])
        level[inside] = 0.35 + 0.3 * np.sin(np.linspace(0, np.pi, inside.sum()))
    noise = random.uniform(0.5, 1.0, (2, count))
    return np.stack([-level * noise[0], level * noise[1]], 1)


def speech() -> list[list[float]]:
    """Two stretches of voice."""
    words = transcript()["words"]
    pause = next(i for i, w in enumerate(words) if w["text"] == "all")
    return [[words[0]["start"], words[pause]["end"]], [words[pause + 1]["start"], words[-1]["end"]]]


def covariance(width: int = 32) -> dict[str, Any]:
    """Two related correlation matrices with a block structure, shuffled."""
    random = np.random.default_rng(3)
    factors = np.repeat(np.eye(4), width // 4, axis=0)[random.permutation(width)]
    common = factors @ random.normal(size=(4, 400)) + 0.8 * random.normal(size=(width, 400))
    other = 0.6 * common + random.normal(size=(width, 400))
    return {"audio": np.corrcoef(common).tolist(), "visual": np.corrcoef(other).tolist()}


def alignment() -> dict[str, Any]:
    """What goes with `covariance`."""
    return {
        "distance": 0.0183,
        "percentile": 31.0,
        "windows": 37,
        "shuffled": 0.0261,
        "reference": {"name": "starter", "count": 214},
    }
