"""Where a moment of the capture clock lies in a file, and sound that stays on that clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.capture.items import Sound
from core.capture.timeline import SampleClock, Timeline

RATE = 8000


def block(stamp: float, count: int, rate: int = RATE) -> Sound:
    return Sound(stamp, rate, np.ones((count, 1), np.float32))


def test_a_pause_is_not_in_the_file() -> None:
    line = Timeline(100.0)
    line.pause(103.0)
    line.resume(110.0)
    assert line.seconds(99.9) is None
    assert line.seconds(102.0) == pytest.approx(2.0)
    assert line.seconds(105.0) is None
    assert line.seconds(111.5) == pytest.approx(4.5)
    assert line.elapsed(112.0) == pytest.approx(5.0)


def test_a_block_is_cut_where_the_pause_begins_and_ends() -> None:
    line = Timeline(10.0)
    line.pause(11.0)
    line.resume(11.1)
    parts = list(line.cut(block(10.95, round(0.2 * RATE))))
    assert [(round(at, 6), len(samples)) for at, samples in parts] == [(0.95, 400), (1.0, 400)]


@given(st.lists(st.tuples(st.floats(0.01, 5), st.floats(0.01, 5)), max_size=6), st.floats(0, 30))
def test_time_in_the_file_never_runs_backwards_and_has_no_holes(
    pauses: list[tuple[float, float]], probe: float
) -> None:
    line, moment = Timeline(0.0), 0.0
    for recorded, paused in pauses:
        line.pause(moment := moment + recorded)
        line.resume(moment := moment + paused)
    at = line.seconds(probe)
    if at is not None:
        assert at == pytest.approx(line.elapsed(probe))
    assert line.elapsed(probe + 0.5) >= line.elapsed(probe)
    assert line.elapsed(moment) == pytest.approx(sum(recorded for recorded, _ in pauses))


def run(stamps: list[tuple[float, int]], rate: int = RATE) -> tuple[SampleClock, np.ndarray]:
    clock = SampleClock(rate, 1)
    pieces = [
        piece for stamp, count in stamps for piece in clock.fit(stamp, np.ones((count, 1), dtype=np.float32))
    ]
    return clock, np.concatenate(pieces)[:, 0]


def test_a_hole_becomes_silence_and_what_overlaps_is_left_out() -> None:
    clock, samples = run([(0.5, 800), (1.0, 800), (0.9, 800)])
    assert len(samples) == clock.position == round(1.1 * RATE)
    assert not samples[: RATE // 2].any()
    assert samples[RATE // 2 : round(0.6 * RATE)].all()
    assert not samples[round(0.6 * RATE) : RATE].any()


@pytest.mark.parametrize("jump", [0.05, -0.05])
def test_a_device_that_loses_or_repeats_a_little_is_in_time_again_within_a_second(jump: float) -> None:
    chance = np.random.default_rng(5)
    clock = SampleClock(RATE, 1)
    for number in range(200):
        true = number * 0.02 + (jump if number > 100 else 0.0)
        if number > 150:
            assert abs(clock.seconds - true) < 0.03
        for _ in clock.fit(true + chance.normal(0, 0.002), np.zeros((160, 1), dtype=np.float32)):
            pass
    assert abs(clock.seconds - true - 0.02) < 0.02


def test_blocks_that_jitter_are_joined_untouched() -> None:
    chance = np.random.default_rng(3)
    stamps = [(n * 0.02 + chance.uniform(-0.006, 0.006), 160) for n in range(1, 500)]
    clock, samples = run(stamps)
    assert clock.stretched == 0
    assert len(samples) == pytest.approx(500 * 160, abs=0.01 * RATE)


@pytest.mark.parametrize("drift", [-300e-6, 0.0, 300e-6])
def test_after_a_quarter_of_an_hour_a_sound_card_that_runs_wrong_is_still_in_time(drift: float) -> None:
    """rate: what it says; it really gives (1 + drift) times as many samples a second."""
    rate, count = 8000, 160
    chance = np.random.default_rng(1)
    clock, worst, made = SampleClock(rate, 1), 0.0, 0
    quiet = np.zeros((count, 1), dtype=np.float32)
    while made < 900 * rate:
        true = made / (rate * (1 + drift))
        worst = max(worst, abs(true - clock.seconds) if made else 0.0)
        for _ in clock.fit(true + chance.normal(0, 0.003), quiet):
            pass
        made += count
    assert drift or not clock.stretched
    assert worst < 0.02
