"""The last minute of live pictures, as features of the face ten times a second.

A machine that is too slow looks at fewer pictures: a moment that was missed takes over what was seen last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from core.capture.items import now
from core.capture.rings import Pictures
from core.inference.live_sound import KEPT
from core.types import PRESENCE, VISUAL_RATE, VISUAL_WIDTH

STALE = 0.5
"""Seconds after which a picture no longer shows how things are: the camera gives nothing any more."""
_UNIT = 8
"""Rows by which the memory moves on: 0.8 s, as that of the sound."""
_LATEST = 0.05
"""Seconds after its moment at which a picture is looked at: the camera needs time to deliver it."""


class LiveSight:
    """Watches a ring of pictures in a thread of its own, from `run` until `stopped`."""

    def __init__(self, pictures: Pictures, origin: float) -> None:
        """origin: the moment of the capture clock that is time 0."""
        self._pictures, self._origin = pictures, origin
        self._lock = threading.Lock()
        self._rows = np.zeros((0, VISUAL_WIDTH), np.float32)
        self._start = 0
        self.missed = 0
        """Moments that were not looked at, because the machine was busy."""
        self.stale = False
        """Whether the camera gives nothing."""

    @property
    def end(self) -> float:
        """Seconds watched so far."""
        return (self._start + len(self._rows)) / VISUAL_RATE

    @property
    def oldest(self) -> float:
        """The moment from which on it is remembered: a multiple of 0.8 s."""
        return self._start / VISUAL_RATE

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Features of rows start..stop, only those remembered: (n, 128)."""
        with self._lock:
            return self._rows[max(0, start - self._start) : max(0, stop - self._start)]

    @property
    def face(self) -> bool:
        """Whether there was a face in the picture looked at last."""
        with self._lock:
            return bool(len(self._rows) and self._rows[-1, PRESENCE] > 0)

    def run(self, stopped: threading.Event) -> None:
        """Look at pictures until stopped."""
        from core.features.vision import FaceReader

        self.watch(FaceReader().read, stopped)

    def watch(self, read: Callable[[np.ndarray], np.ndarray], stopped: threading.Event) -> None:
        """The same with a reader of faces: (H, W, 3) to (128,)."""
        number = 0
        nothing = row = np.zeros(VISUAL_WIDTH, np.float32)
        while not stopped.wait(self._left()):
            seen = self._pictures.copy_latest()
            moment = now()
            self.stale = seen is None or moment - seen.stamp > STALE
            if self.stale or seen is None:
                row = nothing
            elif seen.number != number:
                number, row = seen.number, read(seen.image)
            self._add(row, int((now() - _LATEST - self._origin) * VISUAL_RATE) + 1)

    def _left(self) -> float:
        """Seconds until the next moment is due."""
        due = self._origin + (self._start + len(self._rows)) / VISUAL_RATE + _LATEST
        return max(due - now(), 0.001)

    def _add(self, row: np.ndarray, due: int) -> None:
        """The row of the next moment, and of all those that have passed by now."""
        count = max(1, due - self._start - len(self._rows))
        with self._lock:
            self.missed += count - 1
            self._rows = np.concatenate([self._rows, np.repeat(row[None], count, axis=0)])
            units = max(0, len(self._rows) - round(KEPT * VISUAL_RATE)) // _UNIT
            self._rows = self._rows[units * _UNIT :]
            self._start += units * _UNIT
