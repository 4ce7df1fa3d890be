"""The time that playing has come to: a steady clock, held to the sound where there is one."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

_WAIT = 0.6
"""Seconds that the pictures wait for the first sound to leave the device."""
_PULL = 0.1
"""Share of the difference to the sound that is made up at each look."""
_JUMP = 0.25
"""Seconds of difference from which the clock is set at once."""


class PlayClock:
    """Seconds of the clip. `sound` tells what is heard now (None: no sound to follow)."""

    def __init__(self, timer: Callable[[], float] = perf_counter) -> None:
        self._timer = timer
        self._base = 0.0
        self._since = 0.0
        self._speed = 1.0
        self._waiting = False

    def start(self, at: float, speed: float, wait_for_sound: bool) -> None:
        """Run from `at` seconds at `speed` (negative: backwards)."""
        self._base, self._speed, self._since = at, speed, self._timer()
        self._waiting = wait_for_sound

    def now(self, sound: float | None = None) -> float:
        """Where the clip is, steered towards `sound` seconds."""
        passed = self._timer() - self._since
        if self._waiting:
            if sound is not None and sound <= self._base and passed < _WAIT:
                return self._base
            self._waiting = False
            self._since = self._timer()
            passed = 0.0
        here = self._base + passed * self._speed
        if sound is None:
            return here
        gap = sound - here
        move = gap if abs(gap) > _JUMP else gap * _PULL
        self._base += move
        return here + move
