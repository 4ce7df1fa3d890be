"""Damaged, forged and hostile files: each ends in what could be read or in an error that names it."""

from __future__ import annotations

import os
import random
import resource
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from core import media
from core.errors import MediaError
from core.media import MediaInfo, probe, read_audio, read_frames

MakeClip = Callable[..., Path]
VICTIMS = (
    "grid_bbaf2n.mpg",
    "psychopy_testMovie.mp4",
    "pyfeat_noface_face.mov",
    "cremad_1001_DFA_SAD_XX_audioonly.mp4",
    "pyfeat_single_face.jpg",
)


def read_all(path: Path) -> MediaInfo | MediaError:
    """Everything there is, at a frame a second; or the error, which must name the file and a remedy."""
    try:
        info = probe(path)
        read_audio(path)
        for _ in read_frames(path, rate=1.0):
            pass
    except MediaError as error:
        answer = error
    else:
        return info
    assert path.name in answer.message
    assert answer.remedy
    return answer


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_truncated_clip_gives_what_is_left_or_says_which_file(
    shared_data: Path, tmp_path: Path, victim: str
) -> None:
    whole = (shared_data / "clips" / victim).read_bytes()
    for part in (0.9, 0.5, 0.1, 0.001):
        short = tmp_path / victim
        short.write_bytes(whole[: max(int(len(whole) * part), 1)])
        read_all(short)


def test_a_truncated_film_keeps_the_pictures_before_the_cut(shared_data: Path, tmp_path: Path) -> None:
    whole = shared_data / "clips" / "grid_bbaf2n.mpg"
    half = tmp_path / "half.mpg"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 5 < len(list(read_frames(half))) < len(list(read_frames(whole)))
    assert 0 < len(read_audio(half)) < len(read_audio(whole))


def test_a_film_whose_streams_are_declared_but_cut_off_is_an_error_not_a_clip_without_sound_and_picture(
    shared_data: Path, tmp_path: Path
) -> None:
    whole = shared_data / "clips" / "ravdess_01-01-03-01-01-02-05.mp4"
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[:60_000])
    with pytest.raises(MediaError, match=r"cut\.mp4 holds neither"):
        probe(cut)


def test_a_film_of_which_the_sound_alone_can_be_read_is_a_sound(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(times=[0.0, 0.5, 1.0], tone=1.5)
    with av.open(str(path)) as clip:
        pictures = [(p.pos, p.size) for p in clip.demux(video=0) if p.size]
    damaged = bytearray(path.read_bytes())
    for start, size in pictures:
        damaged[start : start + size] = b"\xff" * size
    path.write_bytes(damaged)
    info = probe(path)
    assert (info.has_audio, info.has_video) == (True, False)
    assert len(read_audio(path)) > media.SAMPLE_RATE


@pytest.mark.parametrize("victim", VICTIMS)
def test_flipped_bytes_neither_crash_nor_hang(shared_data: Path, tmp_path: Path, victim: str) -> None:
    chance = random.Random(victim)
    whole = (shared_data / "clips" / victim).read_bytes()
    for attempt in range(6):
        damaged = bytearray(whole)
        # Headers lie at the ends of a file: half of the damage goes there.
        for _ in range(4 ** (attempt % 4)):
            near = chance.choice([len(damaged), min(len(damaged), 4096)])
            damaged[chance.randrange(near)] = chance.randrange(256)
        path = tmp_path / f"{attempt}-{victim}"
        path.write_bytes(damaged)
        read_all(path)


@pytest.mark.parametrize(
    "content", [b"\0" * 5000, b"RIFF", b"\x1aE\xdf\xa3" * 40, os.urandom(4096), b"text\n" * 99]
)
def test_what_is_no_media_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert isinstance(read_all(path), MediaError)


def test_a_list_of_other_files_is_refused(shared_data: Path, tmp_path: Path) -> None:
    other = shared_data / "clips" / "grid_bbaf2n.mpg"
    playlist = tmp_path / "clip.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{other}\n#EXT-X-ENDLIST\n")
    concatenation = tmp_path / "clip.ffconcat"
    concatenation.write_text(f"ffconcat version 1.0\nfile '{other}'\n")
    assert isinstance(read_all(playlist), MediaError)
    assert isinstance(read_all(concatenation), MediaError)


def test_a_name_with_a_pattern_means_that_one_file(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "face%d.jpg"
    path.write_bytes((shared_data / "clips" / "pyfeat_single_face.jpg").read_bytes())
    assert probe(path).still


def test_a_forged_picture_size_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png(30_000, 30_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MediaError, match=r"bomb\.png"):
        probe(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_devices_and_pipes_are_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert isinstance(read_all(pipe), MediaError)
    assert isinstance(read_all(Path("/dev/zero")), MediaError)


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read_says_so(make_clip: MakeClip) -> None:
    path = make_clip(times=[0.0])
    path.chmod(0)
    with pytest.raises(MediaError, match="ermission"):
        probe(path)


def test_a_clip_over_the_limits_is_refused(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_clip(times=[0.0, 1.0, 2.0], tone=2.0)
    monkeypatch.setattr(media, "MAX_SECONDS", 1.0)
    with pytest.raises(MediaError, match="minutes"):
        probe(path)
    assert len(read_audio(path)) == media.SAMPLE_RATE
    assert len(list(read_frames(path))) <= 11
    monkeypatch.setattr(media, "MAX_BYTES", 100)
    with pytest.raises(MediaError, match="GiB"):
        probe(path)


def test_a_film_whose_sound_was_cut_off_is_a_silent_film(shared_data: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    with (
        av.open(str(shared_data / "clips" / "videoretalking_3.mp4")) as clip,
        av.open(str(silent), "w") as copy,
    ):
        film = copy.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.dts is not None:
                packet.stream = film
                copy.mux(packet)
    info = probe(silent)
    assert (info.has_audio, info.has_video) == (False, True)
    assert len(list(read_frames(silent))) == 50


def _png(width: int, height: int) -> bytes:
    """A black one-bit picture: a hundred kilobytes that ask for gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
