"""Live sound and sight: the numbers of a clip that is opened, a bounded memory, and honest gaps."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from core.capture.items import Picture, now
from core.capture.rings import Heard, Pictures
from core.features.audio import MARGIN, audio_features
from core.inference.live_sight import LiveSight
from core.inference.live_sound import KEPT, LiveSound
from core.media import SAMPLE_RATE
from core.types import PRESENCE, VISUAL_RATE, VISUAL_WIDTH


def noise(seconds: float, seed: int = 1) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).normal(size=int(seconds * SAMPLE_RATE)).astype(np.float32)


def in_blocks(sound: LiveSound, samples: np.ndarray, size: int = 7000) -> None:
    for first in range(0, len(samples), size):
        sound.add(Heard(first, first / SAMPLE_RATE, samples[first : first + size]))
        sound.understand()


def test_sound_in_pieces_has_the_features_of_the_whole() -> None:
    samples = noise(5.0)
    sound = LiveSound(0.0)
    in_blocks(sound, samples, 16000)
    whole = audio_features(samples)
    settled = len(whole) - MARGIN
    np.testing.assert_allclose(sound.frames(0, settled), whole[:settled], atol=2e-3)
    assert sound.end == pytest.approx(5.0)


def test_a_hole_is_silence_and_keeps_what_follows_in_its_place() -> None:
    sound = LiveSound(100.0)
    sound.add(Heard(0, 100.0, np.ones(SAMPLE_RATE, np.float32)))
    sound.add(Heard(SAMPLE_RATE, 102.0, np.ones(SAMPLE_RATE, np.float32)))
    assert sound.end == pytest.approx(3.0)
    assert not sound.samples(1.1, 1.9).any()
    assert sound.samples(2.0, 3.0).all()


def test_only_the_last_minute_of_sound_is_remembered() -> None:
    sound = LiveSound(0.0)
    for second in range(int(KEPT) + 20):
        sound.add(Heard(second * SAMPLE_RATE, float(second), np.full(SAMPLE_RATE, second, np.float32)))
    assert KEPT <= sound.end - sound.oldest < KEPT + 1
    assert sound.samples(70.0, 71.0)[0] == 70


@pytest.fixture
def ring() -> Iterator[Pictures]:
    ring = Pictures.create(pixels=64)
    yield ring
    ring.close()


class Watched:
    """A sight that is let run until it has seen for so many seconds."""

    def __init__(self, ring: Pictures, delay: float = 0.0) -> None:
        self.sight = LiveSight(ring, now())
        self._delay = delay
        self._stopped = threading.Event()

    def read(self, image: np.ndarray) -> np.ndarray:
        threading.Event().wait(self._delay)
        row = np.zeros(VISUAL_WIDTH, np.float32)
        row[PRESENCE] = 1.0
        return row

    def until(self, seconds: float) -> LiveSight:
        thread = threading.Thread(target=self.sight.watch, args=(self.read, self._stopped))
        thread.start()
        while self.sight.end < seconds:
            threading.Event().wait(0.01)
        self._stopped.set()
        thread.join()
        return self.sight


def test_a_picture_is_looked_at_ten_times_a_second(ring: Pictures) -> None:
    ring.write(Picture(now(), np.zeros((8, 8, 3), np.uint8)))
    sight = Watched(ring).until(0.3)
    assert sight.rows(0, 3)[:, PRESENCE].all()
    assert sight.face


def test_a_slow_machine_misses_moments_and_keeps_the_clock(ring: Pictures) -> None:
    ring.write(Picture(now(), np.zeros((8, 8, 3), np.uint8)))
    sight = Watched(ring, delay=0.35).until(0.3)
    assert sight.missed >= 3
    assert len(sight.rows(0, 1000)) == round(sight.end * VISUAL_RATE)


def test_a_camera_that_gives_nothing_shows_no_face(ring: Pictures) -> None:
    ring.write(Picture(now() - 5, np.zeros((8, 8, 3), np.uint8)))
    sight = Watched(ring).until(0.2)
    assert sight.stale
    assert not sight.face
