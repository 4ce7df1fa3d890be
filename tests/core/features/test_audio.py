"""Voice features: their form, what each column means, and that only the sound nearby counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled
from core.features import audio
from core.features.audio import HOP, audio_features
from core.media import SAMPLE_RATE, read_audio
from core.types import AUDIO_RATE, AUDIO_WIDTH


@pytest.fixture(scope="module")
def voice(shared_data: Path) -> np.ndarray:
    return read_audio(shared_data / "clips" / "psychopy_jwpIntro.mp4")


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    moments = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32)


@pytest.mark.parametrize("samples", [0, 1, 511, 512, 513, 2000, 9000, 40000])
def test_silence_of_any_length_gives_finite_rows_at_one_rate(samples: int) -> None:
    rows = audio_features(np.zeros(samples, dtype=np.float32))
    assert rows.shape == (1 + samples // HOP, AUDIO_WIDTH)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert SAMPLE_RATE / HOP == AUDIO_RATE


def test_broken_samples_do_not_spread() -> None:
    broken = tone(300)
    broken[[5, 600, 9000]] = [np.nan, np.inf, -np.inf]
    assert np.isfinite(audio_features(broken)).all()


def test_the_first_column_is_librosas_zero_crossing_rate(voice: np.ndarray) -> None:
    import librosa

    theirs = librosa.feature.zero_crossing_rate(voice, hop_length=HOP)[0]
    np.testing.assert_allclose(audio_features(voice)[2:-3, 0], theirs[2:-3], atol=1e-6)


def test_a_tone_crosses_zero_twice_a_period_and_lights_its_chroma() -> None:
    rows = audio_features(tone(440.0))[5:-5]
    np.testing.assert_allclose(rows[:, 0], 2 * 440 / SAMPLE_RATE, atol=2e-3)
    assert (rows[:, 21:].argmax(axis=1) == 9).all()  # A, counted from C


def test_louder_sound_moves_only_the_first_coefficient() -> None:
    noise = np.random.default_rng(1).normal(scale=0.05, size=SAMPLE_RATE).astype(np.float32)
    change = audio_features(noise * 10)[5:-5] - audio_features(noise)[5:-5]
    np.testing.assert_allclose(change[:, 1], 20 * np.sqrt(128), rtol=1e-3)  # 20 dB in each of 128 bands
    assert np.abs(np.delete(change, 1, axis=1)).max() < 1e-2


def test_a_part_of_a_recording_has_the_rows_of_the_whole(voice: np.ndarray) -> None:
    whole, part = audio_features(voice), audio_features(voice[60 * HOP : 140 * HOP])
    np.testing.assert_allclose(part[25:-25], whole[85:116], atol=2e-3)


def test_long_sound_is_computed_in_blocks_without_a_seam(
    voice: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = audio_features(voice)
    monkeypatch.setattr(audio, "BLOCK", 50)
    np.testing.assert_allclose(audio_features(voice), whole, atol=2e-3)


def test_it_stops_when_asked() -> None:
    with pytest.raises(Cancelled):
        audio_features(tone(100), cancelled=lambda: True)
