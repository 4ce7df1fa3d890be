"""The frame asked for is the frame given, and its time is its own: in every kind of file people have."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import MediaError
from core.frame_reader import Frame, FrameReader

BITS = 10
SIDE = 32
RATE = 25
COUNT = 100


def numbered(number: int) -> np.ndarray:
    """(2 * SIDE, BITS * SIDE, 3): the number in black and white blocks, lowest bit left, over black."""
    row = np.repeat([255 * (number >> bit & 1) for bit in range(BITS)], SIDE).astype(np.uint8)
    picture = np.zeros((2 * SIDE, BITS * SIDE, 3), np.uint8)
    picture[:SIDE] = row[None, :, None]
    return picture


def number_of(image: np.ndarray) -> int:
    """The number read back from the middles of the blocks, at any size."""
    height, width, _ = image.shape
    columns = [int((bit + 0.5) * width / BITS) for bit in range(BITS)]
    return sum(int(image[height // 4, column].mean() > 128) << bit for bit, column in enumerate(columns))


def encode(path: Path, codec: str, pts: list[int], tick: Fraction, **options: str) -> Path:
    """Write the numbered pictures 0, 1, … at `pts`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = BITS * SIDE, 2 * SIDE, "yuv420p"
        stream.time_base = stream.codec_context.time_base = tick
        for number, stamp in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            frame.pts, frame.time_base = stamp, tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def steady(first: int = 0) -> list[int]:
    return list(range(first, first + COUNT))


def irregular() -> list[int]:
    chance = random.Random(7)
    stamps = [0]
    while len(stamps) < COUNT:
        stamps.append(stamps[-1] + chance.choice((17, 33, 40, 41, 120, 250)))
    return stamps


def b_frames(folder: Path) -> Path:
    return encode(folder / "b.mp4", "libx264", steady(), Fraction(1, RATE), bf="3", g="48")


def variable_rate(folder: Path) -> Path:
    return encode(folder / "vfr.mkv", "libx264", irregular(), Fraction(1, 1000), bf="2", g="60")


def late_start(folder: Path) -> Path:
    return encode(folder / "late.ts", "libx264", steady(70), Fraction(1, RATE), bf="2", g="30")


def no_index(folder: Path) -> Path:
    return encode(folder / "old.mpg", "mpeg1video", steady(), Fraction(1, RATE), bf="2", g="15")


def packed(folder: Path) -> Path:
    return encode(folder / "b.avi", "mpeg4", steady(), Fraction(1, RATE), bf="2", g="20")


def rotated(folder: Path) -> Path:
    """A phone held upright: the display matrix of the track turns the picture by a quarter."""
    path = encode(folder / "upright.mp4", "libx264", steady(), Fraction(1, RATE), bf="2", g="40")
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    clockwise = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in clockwise)
    path.write_bytes(data)
    return path


def truth(path: Path) -> list[tuple[float, int]]:
    """Time and number of each frame, read once from start to end."""
    with av.open(str(path)) as container:
        origin = (container.start_time or 0) / av.time_base
        return [
            (float(frame.pts * frame.time_base) - origin, number_of(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]


def number_shown(frame: Frame) -> int:
    upright = frame.image.shape[0] > frame.image.shape[1]
    return number_of(np.rot90(frame.image) if upright else frame.image)


@pytest.mark.parametrize("make", [b_frames, variable_rate, late_start, no_index, packed, rotated])
def test_random_seeks_and_single_steps_are_exact(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    expected = truth(path)
    assert [number for _, number in expected] == list(range(COUNT))
    chance = random.Random(3)
    with FrameReader(path) as reader:
        for _ in range(34):
            index = chance.randrange(COUNT)
            for there in (index, index + chance.choice((-1, 1)), index):
                there = min(max(there, 0), COUNT - 1)
                step = there - index
                frame = reader.step(expected[index][0], step) if step else reader.at(expected[index][0])
                assert number_shown(frame) == expected[there][1]
                assert frame.time == pytest.approx(expected[there][0], abs=1e-6)


def test_a_time_between_two_frames_shows_the_earlier(tmp_path: Path) -> None:
    with FrameReader(variable_rate(tmp_path)) as reader:
        stamps = irregular()
        for index in (3, 77, 20, COUNT - 2):
            between = (stamps[index] + stamps[index + 1]) / 2000
            assert number_shown(reader.at(between)) == index


def test_the_ends_hold(tmp_path: Path) -> None:
    with FrameReader(b_frames(tmp_path)) as reader:
        first, last = reader.at(-5.0), reader.at(1e6)
        assert (number_shown(first), number_shown(last)) == (0, COUNT - 1)
        assert number_shown(reader.step(first.time, -3)) == 0
        assert number_shown(reader.step(last.time, 3)) == COUNT - 1


def test_stepping_through_the_whole_clip_backwards_misses_nothing(tmp_path: Path) -> None:
    with FrameReader(b_frames(tmp_path)) as reader:
        frame = reader.at(1e6)
        seen = [number_shown(frame)]
        while seen[-1]:
            frame = reader.step(frame.time, -1)
            seen.append(number_shown(frame))
    assert seen == list(reversed(range(COUNT)))


def test_a_stream_without_time_stamps_is_counted(tmp_path: Path) -> None:
    path = encode(tmp_path / "bare.h264", "libx264", steady(), Fraction(1, RATE), bf="2", g="30")
    with FrameReader(path) as reader:
        for index in (40, 3, 99, 4):
            frame = reader.at(index / RATE)
            assert number_shown(frame) == index
            assert frame.time == pytest.approx(index / RATE)
        assert number_shown(reader.step(frame.time, -1)) == 3


def test_a_rotated_clip_stands_upright(tmp_path: Path) -> None:
    with FrameReader(rotated(tmp_path)) as reader:
        image = reader.at(1.0).image
    assert image.shape == (BITS * SIDE, 2 * SIDE, 3)
    # Turned clockwise, the stored top (the blocks) is on the right.
    assert image[:, SIDE:].mean() > image[:, :SIDE].mean() + 20


def test_pictures_are_scaled_down_to_the_room_but_never_up(tmp_path: Path) -> None:
    path = b_frames(tmp_path)
    with FrameReader(path, fit=(160, 160)) as reader:
        assert reader.at(1.0).image.shape == (32, 160, 3)
        assert number_shown(reader.at(1.0)) == 25
        reader.fit = (5000, 5000)
        assert reader.at(1.0).image.shape == (64, 320, 3)


def test_pictures_of_any_width_are_contiguous(tmp_path: Path) -> None:
    for width in (317, 99, 51):
        with FrameReader(b_frames(tmp_path), fit=(width, 500)) as reader:
            image = reader.at(1.0).image
        assert image.shape[1] == width
        assert image.flags.c_contiguous


def test_a_torn_file_gives_the_frames_it_has(tmp_path: Path) -> None:
    path = variable_rate(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with FrameReader(path) as reader:
        last = number_shown(reader.at(1e6))
        assert 20 < last < COUNT - 1
        assert number_shown(reader.at(0.0)) == 0


@pytest.mark.parametrize("content", [b"", b"no media at all" * 50])
def test_what_is_no_picture_is_said_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"odd\.mp4"):
        FrameReader(path)


def test_real_clips_are_exact(shared_data: Path) -> None:
    for name in ("grid_lbbc2a.mpg", "videoretalking_1.mp4"):
        path = shared_data / "clips" / name
        times = [time for time, _ in truth(path)]
        chance = random.Random(1)
        with FrameReader(path) as reader:
            for index in chance.sample(range(1, len(times) - 1), 6):
                assert reader.at(times[index]).time == pytest.approx(times[index], abs=1e-6)
                assert reader.step(times[index], 1).time == pytest.approx(times[index + 1], abs=1e-6)
                assert reader.step(times[index], -1).time == pytest.approx(times[index - 1], abs=1e-6)
