"""The player shows what it says it shows, plays to the end, and leaves nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.widgets.video_view import VideoView

RATE = 25


def opened(qtbot: QtBot, player: Any, path: Path) -> None:
    with qtbot.waitSignal(player.view.position_changed, timeout=5000):
        player.view.open(path)


def level_at(seconds: float) -> int:
    return 5 + 3 * round(seconds * RATE)


def test_a_clip_shows_its_first_frame_and_length(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    with qtbot.waitSignal(player.view.duration_changed) as length:
        player.view.open(str(make_clip()))
    assert length.args == [pytest.approx(1.2, abs=0.05)]
    qtbot.waitUntil(lambda: player.positions == [0.0])
    assert player.level() == pytest.approx(level_at(0), abs=2)


def test_it_plays_to_the_end_through_frames_in_order(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    opened(qtbot, player, make_clip())
    player.view.play()
    qtbot.waitUntil(lambda: player.playing == [True, False], timeout=8000)
    assert all(later > earlier for earlier, later in pairwise(player.positions))
    assert player.positions[-1] == pytest.approx(29 / RATE)
    # Time stamps of frames, never of a clock that runs between them.
    assert all(abs(p * RATE - round(p * RATE)) < 1e-6 for p in player.positions)
    assert player.level() == pytest.approx(level_at(29 / RATE), abs=2)


def test_playing_again_at_the_end_starts_over(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    opened(qtbot, player, make_clip(8))
    player.view.seek(9.0)
    qtbot.waitUntil(lambda: player.view.position == pytest.approx(7 / RATE))
    player.view.play()
    qtbot.waitUntil(lambda: 0.0 in player.positions[1:], timeout=5000)


def test_playing_right_after_a_seek_starts_there(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    opened(qtbot, player, make_clip(75))
    player.view.seek(1.6)
    qtbot.waitUntil(lambda: player.view.position == pytest.approx(1.6))
    player.positions.clear()
    player.view.seek(0.4)
    player.view.play()
    qtbot.waitUntil(lambda: len(player.positions) > 3)
    assert player.positions[0] == pytest.approx(0.4)
    assert max(player.positions) < 1.5


def test_playing_before_the_clip_is_open_starts_when_it_is(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    player.view.open(make_clip(8))
    player.view.play()
    qtbot.waitUntil(lambda: player.playing == [True, False], timeout=5000)
    assert player.positions[0] == 0.0
    assert player.positions[-1] == pytest.approx(7 / RATE)


def test_twice_the_speed_takes_about_half_the_time(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    opened(qtbot, player, make_clip(75))

    def seconds_of(speed: float) -> float:
        player.view.set_speed(speed)
        player.view.seek(0)
        qtbot.waitUntil(lambda: player.view.position == 0)
        begun = perf_counter()
        with qtbot.waitSignal(player.view.playing_changed, timeout=5000):
            player.view.play()
        with qtbot.waitSignal(player.view.playing_changed, timeout=9000):
            pass
        return perf_counter() - begun

    slow, fast = seconds_of(1.0), seconds_of(2.0)
    assert slow > 2.8
    assert 1.4 < fast < 0.8 * slow


def test_a_loop_goes_round_and_stays_inside(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    opened(qtbot, player, make_clip())
    player.view.set_loop((0.4, 0.6))
    player.view.play()

    def rounds() -> int:
        return sum(later < earlier for earlier, later in pairwise(player.positions[1:]))

    qtbot.waitUntil(lambda: rounds() >= 2, timeout=8000)
    player.view.pause()
    assert all(0.4 - 1e-6 <= p <= 0.6 + 1e-6 for p in player.positions[1:])


def test_rapid_seeks_end_at_the_newest(qtbot: QtBot, player: Any, make_clip: Callable[..., Path]) -> None:
    opened(qtbot, player, make_clip(75))
    for number in range(70):
        player.view.seek(number * 7 % 75 / RATE)
    player.view.seek(41 / RATE)
    qtbot.waitUntil(lambda: player.view.position == pytest.approx(41 / RATE), timeout=5000)
    assert player.level() == pytest.approx(level_at(41 / RATE), abs=2)
    assert len(player.positions) < 40, "requests were not coalesced"


def test_steps_pause_and_add_up(qtbot: QtBot, player: Any, make_clip: Callable[..., Path]) -> None:
    opened(qtbot, player, make_clip(75))
    player.view.play()
    qtbot.waitUntil(lambda: player.view.position > 0.1)
    player.view.pause()
    here = player.view.position
    for _ in range(3):
        player.view.step(1)
    player.view.step(-1)
    qtbot.waitUntil(lambda: player.view.position == pytest.approx(here + 2 / RATE))
    assert not player.view.playing
    assert player.level() == pytest.approx(level_at(here + 2 / RATE), abs=2)


def test_the_shuttle_goes_back_faster_each_time_and_stops_at_the_start(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    opened(qtbot, player, make_clip(75))
    player.view.seek(2.0)
    qtbot.waitUntil(lambda: player.view.position == pytest.approx(2.0))
    player.positions.clear()
    for _ in range(3):
        qtbot.keyClick(player.view, Qt.Key.Key_J)
    assert player.view.playing
    qtbot.waitUntil(lambda: not player.view.playing, timeout=8000)
    qtbot.waitUntil(lambda: player.view.position == 0.0)
    assert all(later < earlier for earlier, later in pairwise(player.positions))


def test_a_sound_file_plays_without_a_device_and_shows_its_name(
    qtbot: QtBot, player: Any, tone: Path
) -> None:
    with qtbot.waitSignal(player.view.duration_changed):
        player.view.open(tone)
    player.view.play()
    qtbot.waitUntil(lambda: player.playing == [True, False], timeout=5000)
    assert player.positions[-1] == pytest.approx(0.6, abs=0.02)
    assert player.view.accessibleDescription() == "tone of voice.wav"


def test_a_picture_is_shown_and_does_not_play(qtbot: QtBot, player: Any, tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    Image.new("RGB", (64, 48), (200, 40, 40)).save(path)
    opened(qtbot, player, path)
    player.view.play()
    assert not player.view.playing
    assert player.level() == pytest.approx(200, abs=2)


def test_what_cannot_be_read_is_said_once_and_the_next_clip_opens(
    qtbot: QtBot, player: Any, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a clip" * 100)
    with qtbot.waitSignal(player.view.failed) as failure:
        player.view.open(broken)
    assert "broken.mp4" in failure.args[0]
    opened(qtbot, player, make_clip())


def test_an_answer_for_a_clip_no_longer_shown_is_dropped(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    player.view.open(make_clip(75))
    player.view.open(make_clip(8))
    qtbot.waitUntil(lambda: player.view.duration > 0)
    player.view.close_clip()
    player.positions.clear()
    opened(qtbot, player, make_clip(8))
    assert player.view.duration == pytest.approx(8 / RATE, abs=0.05)


def test_closing_while_playing_leaves_no_thread(qtbot: QtBot, make_clip: Callable[..., Path]) -> None:
    before = set(threading.enumerate())
    window = QWidget()
    view = VideoView()
    QVBoxLayout(window).addWidget(view)
    window.show()
    view.open(make_clip(75))
    view.play()
    qtbot.waitUntil(lambda: view.position > 0)
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert set(threading.enumerate()) <= before


def test_the_picture_keeps_its_proportions_in_any_room(
    qtbot: QtBot, player: Any, make_clip: Callable[..., Path]
) -> None:
    opened(qtbot, player, make_clip(75))
    player.view.seek(2.0)
    qtbot.waitUntil(lambda: player.view.position == pytest.approx(2.0))
    player.view.resize(320, 320)
    shot = player.view.grab().toImage()
    middle = shot.pixelColor(160, 160).red()
    assert middle == pytest.approx(level_at(2.0), abs=3)
    assert shot.pixelColor(160, 40).red() < 30, "the letterbox"
    assert shot.pixelColor(10, 160).red() == pytest.approx(middle, abs=3), "the full width is used"
