"""Samples are shown a little differently in every epoch, so that few speakers teach more than themselves.

Voices: spoken faster or slower, louder or quieter, with a beginning, an end, stretches and bands lost. Faces:
a still becomes a short film of one face with small movements, since a network that reads films would
otherwise meet single frames only when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.data.batches import Sample

SPEED = 0.15
"""Speech is up to so much faster or slower."""
CUT = 12
"""Frames (0.4 s) lost at most at either end."""
LEVEL = 30.0
"""Standard deviation of a change of the first MFCC; a doubled amplitude adds 68."""
HIDDEN_FRAMES, HIDDEN_BANDS = 20, 5
"""Longest hidden stretch, and most hidden features next to each other."""
NOISE = 0.1
"""Of a voice's features, in standard deviations."""

ALONE = 0.4
"""A still stays a single frame this often: that is how it is met in use."""
FILM = 24
"""Frames of the longest film made of a still."""
MOVEMENT = 0.02
"""Standard deviation of blendshapes (and angles, in rad) from frame to frame, and of the face as a whole."""

_LEVEL_COLUMN = 1  # after the zero-crossing rate: the MFCC that holds the level
_PRESENCE = -1


@dataclass(frozen=True, slots=True)
class Variation:
    """Varies samples by the statistics of the training voices: mean and scale (AUDIO_WIDTH,)."""

    mean: np.ndarray
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
        cut = min(CUT, length // 4)
        varied = varied[random.integers(cut + 1) : length - random.integers(cut + 1)]
        varied = varied + (NOISE * random.standard_normal(varied.shape) * self.scale).astype(np.float32)
        varied[:, _LEVEL_COLUMN] += LEVEL * random.standard_normal()
        start, stop = _stretch(len(varied), HIDDEN_FRAMES, random)
        varied[start:stop] = self.mean
        start, stop = _stretch(varied.shape[1], HIDDEN_BANDS, random)
        varied[:, start:stop] = self.mean[start:stop]
        return varied


def film(still: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(1, VISUAL_WIDTH) -> (T, VISUAL_WIDTH) of the same face, moving a little; presence as it was."""
    frames = 1 if random.random() < ALONE else int(random.integers(2, FILM + 1))
    moved = np.repeat(still, frames, axis=0)
    moved[:, :_PRESENCE] += (MOVEMENT * random.standard_normal((1, still.shape[1] - 1))).astype(np.float32)
    moved[:, :_PRESENCE] += (MOVEMENT * random.standard_normal((frames, still.shape[1] - 1))).astype(
        np.float32
    )
    return moved


def _stretch(length: int, longest: int, random: np.random.Generator) -> tuple[int, int]:
    size = int(random.integers(min(longest, length // 4) + 1))
    start = int(random.integers(length - size + 1))
    return start, start + size
