"""The picture of a clip's sound."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.workers.waveform import POINTS, peaks


@given(count=st.integers(0, 5 * POINTS), seed=st.integers(0, 9))
def test_no_loud_sample_is_lost_however_long_the_sound(count: int, seed: int) -> None:
    audio = np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)
    found = peaks(audio)
    assert len(found) == min(count, POINTS)
    assert all(0 <= peak <= 1 for peak in found)
    if count:
        assert max(found) == np.abs(audio).max().round(3).item()


def test_a_peak_lies_where_the_sound_is() -> None:
    audio = np.zeros(16000, np.float32)
    audio[4000] = -0.5
    assert np.flatnonzero(peaks(audio)).tolist() == [500]
