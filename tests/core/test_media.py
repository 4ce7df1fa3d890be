"""What is read from clips: every real file, and clips whose pictures and sound are known."""

from __future__ import annotations

import csv
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest

from core.errors import Cancelled, MediaError
from core.media import MAX_SIDE, SAMPLE_RATE, probe, read_audio, read_frames

MakeClip = Callable[..., Path]


def shown(path: Path, rate: float = 10.0) -> list[tuple[float, int]]:
    """(seconds, number of the picture) as `make_clip` numbers them by brightness."""
    return [(seconds, round((int(frame[-8, -8, 0]) - 10) / 20)) for seconds, frame in read_frames(path, rate)]


@pytest.fixture(scope="module")
def clips(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "clips" / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_real_clip_is_what_its_list_says(shared_data: Path, clips: list[dict[str, str]]) -> None:
    for row in clips:
        info = probe(shared_data / "clips" / row["file"])
        size = (str(info.width or ""), str(info.height or ""))
        assert size == (row["width"], row["height"]), row["file"]
        assert info.has_audio == (row["has_audio"] != "no"), row["file"]
        assert info.still == (row["seconds"] == ""), row["file"]
        assert info.duration == pytest.approx(float(row["seconds"] or 0), abs=0.15), row["file"]


def test_every_real_film_gives_ten_upright_pictures_a_second(
    shared_data: Path, clips: list[dict[str, str]]
) -> None:
    for row in clips:
        if not row["width"]:
            continue
        frames = list(read_frames(shared_data / "clips" / row["file"]))
        seconds = float(row["seconds"] or 0.1)
        assert abs(len(frames) - seconds * 10) <= 2, row["file"]
        np.testing.assert_allclose([time for time, _ in frames], np.arange(len(frames)) / 10)
        first = frames[0][1]
        assert first.dtype == np.uint8
        assert first.flags.c_contiguous
        assert max(first.shape) == min(max(int(row["width"]), int(row["height"])), MAX_SIDE)


def test_every_real_sound_is_as_long_as_its_clip_and_as_loud_as_its_list_says(
    shared_data: Path, clips: list[dict[str, str]]
) -> None:
    for row in clips:
        audio = read_audio(shared_data / "clips" / row["file"])
        assert audio.dtype == np.float32
        if row["has_audio"] == "no":
            assert len(audio) == 0
        elif row["has_audio"] == "silent track":
            assert np.abs(audio).max() < 1e-4
        else:
            assert 0 < len(audio) / SAMPLE_RATE < float(row["seconds"]) + 0.1
            assert np.abs(audio).max() > 0.01


def test_pictures_are_the_last_shown_at_each_tenth_whatever_the_frame_rate(make_clip: MakeClip) -> None:
    path = make_clip(times=[0.0, 0.05, 0.1, 0.27, 0.31, 0.55])
    expected = [0, 2, 2, 3, 4, 4]
    assert [number for _, number in shown(path)][:6] == expected


def test_a_picture_that_stands_still_is_the_same_array_again(make_clip: MakeClip) -> None:
    frames = [frame for _, frame in read_frames(make_clip(times=[0.0, 0.5, 0.6]))]
    assert frames[0] is frames[1] is frames[4]
    assert frames[5] is not frames[4]


def test_a_film_without_sound_and_sound_without_film_say_so(make_clip: MakeClip) -> None:
    silent = probe(make_clip("film.mp4", times=[0.0, 0.1, 0.2]))
    sound = probe(make_clip("sound.m4a", tone=0.5))
    assert (silent.has_audio, silent.has_video) == (False, True)
    assert (sound.has_audio, sound.has_video) == (True, False)
    assert list(read_frames(sound.path)) == []
    assert len(read_audio(silent.path)) == 0


def test_sound_comes_in_mono_at_16_khz(make_clip: MakeClip) -> None:
    audio = read_audio(make_clip("tone.m4a", tone=1.0))
    assert len(audio) == pytest.approx(SAMPLE_RATE, rel=0.05)
    spectrum = np.abs(np.fft.rfft(audio[:SAMPLE_RATE]))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(audio[:SAMPLE_RATE]) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_recording_comes_upright(make_clip: MakeClip, rotation: int) -> None:
    path = make_clip(times=[0.0, 0.1], rotation=rotation)
    info = probe(path)
    assert info.rotation == rotation
    assert (info.width, info.height) == ((48, 64) if rotation != 180 else (64, 48))
    _, frame = next(read_frames(path))
    assert frame.shape[:2] == (info.height, info.width)
    # The white left quarter turns counter-clockwise with the picture: to the bottom, the right, the top.
    bright = {90: frame[-4, 20], 180: frame[20, -4], 270: frame[3, 20]}[rotation]
    assert bright.min() > 200


@pytest.mark.parametrize(("orientation", "rotation"), [(1, 0), (3, 180), (6, 270), (8, 90)])
def test_a_photograph_taken_with_the_camera_turned_comes_upright(
    shared_data: Path, tmp_path: Path, orientation: int, rotation: int
) -> None:
    jpeg = (shared_data / "clips" / "pyfeat_multi_face.jpg").read_bytes()
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    turned = tmp_path / "turned.jpg"
    turned.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    info = probe(turned)
    assert info.rotation == rotation
    assert (info.width, info.height) == ((667, 1000) if rotation in (90, 270) else (1000, 667))
    assert (next(read_frames(turned))[1].shape[0] > 700) == (rotation in (90, 270))


def test_odd_sizes_are_read(make_clip: MakeClip) -> None:
    info = probe(make_clip("odd.mkv", times=[0.0, 0.1], size=(63, 47)))
    assert (info.width, info.height) == (63, 47)
    assert next(read_frames(info.path))[1].shape == (47, 63, 3)


def test_a_large_picture_is_given_out_smaller(make_clip: MakeClip) -> None:
    path = make_clip(times=[0.0], size=(2000, 1000))
    assert next(read_frames(path))[1].shape == (MAX_SIDE // 2, MAX_SIDE, 3)
    assert next(read_frames(path, max_side=4000))[1].shape == (1000, 2000, 3)


def test_a_recording_that_never_was_finished_is_measured(make_clip: MakeClip, tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished.mkv"
    with (
        av.open(str(make_clip(times=[0.0, 0.5, 1.0]))) as clip,
        unfinished.open("wb") as file,
        av.open(_Pipe(file), "w", format="matroska") as copy,
    ):
        film = copy.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.dts is not None:
                packet.stream = film
                copy.mux(packet)
    assert probe(unfinished).duration == pytest.approx(1.0, abs=0.1)


class _Pipe:
    """Cannot be rewound, so that the writer cannot fill in the duration at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def test_reading_sound_stops_when_asked(make_clip: MakeClip) -> None:
    with pytest.raises(Cancelled):
        read_audio(make_clip("tone.m4a", tone=1.0), cancelled=lambda: True)


def test_sound_that_starts_late_keeps_its_place(shared_data: Path) -> None:
    audio = read_audio(shared_data / "clips" / "pyfeat_face_noface.mov")
    late = int(107164 / 44100 * SAMPLE_RATE)
    assert not audio[: late - 2000].any()
    assert np.abs(audio[late + 2000 :]).max() > 0.1


@pytest.mark.parametrize(
    ("name", "says"), [("nowhere.mp4", "No such file"), (".", "is a folder"), ("empty.mp4", "is empty")]
)
def test_what_is_no_file_says_what_it_is(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(MediaError, match=says) as raised:
        probe(tmp_path / name)
    assert raised.value.remedy
