"""`consonance record`: a file and a microphone recorded as a user would, sync, and the loss of a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
import pytest

from core.capture.items import Picture, now
from core.commands import record
from core.errors import UserError
from core.media import probe, read_audio
from core.recorder import Recorder, recover
from core.workers import command
from tests.core.capture import claps

Start = Callable[..., Any]
SYNC = 0.04
"""Seconds that sound and picture may be apart."""


def arguments(out: Path, camera: object, microphone: object, *more: str) -> list[str]:
    chosen = ["--camera", str(camera), "--microphone", str(microphone)]
    return ["record", str(out), *chosen, *more]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_a_file_and_a_microphone_become_a_film_with_their_speech(
    pulse: Any, child: Start, sample_clip: Path, speech: Path, tmp_path: Path
) -> None:
    recording = child(*arguments(tmp_path / "a.mp4", sample_clip, "default", "--seconds", "2.2", "--json"))
    recording.event("recording")
    player = pulse.play(speech)
    end = recording.event("recorded")
    player.terminate()
    player.wait()
    recording.close()
    assert recording.process.returncode == 0
    assert (end["phase"], end["dropped"], end["file"]) == ("finished", 0, str(tmp_path / "a.mp4"))
    info = probe(tmp_path / "a.mp4")
    assert (info.width, info.height) == (512, 512)
    assert info.duration == pytest.approx(2.3, abs=0.3)
    assert np.abs(read_audio(tmp_path / "a.mp4")).max() > 0.2
    levels = [message["level"]["peak"] for message in recording.seen if message["event"] == "progress"]
    assert max(level for level in levels if level is not None) > -20


def test_claps_and_flashes_stay_together(child: Start, clapping: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    recording = child(*arguments(file, clapping, clapping, "--seconds", "3", "--json"))
    assert recording.event("recorded")["dropped"] == 0
    recording.close()
    offsets = claps.offsets(file)
    assert len(offsets) == 3
    assert np.abs(offsets).max() < SYNC


def test_ctrl_c_stops_cleanly(child: Start, clapping: Path, tmp_path: Path) -> None:
    recording = child(*arguments(tmp_path / "a", clapping, clapping, "--json"))
    recording.until(lambda m: m["event"] == "progress" and m["pictures"] > 10)
    recording.process.send_signal(signal.SIGINT)
    end = recording.event("recorded")
    recording.close()
    assert recording.process.returncode == 0
    assert (end["phase"], Path(end["file"]).name) == ("finished", "a.mp4")
    assert recording.errors == b""
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def ends(path: Path) -> tuple[float, float]:
    """When the last picture and the last sound that can be decoded end, in seconds."""
    with av.open(str(path)) as container:
        picture = max(frame.time for frame in container.decode(video=0)) + 1 / claps.FPS
    with av.open(str(path)) as container:
        frames = container.decode(audio=0)
        sound = max(frame.time + frame.samples / frame.sample_rate for frame in frames)
    return picture, sound


def begun(child: Start, clip: Path, folder: Path) -> tuple[Any, float]:
    """A recording of `clip` under way, and when it began."""
    folder.mkdir()
    recording = child(*arguments(folder / "a.mp4", clip, clip, "--json"))
    return recording, recording.event("recording")["since"]


def lost_by_a_kill(recording: Any, since: float, folder: Path, after: float) -> float:
    """Seconds that a recording is shorter than it was when it was killed, at least `after` seconds on."""
    recording.until(lambda m: m["event"] == "progress" and m["seconds"] >= after)
    recording.process.kill()
    killed = now()
    recording.close()
    (found,) = recover(folder)
    assert found.file == folder / "a.mp4"
    return killed - since - min(ends(found.file))


def kills(child: Start, clip: Path, folder: Path, count: int, seed: int) -> list[float]:
    """The losses of so many kills at random moments."""
    chance = Random(seed)
    folders = [folder / str(number) for number in range(count)]
    under_way = [(begun(child, clip, one), one) for one in folders]
    return [lost_by_a_kill(*run, one, chance.uniform(0.5, 2.5)) for run, one in under_way]


def test_a_kill_costs_less_than_a_second(child: Start, clapping: Path, tmp_path: Path) -> None:
    assert max(kills(child, clapping, tmp_path, 3, 1)) < 1.0


@pytest.mark.soak
def test_fifty_kills_cost_less_than_a_second_each(
    child: Start, clapping: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    lost = []
    for number in range(25):
        (tmp_path / str(number)).mkdir()
        lost += kills(child, clapping, tmp_path / str(number), 2, number)
    figures = {"median": round(float(np.median(lost)), 3), "most": round(max(lost), 3)}
    record_property("seconds lost by a kill", figures)
    sys.stderr.write(f"seconds lost by a kill: {figures}\n")
    assert figures["most"] < 1.0


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_after_ten_minutes_claps_and_flashes_are_still_together(
    child: Start, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    clip = claps.write(tmp_path / "long.mkv", 605)
    file = tmp_path / "a.mp4"
    recording = child(*arguments(file, clip, clip, "--seconds", "600", "--json"))
    end = recording.until(lambda m: m["event"] == "recorded", patience=900)
    recording.close()
    offsets = claps.offsets(file)
    figures = {"most_ms": round(float(np.abs(offsets).max()) * 1000, 2), "dropped": end["dropped"]}
    record_property("claps and flashes after 600 s", figures)
    sys.stderr.write(f"claps and flashes after 600 s: {figures}\n")
    assert len(offsets) > 595
    assert np.abs(offsets).max() < SYNC


def test_devices_are_listed_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(run("record", "--list", "--json").stdout)
    assert set(answer) == {"cameras", "microphones", "problem"}
    assert record.show_devices(as_json=False) == 0
    told = capsys.readouterr()
    known = answer["cameras"] + answer["microphones"]
    assert all(one["name"] in told.out for one in known)
    assert known or "found" in told.err


def test_an_earlier_recording_that_was_broken_off_is_made_whole_and_told(
    clapping: Path, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path / "a.mp4", claps.SIZE, None, start=now() - 1)
    for number in range(20):
        recorder.offer(Picture(recorder.start + number / 20, claps.picture(number / 20)))
    recorder.stop(make_mp4=False, tail=0.0)
    done = run(*arguments(tmp_path / "b.mp4", clapping, clapping, "--seconds", "0.5"))
    assert done.returncode == 0, done.stderr
    assert "a.mp4: recovered" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", "b.mp4"}


@pytest.mark.parametrize(
    ("camera", "said"),
    [("absent.mp4", "absent"), ("file:///dev/null", "not an address"), ("none", "neither")],
)
def test_what_cannot_be_recorded_is_told_with_a_remedy(tmp_path: Path, camera: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as told:
        record.record(tmp_path / "a.mp4", camera, "none", 1.0, as_json=False)
    assert told.value.remedy
    assert list(tmp_path.iterdir()) == []
