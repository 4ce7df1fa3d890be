"""What a recording promises: whole at every moment, in sync, nothing overwritten, and told when it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from core import recorder as module
from core.capture.items import Picture, Sound, now
from core.capture.leftovers import growing
from core.media import probe, read_audio
from core.recorder import Phase, Recorder, RecordingError, recover

SIZE, RATE = (64, 48), 16000
NOISE = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)


def film(recorder: Recorder, begin: float, end: float, fps: int = 20, shade: int = 100) -> None:
    """Offer pictures and a steady tone of these seconds, whose moments are those of the recording's clock."""
    for number in range(round(begin * fps), round(end * fps)):
        stamp = recorder.start + number / fps
        recorder.offer(Picture(stamp, np.full((SIZE[1], SIZE[0], 3), shade, dtype=np.uint8)))
        times = (number / fps) + np.arange(RATE // fps) / RATE
        tone = 0.5 * np.sin(2 * np.pi * 500 * times).astype(np.float32)
        recorder.offer(Sound(stamp, RATE, tone[:, None]))


def begun(file: Path, ago: float = 3.0, **options: Any) -> Recorder:
    """A recording that began some seconds ago, so that its pictures need not be waited for."""
    return Recorder(file, SIZE, (RATE, 1), start=now() - ago, **options)


def pictures_of(path: Path) -> list[tuple[float, int]]:
    """(seconds, brightness) of the pictures."""
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [(frame.time, round(float(frame.to_ndarray(format="gray").mean()))) for frame in frames]


def written(recorder: Recorder, pictures: int) -> bool:
    return recorder.progress().pictures >= pictures


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], None]:
    def wait(what: Callable[[], Any]) -> None:
        wake, deadline = threading.Event(), now() + 30
        while not what():
            assert now() < deadline, "nothing of the kind happened"
            wake.wait(0.005)

    return wait


Eventually = Callable[[Callable[[], Any]], None]


def test_a_recording_is_an_mp4_file_with_everything_at_its_time(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    recorder = begun(file, 2.0)
    film(recorder, 0.0, 2.0)
    end = recorder.stop(tail=0.0)
    assert (end.phase, end.file, end.dropped, end.pictures) == (Phase.FINISHED, str(file), 0, 40)
    assert list(tmp_path.iterdir()) == [file]
    info = probe(file)
    assert info.duration == pytest.approx(2.0, abs=0.2)
    assert (info.width, info.height, info.has_audio) == (*SIZE, True)
    assert [time for time, _ in pictures_of(file)] == pytest.approx([n / 20 for n in range(40)], abs=0.002)
    sound = read_audio(file)
    spectrum = np.abs(np.fft.rfft(sound[8000:24000]))
    assert int(np.argmax(spectrum)) == 500


def test_a_pause_is_left_out_of_pictures_and_sound_alike(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    recorder = begun(file)
    start = recorder.start
    film(recorder, 0.0, 1.0, shade=50)
    recorder.pause(start + 1.0)
    assert recorder.progress().phase is Phase.PAUSED
    film(recorder, 1.0, 2.0, shade=255)
    recorder.resume(start + 2.0)
    film(recorder, 2.0, 3.0, shade=150)
    recorder.stop(tail=0.0)
    shades = pictures_of(file)
    assert [time for time, _ in shades] == pytest.approx([n / 20 for n in range(40)], abs=0.002)
    assert max(shade for _, shade in shades) < 200
    assert len(read_audio(file)) / 16000 == pytest.approx(2.0, abs=0.2)


def test_every_second_begins_with_a_picture_that_stands_for_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    recorder = begun(file)
    film(recorder, 0.0, 3.0)
    recorder.stop(tail=0.0)
    with av.open(str(file)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.dts is not None]
        keys = [float(packet.pts * packet.time_base) for packet in packets if packet.is_keyframe]
        assert all(packet.pts == packet.dts for packet in packets)
    assert len(keys) >= 3
    assert max(np.diff([*keys, 3.0])) <= 1.0


def test_a_camera_that_changes_its_size_goes_on_between_black_bars(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    recorder = begun(file)
    film(recorder, 0.0, 1.0)
    recorder.offer(Picture(recorder.start + 1.5, np.full((96, 64, 3), 200, dtype=np.uint8)))
    recorder.stop(tail=0.0)
    with av.open(str(file)) as container:
        last = list(container.decode(video=0))[-1].to_ndarray(format="gray")
    assert last.shape == (48, 64)
    assert last[24, 32] > 150
    assert last[24, 4] < 40


def test_a_microphone_that_goes_leaves_silence_and_the_pictures_go_on(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BEHIND", 0.1)
    file = tmp_path / "a.mp4"
    recorder = begun(file, 4.0)
    film(recorder, 0.0, 1.0)
    eventually(lambda: written(recorder, 20))
    before = recorder.progress().bytes
    eventually(lambda: recorder.progress().bytes > before)  # silence, although nothing was offered
    for number in range(20, 80):
        recorder.offer(Picture(recorder.start + number / 20, NOISE))
    recorder.stop(tail=0.0)
    sound = read_audio(file)
    assert len(sound) / 16000 == pytest.approx(4.0, abs=0.5)
    assert np.abs(sound[:16000]).max() > 0.4
    assert np.abs(sound[18000:]).max() < 0.01
    assert pictures_of(file)[-1][0] > 3.9


def test_pictures_that_the_encoder_has_no_time_for_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Backlog", lambda: module_backlog(NOISE.nbytes * 3))
    hold = threading.Event()
    real = module.Film.add_picture
    monkeypatch.setattr(module.Film, "add_picture", lambda *of: hold.wait(30) and real(*of))
    recorder = Recorder(tmp_path / "a.mp4", SIZE, None, start=now() - 2)
    for number in range(20):
        recorder.offer(Picture(recorder.start + number / 20, NOISE))
    hold.set()
    end = recorder.stop(tail=0.0)
    assert end.dropped >= 16
    assert end.pictures + end.dropped == 20


def module_backlog(size: int) -> Any:
    from core.capture.backlog import Backlog

    return Backlog(picture_bytes=size)


def test_nothing_is_overwritten_and_the_name_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_text("precious")
    with pytest.raises(RecordingError, match=r"a\.mp4 exists"):
        begun(file)
    assert file.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [file]


def test_a_recording_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="neither"):
        Recorder(tmp_path / "a.mp4", None, None)


@pytest.mark.parametrize("folder", ["absent", "file"])
def test_a_folder_that_cannot_be_written_to_is_told_before_anything_is_recorded(
    tmp_path: Path, folder: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"a\.mp4") as told:
        begun(tmp_path / folder / "a.mp4")
    assert told.value.remedy


def small_disk(folder: Path, options: str) -> None:
    """Mount a tmpfs there, or skip: that takes root, and a system that lets it."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can only be made by root")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a file system with these mount options."""
    folder = tmp_path / "disk"

    def make(options: str) -> Path:
        small_disk(folder, options)
        return folder

    yield make
    if folder.is_mount():
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_read_only_folder_is_told(disk: Callable[[str], Path]) -> None:
    with pytest.raises(RecordingError, match="Read-only"):
        begun(disk("ro,size=1m") / "a.mp4")


def noise_until_it_fails(recorder: Recorder) -> None:
    """Pictures that compress badly, until the recorder has failed or a minute is full."""
    chance = np.random.default_rng(0)
    for number in range(60 * 20):
        image = chance.integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
        recorder.offer(Picture(recorder.start + number / 20, image))
        recorder.offer(Sound(recorder.start + number / 20, RATE, np.zeros((RATE // 20, 1), np.float32)))
        if recorder.progress().phase is Phase.FAILED:
            return


@pytest.mark.parametrize("reserve", [0, 300_000])
def test_a_full_disk_ends_the_recording_and_what_was_written_plays(
    disk: Callable[[str], Path], eventually: Eventually, reserve: int
) -> None:
    folder = disk("size=1m")
    recorder = begun(folder / "a.mp4", 60.0, reserve=reserve)
    noise_until_it_fails(recorder)
    eventually(lambda: recorder.progress().phase is Phase.FAILED)
    end = recorder.stop(tail=0.0)
    assert "disk is full" in end.reason
    assert str(folder) in end.remedy
    kept = Path(end.file)
    assert kept.exists()
    assert kept.parent == folder
    seen = pictures_of(kept)
    assert end.pictures - len(seen) <= 20  # a second
    assert len(seen) > 40


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems limit the size of files")
def test_where_files_may_not_grow_further_the_same_happens_without_root(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from core.capture.items import Picture, now\n"
        "from core.recorder import Recorder\n"
        "recorder = Recorder(Path(sys.argv[1]), (64, 48), None, start=now() - 60)\n"
        "chance = np.random.default_rng(0)\n"
        "for number in range(1200):\n"
        "    image = chance.integers(0, 255, (48, 64, 3), dtype=np.uint8)\n"
        "    recorder.offer(Picture(recorder.start + number / 20, image))\n"
        "end = recorder.stop(tail=0.0)\n"
        "print(end.phase, end.file, end.reason)\n"
    )
    root = Path(module.__file__).parent.parent
    arguments = [sys.executable, "-c", code, str(tmp_path / "a.mp4"), str(root)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    phase, file, reason = done.stdout.split(maxsplit=2)
    assert (phase, "disk is full" in reason) == ("failed", True), done.stderr
    assert len(pictures_of(Path(file))) > 20


def test_a_folder_that_vanishes_is_told_within_a_second(tmp_path: Path, eventually: Eventually) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    recorder = begun(folder / "a.mp4")
    film(recorder, 0.0, 0.5)
    shutil.rmtree(folder)
    gone = now()
    eventually(lambda: recorder.progress().phase is Phase.FAILED)
    assert now() - gone < 1.0
    assert "taken away" in recorder.stop(tail=0.0).reason


def test_a_fault_of_ours_ends_the_recording_visibly_and_keeps_what_was_written(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = begun(tmp_path / "a.mp4")
    film(recorder, 0.0, 1.0)
    eventually(lambda: written(recorder, 20))
    monkeypatch.setattr(module.Film, "add_picture", lambda *of: 1 / 0)
    film(recorder, 1.0, 1.1)
    eventually(lambda: recorder.progress().phase is Phase.FAILED)
    end = recorder.stop(tail=0.0)
    assert "division" in end.reason
    assert "Traceback" in caplog.text
    assert len(pictures_of(Path(end.file))) >= 18


def test_a_recording_without_room_for_a_copy_stays_as_it_is_and_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> float:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "remux", full)
    recorder = begun(tmp_path / "a.mp4")
    film(recorder, 0.0, 1.0)
    end = recorder.stop(tail=0.0)
    assert end.phase is Phase.FINISHED
    assert "No space" in end.reason
    assert len(pictures_of(Path(end.file))) == 20


def left_behind(folder: Path, name: str = "talk", keep: float = 1.0) -> Path:
    """A recording as a killed program leaves it: the note names a process that is no more."""
    recorder = begun(folder / f"{name}.mp4")
    film(recorder, 0.0, 2.0)
    recorder.stop(make_mp4=False, tail=0.0)
    left = growing(folder / f"{name}.mp4")
    data = left.read_bytes()
    left.write_bytes(data[: int(len(data) * keep)])
    note = {"v": 1, "file": f"{name}.mp4", "pid": os.getpid(), "created": 1.0}
    (folder / f"{name}.recording.json").write_text(json.dumps(note))
    return left


def test_what_a_killed_program_left_is_made_whole_at_the_next_start(tmp_path: Path) -> None:
    left_behind(tmp_path, keep=0.7)
    found = recover(tmp_path)
    assert [one.file for one in found] == [tmp_path / "talk.mp4"]
    assert 0.5 < found[0].seconds < 2.0
    assert found[0].seconds == pytest.approx(probe(tmp_path / "talk.mp4").duration, abs=0.1)
    assert list(tmp_path.iterdir()) == [tmp_path / "talk.mp4"]
    assert recover(tmp_path) == []


def test_recovery_overwrites_nothing(tmp_path: Path) -> None:
    left_behind(tmp_path)
    (tmp_path / "talk.mp4").write_text("precious")
    assert [one.file for one in recover(tmp_path)] == [tmp_path / "talk (2).mp4"]
    assert (tmp_path / "talk.mp4").read_text() == "precious"


def test_a_recording_that_is_under_way_is_left_alone(tmp_path: Path) -> None:
    recorder = begun(tmp_path / "a.mp4")
    assert recover(tmp_path) == []
    film(recorder, 0.0, 1.0)
    assert recorder.stop(tail=0.0).phase is Phase.FINISHED


def test_a_leftover_that_holds_nothing_readable_is_kept_and_an_empty_one_is_cleared(tmp_path: Path) -> None:
    junk, empty = tmp_path / "junk.recording.mkv", tmp_path / "empty.recording.mkv"
    junk.write_bytes(b"nothing" * 1000)
    empty.write_bytes(b"")
    found = {one.file for one in recover(tmp_path)}
    assert found == {junk, None}
    assert junk.exists()
    assert not empty.exists()
