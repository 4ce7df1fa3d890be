"""What a model is shown of a clip: all of it, or the 3 s that end at a moment."""

from __future__ import annotations

import numpy as np

from core.data.batches import Sample
from core.types import AUDIO_RATE, PRESENCE, VISUAL_RATE, ClipFeatures, Transcript

WINDOW = 3.0
STEP = 0.5
"""Seconds: the curve at t is the estimate of the WINDOW that ends at t, every STEP."""

ENOUGH = 0.3
"""Seconds of voice, or of a face, that a window must hold for an estimate from it. Of words, one will do."""


def moments(duration: float) -> list[float]:
    """The times of a clip's curve: STEP, 2 STEP, … up to its end in seconds; none for a still."""
    return [round((number + 1) * STEP, 3) for number in range(int(duration / STEP + 1e-6))]


def whole(features: ClipFeatures) -> Sample:
    """All of a clip; what it lacks is None. Of the sound only frames with voice: silence says nothing."""
    words = features.transcript.text.strip() if features.transcript else ""
    return Sample("clip", "", text=words or None, audio=spoken(features), visual=features.visual)


def spoken(features: ClipFeatures, frames: slice = slice(None)) -> np.ndarray | None:
    """The audio features (n, AUDIO_WIDTH) of those `frames` that hold a voice; None without sound."""
    if features.audio is None:
        return None
    if features.voiced is None:
        return features.audio[frames]
    return features.audio[frames][features.voiced[frames]]


def ending_at(features: ClipFeatures, time: float) -> Sample:
    """The WINDOW seconds that end at `time`; a modality with too little in them is None.

    A word belongs to the windows that hold its middle, so that none is judged twice as half a word.
    """
    start = max(0.0, time - WINDOW)
    audio = visual = None
    if features.audio is not None:
        audio = spoken(features, _frames(start, time, AUDIO_RATE))
        audio = audio if audio is not None and len(audio) >= ENOUGH * AUDIO_RATE else None
    if features.visual is not None:
        seen = features.visual[_frames(start, time, VISUAL_RATE)]
        visual = seen if np.count_nonzero(seen[:, PRESENCE]) >= round(ENOUGH * VISUAL_RATE) else None
    return Sample(f"{time}", "", text=_words(features.transcript, start, time), audio=audio, visual=visual)


def _frames(start: float, end: float, rate: float) -> slice:
    return slice(round(start * rate), round(end * rate))


def _words(transcript: Transcript | None, start: float, end: float) -> str | None:
    if transcript is None:
        return None
    said = [word.text.strip() for word in transcript.words if start < (word.start + word.end) / 2 <= end]
    return " ".join(said) or None
