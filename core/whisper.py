"""faster-whisper's model with a shorter window: imported only where speech is recognised.

Whisper always listens to 30 s, most of them padding for a clip of 5 s, and the encoder is nearly all of the
cost. It does nearly as well when it hears a few seconds of silence after the speech instead; below 15 s it
begins to repeat itself (docs/adr/0006-short-whisper-window.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faster_whisper import WhisperModel  # noqa: TID253

FRAMES_PER_SECOND = 100
FULL = 30 * FRAMES_PER_SECOND
SHORTEST = 15 * FRAMES_PER_SECOND
SILENCE = 5 * FRAMES_PER_SECOND
"""Kept after the end of the sound: where it is missing, the model goes on talking."""


class ShortWindowWhisper(WhisperModel):
    """Encodes only as much of the 30 s window as there is sound, and the same sound only once."""

    short_window = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._encoded: tuple[np.ndarray, Any] | None = None

    def encode(self, features: np.ndarray) -> Any:
        """The encoder's output for (bands, 3000) log mel frames; kept: finding the language wants it too."""
        features = self._shortened(features)
        if self._encoded is None or not np.array_equal(self._encoded[0], features):
            self._encoded = (features, super().encode(features))
        return self._encoded[1]

    def _shortened(self, features: np.ndarray) -> np.ndarray:
        if not self.short_window:
            return features
        sounding = np.flatnonzero(features.any(axis=-2))
        length = int(sounding[-1]) + 1 if len(sounding) else 0
        wanted = min(max(length + SILENCE, SHORTEST), FULL)
        return np.ascontiguousarray(features[..., : wanted + wanted % 2])
