"""Words: typed, recognised, or the reason why there are none. What the network makes of them is its own
tokenizer's affair (core.data.batches)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.speech import Recogniser, Segment, align_typed
from core.types import Transcript

NO_SPEECH = "no speech"


def typed_words(text: str, speech: Sequence[Segment], duration: float) -> tuple[Transcript | None, str]:
    """A transcript from the user and "", or None and the reason. Without a voice it spans the whole clip."""
    if not text.strip():
        return None, NO_SPEECH
    return align_typed(text, speech or [(0.0, duration)]), ""


def recognised_words(
    recogniser: Recogniser,
    audio: np.ndarray,
    speech: Sequence[Segment],
    on_progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Transcript | None, str]:
    """What is said in (n,) sound at 16 kHz and "", or None and the reason. Raises Cancelled, AssetError."""
    if not speech:
        return None, NO_SPEECH
    heard = recogniser.transcribe(audio, on_progress, cancelled, speech=speech)
    return (heard, "") if heard.text else (None, NO_SPEECH)
