"""The last minute of live sound: samples, their features, and where somebody speaks.

Times are seconds of the stream: from the moment that it began to be listened to.
"""

from __future__ import annotations

import numpy as np

from core.capture.rings import Heard
from core.features.audio import HOP, MARGIN, audio_features
from core.media import SAMPLE_RATE
from core.speech import Segment, voice_activity
from core.types import AUDIO_WIDTH

KEPT = 64.0
"""Seconds of sound that are remembered."""
_UNIT = 25 * HOP
"""Samples by which the memory moves on: a whole number of frames of the sound and of the picture (0.8 s)."""
_HOLE = 0.1
"""Seconds that a block may lie off its place before it counts as a hole."""
_OPEN = 3.0
"""Seconds before now within which it may still turn out that somebody spoke, or did not."""
_CONTEXT = 3.0
"""Seconds before those that are heard again, so that the voice detector has settled."""
_TOUCHING = 0.05


class LiveSound:
    """Sound as it comes in. One thread at a time.

    first, features: number of the first frame remembered, and the frames (n, 33) from there on. The last
    MARGIN frames are provisional: what follows them is taken for silence until it has come.
    """

    def __init__(self, origin: float) -> None:
        """origin: the moment of the capture clock that is time 0."""
        self._origin = origin
        self._samples = np.zeros(0, np.float32)
        self._start = 0
        self._frames = np.zeros((0, AUDIO_WIDTH), np.float32)
        self.speech: list[Segment] = []
        """Where somebody speaks; the last stretch may still grow."""

    @property
    def end(self) -> float:
        """Seconds heard so far."""
        return (self._start + len(self._samples)) / SAMPLE_RATE

    def add(self, heard: Heard) -> None:
        """Take in what follows; what did not come in time is silence."""
        after = self._start + len(self._samples)
        place = round((heard.stamp - self._origin) * SAMPLE_RATE)
        samples = heard.samples
        if after == 0 or abs(place - after) > _HOLE * SAMPLE_RATE:
            hole = min(max(place - after, 0), round(KEPT * SAMPLE_RATE))
            samples = np.concatenate([np.zeros(hole, np.float32), samples[max(after - place, 0) :]])
        self._samples = np.concatenate([self._samples, samples])
        self._forget()

    def understand(self) -> None:
        """Bring features and speech up to what was heard."""
        if not len(self._samples):
            return
        base = self._start // HOP
        settled = max(base, base + len(self._frames) - MARGIN)
        first = max(base, settled - MARGIN)
        fresh = audio_features(self._samples[(first - base) * HOP :])[settled - first :]
        self._frames = np.concatenate([self._frames[: settled - base], fresh])
        self._listen()

    def samples(self, start: float, end: float) -> np.ndarray:
        """(n,) samples between two moments; only those remembered."""
        first, last = (max(0, round(t * SAMPLE_RATE) - self._start) for t in (start, end))
        return self._samples[first:last]

    def frames(self, start: int, stop: int) -> np.ndarray:
        """Features of frames start..stop, only those remembered: (n, 33)."""
        base = self._start // HOP
        return self._frames[max(0, start - base) : max(0, stop - base)]

    @property
    def oldest(self) -> float:
        """The moment from which on it is remembered: a multiple of 0.8 s."""
        return self._start / SAMPLE_RATE

    def _listen(self) -> None:
        """Find speech in the newest seconds; what was found before them stays."""
        boundary = max(self.end - _OPEN, self.oldest)
        start = max(boundary - _CONTEXT, self.oldest)
        found = voice_activity(self.samples(start, self.end))
        kept = [(begin, min(end, boundary)) for begin, end in self.speech if begin < boundary]
        fresh = [(max(b + start, boundary), e + start) for b, e in found if e + start > boundary]
        if kept and fresh and fresh[0][0] - kept[-1][1] < _TOUCHING:
            kept[-1] = (kept[-1][0], fresh.pop(0)[1])
        self.speech = [part for part in kept if part[1] > self.oldest] + fresh

    def _forget(self) -> None:
        surplus = len(self._samples) - round(KEPT * SAMPLE_RATE)
        units = max(0, surplus // _UNIT)
        if units:
            self._samples = self._samples[units * _UNIT :]
            self._start += units * _UNIT
            self._frames = self._frames[units * _UNIT // HOP :]
