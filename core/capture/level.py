"""How loud it is: the numbers of a level meter."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from core.capture.items import Sound, now

CLIPPED = 0.999
"""Amplitude from which on a sample counts as cut off."""
SILENT = 1.0
"""Seconds without data, or of zeros only, that are "no signal": a microphone that works always hisses."""
_FLOOR = 1e-6


@dataclass(frozen=True, slots=True)
class Level:
    """Of the sound since the last reading. rms, peak in dBFS, at most 0 (a full sine: rms -3); None: nothing.

    clipped: samples that were cut off. signal: whether a microphone gives sound at all.
    """

    rms: float | None
    peak: float | None
    clipped: int
    signal: bool


class Meter:
    """Gathers sound in one thread and is read in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard = -np.inf
        self._clear()

    def add(self, sound: Sound) -> None:
        """Take a block into account; all its channels, the loudest of which makes the peak."""
        peak = float(np.abs(sound.samples).max(initial=0.0))
        with self._lock:
            self._squares += float(np.square(sound.samples, dtype=np.float64).sum())
            self._count += sound.samples.size
            self._peak = max(self._peak, peak)
            self._clipped += int(np.count_nonzero(np.abs(sound.samples) >= CLIPPED))
            if peak > 0:
                self._heard = now()

    def read(self) -> Level:
        """The level since the last reading."""
        with self._lock:
            signal = now() - self._heard < SILENT
            rms = (self._squares / self._count) ** 0.5 if self._count else 0.0
            level = Level(_decibels(rms), _decibels(self._peak), self._clipped, signal)
            self._clear()
            return level

    def _clear(self) -> None:
        self._squares, self._count, self._peak, self._clipped = 0.0, 0, 0.0, 0


def _decibels(amplitude: float) -> float | None:
    return round(20 * float(np.log10(min(amplitude, 1.0))), 1) if amplitude > _FLOOR else None
