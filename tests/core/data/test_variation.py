"""Samples shown a little differently: of the same kind, the same ones for the same seed."""

import numpy as np

from core.data.batches import Sample
from core.data.variation import FILM, SPEED, Variation, film
from core.types import AUDIO_WIDTH, VISUAL_WIDTH

vary = Variation(np.ones(AUDIO_WIDTH, np.float32))


def voice(length: int = 100) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((length, AUDIO_WIDTH)).astype(np.float32)


def face() -> np.ndarray:
    return np.full((1, VISUAL_WIDTH), 0.5, np.float32)


def test_a_voice_is_another_each_time_and_the_same_for_the_same_seed() -> None:
    sample = Sample("1", "g", audio=voice())
    first, second = vary(sample, np.random.default_rng(1)), vary(sample, np.random.default_rng(1))
    np.testing.assert_array_equal(first.audio, second.audio)
    random = np.random.default_rng(2)
    lengths = {len(vary(sample, random).audio) for _ in range(40)}
    assert len(lengths) > 5
    assert all(100 * (1 - SPEED) - 1 <= length <= 100 * (1 + SPEED) + 1 for length in lengths)
    assert (first.audio.dtype, first.audio.shape[1]) == (np.float32, AUDIO_WIDTH)
    np.testing.assert_array_equal(sample.audio, voice())


def test_the_shortest_voice_stays_a_voice() -> None:
    varied = vary(Sample("1", "g", audio=voice(1)), np.random.default_rng(0))
    assert len(varied.audio) == 2
    assert np.isfinite(varied.audio).all()


def test_a_still_becomes_a_short_film_of_a_face_that_is_there_all_the_time() -> None:
    random = np.random.default_rng(0)
    films = [film(face(), random) for _ in range(60)]
    assert len({len(made) for made in films}) > 5
    assert all(len(made) <= FILM and made.dtype == np.float32 for made in films)
    assert all((made[:, -1] == 0.5).all() for made in films)
    assert max(np.abs(made - 0.5).max() for made in films) < 0.2


def test_recordings_of_voice_and_face_words_and_films_stay_as_they_are() -> None:
    random = np.random.default_rng(0)
    for sample in (
        Sample("1", "g", audio=voice(), visual=face()),
        Sample("2", "g", text="words"),
        Sample("3", "g", visual=np.repeat(face(), 3, axis=0)),
    ):
        assert vary(sample, random) is sample
