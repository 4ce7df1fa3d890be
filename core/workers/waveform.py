"""The picture of a clip's sound: its peaks, and where somebody speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

POINTS = 2000


def peaks(audio: np.ndarray, points: int = POINTS) -> list[float]:
    """The loudest absolute sample of each of at most `points` equal stretches of audio (n,), in [0, 1]."""
    if not len(audio):
        return []
    count = min(points, len(audio))
    starts = np.linspace(0, len(audio), count, endpoint=False).astype(int)
    return np.maximum.reduceat(np.abs(audio), starts).clip(0, 1).round(3).tolist()


def waveform(path: str, cancelled: Callable[[], bool] | None = None) -> dict[str, Any] | None:
    """`peaks` and `speech` of a clip, None where it has no sound. Raises MediaError, Cancelled."""
    from core.interrupt import interruptible
    from core.media import probe, read_audio
    from core.speech import voice_activity

    if not probe(path).has_audio:
        return None
    audio = read_audio(path, cancelled)
    speech = interruptible(lambda: voice_activity(audio), cancelled)
    return {"peaks": peaks(audio), "speech": [list(stretch) for stretch in speech]}
