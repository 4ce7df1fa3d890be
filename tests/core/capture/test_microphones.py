"""The microphone, through the real PortAudio and a sound server of the test's own."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.capture import devices, microphones
from core.capture.items import CaptureError, Sound, State, now
from core.capture.level import Meter
from core.capture.microphones import list_microphones, microphone
from core.capture.session import Choice, Session
from core.capture.source import Source
from core.media import probe
from core.recorder import Phase

Eventually = Callable[..., Any]


def test_speech_is_heard_at_the_devices_own_rate_with_its_time_and_devices_can_be_listed_meanwhile(
    pulse: Any, speech: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = list_microphones()
    preferred = next(one for one in known if one.preferred)
    blocks: list[Sound] = []
    meter = Meter()

    def take(sound: Sound) -> None:
        blocks.append(sound)
        meter.add(sound)

    source = Source("microphone", microphone(), take)
    began = now()
    player = pulse.play(speech)
    source.start()
    eventually(lambda: any(np.abs(block.samples).max() > 0.1 for block in list(blocks)))
    assert meter.read().signal
    monkeypatch.setattr(devices, "listed", lambda: pytest.fail("PortAudio's list is an old one"))
    assert devices.listed_anew()["microphones"]
    assert source.stop(5.0)
    heard = now()
    player.terminate()
    player.wait()
    assert {block.rate for block in blocks} == {preferred.rate} == {44100}
    assert blocks[0].samples.dtype == np.float32
    assert began - 1.0 < blocks[0].stamp < blocks[-1].stamp < heard
    gaps = [b.stamp - a.stamp - a.seconds for a, b in pairwise(blocks)]
    assert abs(np.mean(gaps)) < 0.005
    assert source.dropped == 0


def test_a_sound_server_that_goes_is_told_and_found_again_and_the_recording_goes_on(
    pulse: Any, clapping: Path, tmp_path: Path, eventually: Eventually
) -> None:
    session = Session(Choice(str(clapping), microphones.DEFAULT), lambda name, status: None)
    source = session.sources["microphone"]
    session.start()
    assert session.wait(20.0)
    recorder = session.record(tmp_path / "a.mp4")
    pulse.stop()
    gone = now()
    eventually(lambda: session.check() or source.status.state is not State.RUNNING)
    assert now() - gone < 1.5
    pictures = session.progress().pictures
    (pulse.folder / "socket").unlink(missing_ok=True)
    pulse.start()
    eventually(lambda: source.status.state is State.RUNNING)
    assert session.progress().pictures > pictures
    end = recorder.stop()
    assert session.close(5.0)
    assert not microphones.in_use()
    assert end.phase is Phase.FINISHED
    assert end.silence > 0.5
    assert probe(tmp_path / "a.mp4").duration == pytest.approx(end.seconds, abs=0.3)


def test_a_card_or_a_camera_that_comes_or_goes_is_noticed(tmp_path: Path) -> None:
    cards, video = tmp_path / "cards", tmp_path / "video4linux"
    watch = devices.Watch(cards, video)
    assert not watch.changed()
    cards.write_text(" 0 [PCH]: HDA-Intel")
    assert watch.changed()
    (video / "video0").mkdir(parents=True)
    (video / "video0" / "index").write_text("0")
    assert watch.changed()
    assert not watch.changed()
    (video / "video0" / "index").unlink()
    assert watch.changed()


@pytest.mark.usefixtures("pulse")
def test_a_microphone_of_another_name_is_absent() -> None:
    with pytest.raises(CaptureError, match="Blue Yeti") as told:
        microphone("Blue Yeti")(threading.Event())
    assert told.value.state is State.ABSENT


def test_without_portaudio_the_reason_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CaptureError, match="PortAudio") as told:
        list_microphones()
    assert "libportaudio2" in told.value.remedy
