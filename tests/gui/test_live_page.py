"""The Live page: a file played as if it were live through the real capture process; the engine by script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.live_session import Recording, Source
from gui.live_source import SourceChooser
from gui.live_words import busy_words, missing_words, picture_words, source_words
from gui.main_window import LIVE, MainWindow
from gui.widgets.level_meter import LevelMeter
from gui.widgets.rolling_plot import DistancePlot, RollingPlot

PATIENCE = 60_000


@pytest.fixture
def live(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    """The window with the Live page open; recordings go to a temporary folder."""
    window = open_window()
    window.preferences = window.preferences.changed(recordings_folder=str(tmp_path / "films"))
    window.show_page(LIVE)
    return window


def play(qtbot: QtBot, window: MainWindow, clip: Path) -> None:
    """Play a clip until its picture is shown and its utterance is told."""
    window.live.play(clip)
    page = window.live.page
    qtbot.waitUntil(lambda: page.preview.shown > 2, timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.panel.utterances.rowCount() == 1, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not page.panel.drawing, timeout=PATIENCE)


def test_a_file_played_as_if_live_fills_the_whole_page(
    qtbot: QtBot, live: MainWindow, sample_clip: Path
) -> None:
    play(qtbot, live, sample_clip)
    page = live.live.page
    assert "never work" in page.words.text()
    assert page.panel.curves.latest("multimodal") is not None
    assert page.panel.curves.latest("visual") is None
    assert "no face" in page.status.text()
    assert page.preview.fps > 0
    qtbot.waitUntil(lambda: "dBFS" in page.meter.text, timeout=PATIENCE)
    assert page.sources.camera.currentText() == sample_clip.name


def test_the_three_switches_are_separate(qtbot: QtBot, live: MainWindow, sample_clip: Path) -> None:
    play(qtbot, live, sample_clip)
    session, of = live.live.session, live.actions_by_id.of
    page = live.live.page
    page.setFocus()
    qtbot.keyClick(page, Qt.Key.Key_P)
    assert (session.preview, session.inference) == (False, True)
    assert not page.preview.attached
    of["live-preview"].trigger()
    assert page.preview.attached
    of["live-inference"].trigger()
    assert (session.preview, session.inference) == (True, False)
    qtbot.waitUntil(lambda: live.jobs.running is None, timeout=PATIENCE)
    of["live-preview"].trigger()
    assert not session.open


def test_a_recording_asks_counts_down_and_becomes_a_clip(
    qtbot: QtBot, live: MainWindow, sample_clip: Path, tmp_path: Path
) -> None:
    play(qtbot, live, sample_clip)
    session, page = live.live.session, live.live.page
    live.actions_by_id.of["live-record"].trigger()
    assert session.recording is Recording.ASKING
    assert page.agree.isVisible()
    page.agree.click()
    assert session.counting == 3
    session._count.setInterval(10)
    qtbot.waitUntil(lambda: session.recording is Recording.ON, timeout=PATIENCE)
    qtbot.waitUntil(lambda: "Recording 0:0" in page.recording.text(), timeout=PATIENCE)
    live.actions_by_id.of["live-record"].trigger()
    qtbot.waitUntil(lambda: session.recording is Recording.OFF, timeout=PATIENCE)
    (film,) = (tmp_path / "films").glob("*.mp4")
    assert live.review.session.clips.clips[-1].path == film
    assert "Recorded" in live.banner.text


def test_without_consent_nothing_is_recorded(qtbot: QtBot, live: MainWindow, sample_clip: Path) -> None:
    play(qtbot, live, sample_clip)
    session = live.live.session
    session.record()
    live.live.page.refuse.click()
    assert session.recording is Recording.OFF
    assert not live.live.page.agree.isVisible()


def test_a_file_that_cannot_be_read_is_told_in_the_banner(
    qtbot: QtBot, live: MainWindow, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    live.live.play(broken)
    qtbot.waitUntil(lambda: "broken.mp4" in live.banner.text, timeout=PATIENCE)
    assert not live.live.can_watch


def test_a_recording_that_was_broken_off_is_recovered_when_the_page_is_opened(
    qtbot: QtBot, open_window: Callable[..., MainWindow], sample_clip: Path, tmp_path: Path
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    with av.open(str(sample_clip)) as source, av.open(str(films / "talk.recording.mkv"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    window = open_window()
    window.preferences = window.preferences.changed(recordings_folder=str(films))
    window.show_page(LIVE)
    qtbot.waitUntil(lambda: "recovered" in window.banner.text, timeout=PATIENCE)
    assert window.review.session.clips.clips[-1].path == films / "talk.mp4"


def test_f11_is_the_presenters_view_and_back(live: MainWindow) -> None:
    live.actions_by_id.of["full-screen"].trigger()
    assert live.isFullScreen()
    assert not live.rail.isVisible()
    assert live.live.page.panel.curves.isVisible()
    assert not live.live.page.panel.covariance.isVisible()
    live.actions_by_id.of["full-screen"].trigger()
    assert not live.isFullScreen()
    assert live.rail.isVisible()


def test_the_page_says_that_nothing_leaves_the_machine(live: MainWindow) -> None:
    assert "stay on this machine" in live.live.page.privacy.text()


DEVICES = {
    "cameras": [{"index": 0, "name": "Built-in"}, {"index": 2, "name": "Desk camera"}],
    "microphones": [{"name": "Headset", "preferred": True}],
    "problem": None,
}


def test_the_devices_used_last_are_offered_first_and_opened_only_when_asked(qtbot: QtBot) -> None:
    sources = SourceChooser()
    qtbot.addWidget(sources)
    sources.remember("Desk camera", "")
    with qtbot.waitSignal(sources.suggested) as offered:
        sources.set_devices(DEVICES)
    assert offered.args == [Source("2", "default", "Desk camera")]
    with qtbot.assertNotEmitted(sources.suggested):
        sources.set_devices({**DEVICES, "cameras": DEVICES["cameras"][1:]})
    assert sources.source().camera == "2"


def test_a_network_camera_is_chosen_by_its_address(qtbot: QtBot) -> None:
    sources = SourceChooser()
    qtbot.addWidget(sources)
    sources.set_devices(DEVICES)
    sources.camera.setCurrentIndex(sources.camera.findText("Network camera…"))
    sources.camera.activated.emit(sources.camera.currentIndex())
    sources.address.setText("rtsp://10.0.0.7/1")
    with qtbot.waitSignal(sources.chosen) as chosen:
        sources.address.returnPressed.emit()
    assert chosen.args[0].camera == "rtsp://10.0.0.7/1"


def test_a_choice_is_remembered(live: MainWindow) -> None:
    sources = live.live.page.sources
    sources.set_devices(DEVICES)
    live.live._remember(sources.source())
    assert live.preferences.live_camera == "Built-in"
    assert not live.live.session.open


STATE: dict[str, Any] = {"missing": {}, "behind": 0.1, "windows_dropped": 0}


def test_states_are_told_in_words() -> None:
    assert missing_words({"visual": "no face", "text": "no speech"}) == "no face"
    assert busy_words(STATE, {}) == ""
    assert "3 windows" in busy_words({**STATE, "windows_dropped": 5}, {"windows_dropped": 2})
    assert "behind" in busy_words({**STATE, "behind": 2.0}, {})
    absent = {"camera": {"state": "absent", "reason": "There is no camera 0.", "remedy": "Plug it in."}}
    assert source_words(absent) == "There is no camera 0. Plug it in."
    assert "no camera 0" in picture_words(absent, wanted=True, chosen=True)
    assert picture_words({"camera": {"state": "running"}}, wanted=True, chosen=True) == ""


def test_the_meter_says_level_clipping_and_no_signal(qtbot: QtBot) -> None:
    meter = LevelMeter()
    qtbot.addWidget(meter)
    assert meter.text == "no microphone"
    meter.set_level({"rms": -18.2, "peak": -6.0, "clipped": 0, "signal": True})
    assert meter.text == "\N{MINUS SIGN}18 dBFS"
    meter.set_level({"rms": -2.0, "peak": 0.0, "clipped": 7, "signal": True})
    assert meter.text == "clipping"
    meter.set_level({"rms": None, "peak": None, "clipped": 0, "signal": False})
    assert meter.text == "no signal"


def test_points_told_again_take_the_place_of_the_old_ones(qtbot: QtBot) -> None:
    plot = RollingPlot()
    qtbot.addWidget(plot)
    point = {"multimodal": [0.5], "text": [None], "audio": [0.1], "visual": [None]}
    plot.add({"time": [1.0], **point})
    plot.add({"time": [1.0], **point, "text": [2.0]})
    assert plot.latest("text") == 2.0
    plot.add({"time": [90.0], **point})
    qtbot.waitUntil(lambda: not plot.drawing, timeout=2000)
    assert plot.latest("text") is None
    assert plot.accessibleDescription() == "multimodal +0.5, text missing, audio +0.1, visual missing"


def test_a_distance_that_is_not_there_is_a_gap(qtbot: QtBot) -> None:
    plot = DistancePlot()
    qtbot.addWidget(plot)
    plot.set_band({"low": 0.01, "high": 0.03})
    plot.add(2.0, 0.02)
    plot.add(4.0, None)
    qtbot.waitUntil(lambda: not plot.drawing, timeout=2000)
    assert plot.accessibleDescription() == "None yet"
