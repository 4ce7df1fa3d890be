"""Sound starts at the right moment, lasts as long as the speed says, and the clock follows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gui.widgets.play_clock import PlayClock
from gui.widgets.sound_source import BYTES_A_SECOND, sound_from


@pytest.mark.parametrize(("start", "speed"), [(0.0, 1.0), (0.25, 1.0), (0.0, 2.0), (0.2, 0.5)])
def test_what_is_left_of_the_sound_lasts_as_the_speed_says(tone: Path, start: float, speed: float) -> None:
    length = sum(len(piece) for piece in sound_from(tone, start, speed)) / BYTES_A_SECOND
    assert length == pytest.approx((0.6 - start) / speed, abs=0.06)


def test_a_faster_sound_keeps_its_pitch(tone: Path) -> None:
    def pitch(speed: float) -> float:
        samples = np.frombuffer(b"".join(sound_from(tone, 0.0, speed)), "<i2")[::2][4000:12000].astype(float)
        return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples))))))

    assert pitch(1.5) == pytest.approx(pitch(1.0), rel=0.03)


class _Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_clock_waits_for_the_first_sound_and_then_follows_it() -> None:
    time = _Time()
    clock = PlayClock(time)
    clock.start(at=2.0, speed=1.0, wait_for_sound=True)
    time.now += 0.3
    assert clock.now(sound=2.0) == 2.0
    clock.now(sound=2.02)
    for _ in range(100):
        time.now += 0.02
        here = clock.now(sound=2.02 + (time.now - 100.3) * 0.99)
    assert here == pytest.approx(2.02 + 2.0 * 0.99, abs=0.02)


def test_a_device_that_never_starts_does_not_hold_the_pictures() -> None:
    time = _Time()
    clock = PlayClock(time)
    clock.start(at=0.0, speed=1.0, wait_for_sound=True)
    time.now += 0.7
    clock.now(sound=None)
    time.now += 1.0
    assert clock.now(sound=None) == pytest.approx(1.0)


def test_backwards_the_clock_falls() -> None:
    time = _Time()
    clock = PlayClock(time)
    clock.start(at=5.0, speed=-4.0, wait_for_sound=False)
    time.now += 0.5
    assert clock.now() == pytest.approx(3.0)
