"""From the capture clock to a file's own time: pauses cut out, sound held to the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.capture.items import Sound

HOLE = 0.1
"""Seconds between a block's stamp and the end of what is written that are a hole or overlap, not jitter."""
TOLERANCE = 0.008
"""Seconds of lasting deviation that are put right by stretching: far below what is seen as out of sync."""
_SETTLING = 2.0
"""Seconds over which deviations are averaged: single blocks come late on a busy machine."""
JUMP = 0.02
"""Seconds of deviation over a quarter of a second that are a small hole or overlap: samples were lost."""
_AT_ONCE = 0.25
_STRETCH = 0.004
"""At most this share of a block's length: 7 cents of pitch for as long as it lasts, which nobody hears."""
_PIECE = 1.0
"""Seconds of silence made at a time."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the capture clock that is in the file, which it enters at `at` seconds."""

    start: float
    end: float
    at: float


class Timeline:
    """Which moments are in a file, and where. Stamps and moments in seconds of the capture clock."""

    def __init__(self, start: float) -> None:
        self._spans: tuple[Span, ...] = (Span(start, np.inf, 0.0),)

    @property
    def paused(self) -> bool:
        return self._spans[-1].end < np.inf

    def pause(self, moment: float) -> None:
        """Leave out what comes from here on."""
        last = self._spans[-1]
        self._spans = (*self._spans[:-1], Span(last.start, max(moment, last.start), last.at))

    def resume(self, moment: float) -> None:
        """Go on, from here, at the place where it was paused."""
        last = self._spans[-1]
        self._spans = (*self._spans, Span(max(moment, last.end), np.inf, last.at + last.end - last.start))

    def seconds(self, stamp: float) -> float | None:
        """Where a moment is in the file; None: it is not."""
        return next((s.at + stamp - s.start for s in self._spans if s.start <= stamp < s.end), None)

    def elapsed(self, moment: float) -> float:
        """Length of the file up to a moment."""
        return sum(max(0.0, min(moment, span.end) - span.start) for span in self._spans)

    def cut(self, sound: Sound) -> Iterator[tuple[float, np.ndarray]]:
        """(seconds in the file, samples) of the parts of a block that are in it; cut between samples."""
        for span in self._spans:
            first = max(0, round((span.start - sound.stamp) * sound.rate))
            after = min(len(sound.samples), round(min(span.end - sound.stamp, 1e6) * sound.rate))
            if first < after:
                yield span.at + sound.stamp + first / sound.rate - span.start, sound.samples[first:after]


class SampleClock:
    """Makes blocks that come with time stamps into one track without holes, on the stamps' clock.

    A sound card's rate is not quite what it says; over an hour the difference is heard as a lip that moves
    before its word. So a lasting deviation is put right by stretching blocks a little; holes become silence.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.rate, self.channels = rate, channels
        self.position = 0
        """Samples given out so far."""
        self.filled = 0
        """Of them, silence in place of what did not come."""
        self.stretched = 0
        """Samples put in or taken out (negative) by stretching."""
        self._deviation = self._recent = 0.0

    @property
    def seconds(self) -> float:
        return self.position / self.rate

    def fit(self, seconds: float, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Pieces, each (n, channels), that follow what was given out. seconds: where the samples belong."""
        error = seconds - self.seconds
        duration = len(samples) / self.rate
        self._recent += (error - self._recent) * min(1.0, duration / _AT_ONCE)
        if self.position == 0 or abs(error) > HOLE or abs(self._recent) > JUMP:
            yield from self.silence(seconds)
            samples = samples[max(0, round(-error * self.rate)) :]
            self._deviation = self._recent = 0.0
        else:
            self._deviation += (error - self._deviation) * min(1.0, duration / _SETTLING)
            if abs(self._deviation) > TOLERANCE:
                samples = self._stretch(samples)
        if len(samples):
            self.position += len(samples)
            yield samples

    def silence(self, until: float) -> Iterator[np.ndarray]:
        """Zeros up to a moment of the file; nothing if it is past."""
        missing = round(until * self.rate) - self.position
        while missing > 0:
            count = min(missing, round(_PIECE * self.rate))
            missing -= count
            self.position += count
            self.filled += count
            yield np.zeros((count, self.channels), dtype=np.float32)

    def _stretch(self, samples: np.ndarray) -> np.ndarray:
        most = max(1, int(len(samples) * _STRETCH))
        count = max(-most, min(most, round(self._deviation * self.rate)))
        self._deviation -= count / self.rate
        self.stretched += count
        places = np.linspace(0, len(samples) - 1, len(samples) + count)
        old = np.arange(len(samples))
        return np.stack([np.interp(places, old, channel) for channel in samples.T], axis=1).astype(np.float32)
