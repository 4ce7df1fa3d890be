"""Samples are shown a little differently in every epoch, so that few speakers teach more than themselves.

Voices: spoken faster or slower, more or less lively, as if by another person. Faces:
a still becomes a short film of one face with small movements, since a network that reads films would
otherwise meet single frames only when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.data.batches import Sample
from core.types import PRESENCE, SHAPE

SPEED = 0.15
"""Speech is up to so much faster or slower."""
LIVELINESS = 0.2
"""Standard deviation of how much more or less a voice's features move around their mean."""
SPEAKER = 0.3
"""Of a shift of all frames, as if another person spoke, and of the noise of each frame; both in standard
deviations of the training voices."""
NOISE = 0.1

ALONE = 0.4
"""A still stays a single frame this often: that is how it is met in use."""
FILM = 24
"""Frames of the longest film made of a still."""
MOVEMENT = 0.02
"""Standard deviation of blendshapes (and angles, in rad) from frame to frame, and of the face as a whole."""
SHAPE_MOVEMENT = 0.007
"""The same of the face's shape, in distances between the eyes, as measured on films of talking people."""


@dataclass(frozen=True, slots=True)
class Variation:
    """Varies samples by the scale (AUDIO_WIDTH,) of the training voices."""

    scale: np.ndarray

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """Another view of the sample; recordings of voice and face together keep their common clock."""
        if sample.audio is not None and sample.visual is not None:
            return sample
        if sample.audio is not None:
            return replace(sample, audio=self.voice(sample.audio, random))
        if sample.visual is not None and len(sample.visual) == 1:
            return replace(sample, visual=film(sample.visual, random))
        return sample

    def voice(self, audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(T, AUDIO_WIDTH) -> (T', AUDIO_WIDTH)."""
        length = max(2, round(len(audio) * random.uniform(1 - SPEED, 1 + SPEED)))
        varied = audio[np.linspace(0, len(audio) - 1, length).round().astype(int)]
        width = varied.shape[1]
        mean = varied.mean(axis=0)
        moved = (varied - mean) * (1 + LIVELINESS * random.standard_normal(width))
        shift = SPEAKER * random.standard_normal(width) + NOISE * random.standard_normal(varied.shape)
        return (mean + moved + shift * self.scale).astype(np.float32)


def film(still: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(1, VISUAL_WIDTH) -> (T, VISUAL_WIDTH) of the same face, moving a little; presence as it was."""
    frames = 1 if random.random() < ALONE else int(random.integers(2, FILM + 1))
    movement = np.where(np.arange(still.shape[1]) < SHAPE.start, MOVEMENT, SHAPE_MOVEMENT)
    movement[PRESENCE] = 0.0
    moves = random.standard_normal((1, still.shape[1])) + random.standard_normal((frames, still.shape[1]))
    return (still + movement * moves).astype(np.float32)
