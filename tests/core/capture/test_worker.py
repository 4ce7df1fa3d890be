"""The capture process as the window uses it, and its end in every way it can come."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.capture.items import now
from core.capture.leftovers import growing
from core.capture.rings import Pictures, Sounds
from core.media import probe
from core.recorder import recover

Eventually = Callable[..., Any]
Start = Callable[..., Any]


@pytest.fixture
def worker(child: Start) -> Any:
    """A capture process that is ready."""
    started = child("capture")
    started.event("ready")
    return started


def opened(worker: Any, clip: Path) -> dict[str, Any]:
    answer = worker.ask(1, "open", camera=str(clip), microphone=str(clip))
    assert answer["event"] == "opened"
    return answer


def test_the_window_sees_and_hears_through_shared_memory_and_records(
    worker: Any, sample_clip: Path, tmp_path: Path, eventually: Eventually
) -> None:
    names = opened(worker, sample_clip)
    pictures, sound = Pictures.attach(names["pictures"]), Sounds.attach(names["sound"])
    seen = eventually(lambda: pictures.copy_latest())
    assert seen.image.shape == (512, 512, 3)
    assert 0 <= now() - seen.stamp < 1
    assert worker.ask(2, "record", file=str(tmp_path / "a.mp4"))["streams"] == ["pictures", "sound"]
    level = worker.until(lambda m: m["event"] == "level" and (m["rms"] or -99) > -40)
    assert level["signal"]
    assert level["rms"] <= level["peak"] <= 0
    progress = worker.event("progress")
    assert (progress["phase"], progress["dropped"]) == ("recording", 0)
    assert worker.ask(3, "pause")["event"] == "paused"
    worker.event("progress", phase="paused")
    assert worker.ask(4, "resume")["event"] == "resumed"
    end = worker.ask(5, "stop")
    assert (end["event"], end["phase"], end["file"]) == ("recorded", "finished", str(tmp_path / "a.mp4"))
    assert probe(tmp_path / "a.mp4").duration == pytest.approx(end["seconds"], abs=0.2)
    heard = sound.read(0)
    assert len(heard.samples) > 8000
    assert heard.stamp + len(heard.samples) / 16000 <= now()
    assert worker.ask(6, "close")["event"] == "closed"
    pictures.close()
    sound.close()
    worker.close()
    assert worker.errors == b""


def test_something_else_is_opened_into_the_same_memory(
    worker: Any, sample_clip: Path, clapping: Path, eventually: Eventually
) -> None:
    names = opened(worker, sample_clip)
    pictures = Pictures.attach(names["pictures"])
    eventually(lambda: (seen := pictures.copy_latest()) and seen.image.shape == (512, 512, 3))
    answer = worker.ask(2, "open", camera=str(clapping), microphone=None)
    assert (answer["pictures"], answer["sound"]) == (names["pictures"], None)
    eventually(lambda: pictures.copy_latest().image.shape == (64, 96, 3))
    pictures.close()


def test_levels_come_ten_to_twenty_times_a_second(worker: Any, sample_clip: Path) -> None:
    opened(worker, sample_clip)
    worker.event("level")
    began = now()
    for _ in range(15):
        worker.event("level")
    assert 0.7 < now() - began < 3.0  # a second, on a machine with nothing else to do


def test_when_the_window_goes_the_file_is_finished_within_a_second(
    worker: Any, sample_clip: Path, tmp_path: Path
) -> None:
    opened(worker, sample_clip)
    worker.ask(2, "record", file=str(tmp_path / "a.mp4"))
    worker.until(lambda m: m["event"] == "progress" and m["seconds"] > 1)
    assert worker.close() < 1.0
    assert worker.process.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert probe(tmp_path / "a.mp4").duration > 0.9
    assert worker.errors == b""


def test_when_it_is_killed_the_next_start_finds_the_recording_and_memory_is_given_back(
    worker: Any, child: Start, sample_clip: Path, tmp_path: Path, eventually: Eventually
) -> None:
    names = opened(worker, sample_clip)
    since = worker.ask(2, "record", file=str(tmp_path / "a.mp4"))["since"]
    worker.until(lambda m: m["event"] == "progress" and m["seconds"] > 1.5)
    killed = now()
    worker.kill()
    assert growing(tmp_path / "a.mp4").exists()
    after = child("capture")
    found = after.ask(1, "recover", folder=str(tmp_path))["recordings"]
    assert found[0]["file"] == str(tmp_path / "a.mp4")
    assert killed - since - found[0]["seconds"] < 1.0
    after.close()
    if os.path.isdir("/dev/shm"):
        eventually(lambda: not (Path("/dev/shm") / names["pictures"].lstrip("/")).exists())


def test_two_sources_of_which_one_is_absent_go_on_with_the_other(
    worker: Any, sample_clip: Path, tmp_path: Path
) -> None:
    worker.ask(1, "open", camera=str(tmp_path / "gone.mp4"), microphone=str(sample_clip))
    status = worker.told("status", source="camera", state="absent")
    assert "gone.mp4" in status["reason"]
    worker.told("status", source="microphone", state="running")
    worker.send(id=2, do="record", file=str(tmp_path / "a.mp4"))
    worker.send(id=3, do="stop")  # ends the wait for the camera
    assert worker.event("recording", id=2)["streams"] == ["sound"]
    assert worker.event("recorded", id=3)["phase"] == "finished"


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"do": "dance"}, "protocol"),
        ({"do": "stop"}, "protocol"),
        ({"do": "record", "file": "a.mp4"}, "protocol"),
        ({"do": "open", "camera": 7}, "protocol"),
        ({"do": "open", "camera": None, "width": "wide"}, "protocol"),
        ({"do": "recover"}, "protocol"),
    ],
)
def test_what_cannot_be_obeyed_is_answered_with_its_reason(
    shared_worker: Any, request_: dict[str, Any], kind: str
) -> None:
    shared_worker.send(id=9, **request_)
    answer = shared_worker.event("failed", id=9)
    assert answer["error"]["kind"] == kind
    assert answer["error"]["message"]


def test_lines_that_are_no_messages_are_answered_and_the_next_one_is_read(shared_worker: Any) -> None:
    shared_worker.write(b"garbage\n\xff\xfe\n")
    for _ in range(2):
        assert shared_worker.event("failed", id=0)["error"]["kind"] == "protocol"
    shared_worker.send(id=8, do="close", colour="blue")
    assert shared_worker.event("closed", id=8)


def test_a_recording_whose_name_is_taken_is_refused(worker: Any, sample_clip: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("precious")
    opened(worker, sample_clip)
    answer = worker.ask(2, "record", file=str(tmp_path / "a.mp4"))
    assert (answer["event"], answer["error"]["kind"]) == ("failed", "recording")
    assert recover(tmp_path) == []
