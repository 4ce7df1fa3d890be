"""The numbers of the level meter."""

from __future__ import annotations

import numpy as np
import pytest

from core.capture.items import Sound
from core.capture.level import Meter

RATE = 48000


def tone(amplitude: float, channels: int = 1) -> Sound:
    wave = amplitude * np.sin(2 * np.pi * 1000 * np.arange(4800) / RATE)
    return Sound(0.0, RATE, np.repeat(wave.astype(np.float32)[:, None], channels, axis=1))


def test_a_full_sine_is_three_decibels_below_its_peak() -> None:
    meter = Meter()
    meter.add(tone(1.0))
    level = meter.read()
    assert level.rms == pytest.approx(-3.0, abs=0.1)
    assert level.peak == pytest.approx(0.0, abs=0.1)
    assert level.clipped > 0
    assert level.signal


def test_half_the_amplitude_is_six_decibels_less_in_any_number_of_channels() -> None:
    meter = Meter()
    meter.add(tone(0.5, channels=2))
    level = meter.read()
    assert (level.rms, level.peak) == (pytest.approx(-9.0, abs=0.1), pytest.approx(-6.0, abs=0.1))
    assert level.clipped == 0


def test_zeros_and_no_data_are_no_signal() -> None:
    meter = Meter()
    assert not meter.read().signal
    meter.add(tone(0.0))
    level = meter.read()
    assert (level.rms, level.peak, level.signal) == (None, None, False)


def test_a_meter_that_was_read_falls() -> None:
    meter = Meter()
    meter.add(tone(1.0))
    meter.read()
    level = meter.read()
    assert (level.rms, level.peak, level.clipped) == (None, None, 0)
    assert level.signal  # until a second has passed
