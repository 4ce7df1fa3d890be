"""Pictures and sound that another process reads out of shared memory, whole or not at all."""

from __future__ import annotations

import doctest
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from core.capture import rings
from core.capture.items import Picture, Sound
from core.capture.rings import Pictures, RingError, Sounds
from core.media import SAMPLE_RATE


def shade(value: int, size: tuple[int, int] = (48, 64)) -> Picture:
    return Picture(value / 10, np.full((*size, 3), value % 256, dtype=np.uint8))


@pytest.fixture
def pictures() -> Iterator[Pictures]:
    ring = Pictures.create(pixels=64 * 48)
    yield ring
    ring.close()


@pytest.fixture
def sounds() -> Iterator[Sounds]:
    ring = Sounds.create(seconds=1.0)
    yield ring
    ring.close()


def test_the_examples_hold() -> None:
    assert doctest.testmod(rings).failed == 0


def test_another_process_sees_the_newest_picture_and_leaves_the_memory_where_it_is(
    pictures: Pictures, sounds: Sounds
) -> None:
    pictures.write(shade(1))
    pictures.write(shade(2))
    sounds.write(Sound(1.0, 48000, np.full((4800, 2), 0.25, dtype=np.float32)))
    code = (
        "from core.capture.rings import Pictures, Sounds\n"
        f"ring, sound = Pictures.attach({pictures.name!r}), Sounds.attach({sounds.name!r})\n"
        "seen = ring.copy_latest()\n"
        "heard = sound.read(0)\n"
        "image = seen.image\n"
        "print(seen.number, seen.stamp, image.shape, image.mean(), sound.written, heard.samples[-100])\n"
        "ring.close(); sound.close()"
    )
    for _ in range(2):  # the first reader's end takes nothing away from the second
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stderr == ""
        number, stamp, *shape, mean, written, sample = done.stdout.split()
        assert (number, stamp, " ".join(shape), mean) == ("2", "0.2", "(48, 64, 3)", "2.0")
        assert int(written) == pytest.approx(1600, abs=20)
        assert float(sample) == pytest.approx(0.25, abs=0.01)


def test_a_picture_that_was_written_over_is_noticed(pictures: Pictures) -> None:
    pictures.write(shade(1))
    seen = pictures.latest()
    for value in range(2, 2 + rings.SLOTS - 1):
        pictures.write(shade(value))
    assert pictures.intact(seen)
    pictures.write(shade(99))
    assert not pictures.intact(seen)
    del seen


def test_a_reader_never_takes_a_torn_picture_for_a_whole_one(pictures: Pictures) -> None:
    reader = Pictures.attach(pictures.name)
    stop = threading.Event()

    def write() -> None:
        value = 0
        while not stop.is_set():
            pictures.write(shade(value := value + 1))

    writer = threading.Thread(target=write)
    writer.start()
    whole, number = 0, 0
    while whole < 50:
        seen = reader.copy_latest(number)
        if seen is not None:
            assert (seen.image == seen.number % 256).all()
            assert seen.number > number
            whole, number = whole + 1, seen.number
    stop.set()
    writer.join()
    reader.close()


def test_a_picture_that_is_too_large_comes_smaller_and_sizes_may_change(pictures: Pictures) -> None:
    pictures.write(shade(1, (96, 128)))
    assert pictures.copy_latest().image.shape == (48, 64, 3)
    pictures.write(shade(2, (30, 20)))
    assert pictures.copy_latest().image.shape == (30, 20, 3)


def test_sound_of_any_rate_is_mono_at_the_rate_of_the_models(sounds: Sounds) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(48000 // 2) / 48000).astype(np.float32)
    for first in range(0, len(tone), 480):
        part = tone[first : first + 480, None].repeat(2, axis=1)
        sounds.write(Sound(3.0 + first / 48000, 48000, part))
    heard = sounds.read(0)
    assert len(heard.samples) == pytest.approx(SAMPLE_RATE / 2, abs=40)
    assert heard.stamp == pytest.approx(3.0, abs=0.003)
    expected = np.sin(2 * np.pi * 440 * (np.arange(len(heard.samples)) / SAMPLE_RATE))
    assert np.abs(heard.samples - expected)[200:-200].max() < 0.2  # but for a shift of a sample or two


def test_what_a_microphone_did_not_give_is_silence_so_that_numbers_stay_times(sounds: Sounds) -> None:
    loud = np.ones((160, 1), dtype=np.float32)
    for stamp in (0.0, 0.01, 0.5):
        sounds.write(Sound(stamp, SAMPLE_RATE, loud))
    heard = sounds.read(0)
    assert len(heard.samples) == round(0.51 * SAMPLE_RATE)
    assert not heard.samples[320 : round(0.5 * SAMPLE_RATE)].any()
    assert heard.stamp == pytest.approx(0.0)


def test_a_reader_that_is_late_gets_what_is_left_and_is_told_where_it_begins(sounds: Sounds) -> None:
    for number in range(150):
        block = np.full((160, 1), number / 200, dtype=np.float32)
        sounds.write(Sound(number / 100, SAMPLE_RATE, block))
    heard = sounds.read(after=100)
    assert heard.first == 50 * 160
    assert heard.samples[0] == pytest.approx(50 / 200)
    assert heard.after == 150 * 160
    assert len(sounds.read(heard.after).samples) == 0
    assert len(sounds.read(heard.after - 500, most=200).samples) == 200


def test_memory_that_is_not_there_or_not_ours_is_refused(pictures: Pictures) -> None:
    with pytest.raises(RingError):
        Pictures.attach("consonance-never-made")
    with pytest.raises(RingError):
        Sounds.attach(pictures.name)
