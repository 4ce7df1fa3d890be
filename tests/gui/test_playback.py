"""The keys of playback through the window: no press is lost, and a stretch can be marked without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow
from gui.shortcut_sheet import ShortcutSheet

OpenWindow = Callable[..., MainWindow]
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot: QtBot, open_window: OpenWindow, sample_clip: Path) -> MainWindow:
    """The sample clip, ready to be played, with the focus on the video."""
    made = open_window()
    made.open_paths([sample_clip])
    qtbot.waitUntil(lambda: made.review.full and made.review.player.ready, timeout=8000)
    qtbot.waitUntil(lambda: made.review.video.settled)
    made.review.video.setFocus()
    return made


def go(qtbot: QtBot, window: MainWindow, seconds: float) -> None:
    window.review.player.seek(seconds)
    qtbot.waitUntil(lambda: abs(window.review.player.position - seconds) < 0.05)


def test_presses_of_shift_and_right_add_up_however_quick_they_come(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(5):
        qtbot.keyClick(window.review.video, Qt.Key.Key_Right, SHIFT)
    qtbot.waitUntil(lambda: abs(window.review.player.position - 5.0) < 0.05)
    for _ in range(2):
        qtbot.keyClick(window.review.video, Qt.Key.Key_Left, SHIFT)
    qtbot.waitUntil(lambda: abs(window.review.player.position - 3.0) < 0.05)


def test_a_jump_after_a_step_goes_from_the_frame_stepped_to(qtbot: QtBot, window: MainWindow) -> None:
    go(qtbot, window, 2.0)
    for count in range(1, 6):
        qtbot.keyClick(window.review.video, Qt.Key.Key_Right)
        qtbot.waitUntil(lambda n=count: abs(window.review.player.position - 2 - n / 25) < 0.01)
    qtbot.keyClick(window.review.video, Qt.Key.Key_Right, SHIFT)
    qtbot.waitUntil(lambda: abs(window.review.player.position - 3.2) < 0.05)


def test_a_jump_while_playing_goes_from_what_is_seen(qtbot: QtBot, window: MainWindow) -> None:
    go(qtbot, window, 1.0)
    player = window.review.player
    player.toggle()
    qtbot.waitUntil(lambda: player.position > 1.3)
    assert player.heading == player.position
    player.toggle()


@pytest.mark.parametrize(("key", "direction"), [(Qt.Key.Key_L, 1), (Qt.Key.Key_J, -1)])
def test_shift_with_j_or_l_plays_at_half_speed_however_often(
    qtbot: QtBot, window: MainWindow, key: Qt.Key, direction: int
) -> None:
    go(qtbot, window, 4.0)
    for _ in range(3):
        qtbot.keyClick(window.review.video, key, SHIFT)
    player, video = window.review.player, window.review.video
    qtbot.waitUntil(lambda: (player.position - 4.0) * direction > 0.1)
    assert (player.playing, video._pace()) == (True, 0.5 * direction)
    qtbot.keyClick(video, Qt.Key.Key_K)
    assert not player.playing


def test_i_and_o_mark_a_stretch_and_the_loop_key_ends_it(qtbot: QtBot, window: MainWindow) -> None:
    player, video, timeline = window.review.player, window.review.video, window.review.timeline
    go(qtbot, window, 2.0)
    qtbot.keyClick(video, Qt.Key.Key_I)
    assert player.selection == pytest.approx((2.0, player.duration))
    go(qtbot, window, 4.0)
    qtbot.keyClick(video, Qt.Key.Key_O)
    assert (player.looping, player.selection) == (True, pytest.approx((2.0, 4.0)))
    assert timeline._loop == player.selection
    qtbot.keyClick(video, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: 2.0 <= player.position < 2.5)
    window.actions_by_id.of["loop"].trigger()
    assert (player.looping, player.selection, timeline._loop) == (False, None, None)


def test_the_end_of_a_loop_set_before_its_start_begins_at_the_clips(qtbot: QtBot, window: MainWindow) -> None:
    go(qtbot, window, 5.0)
    window.review.player.start_loop()
    go(qtbot, window, 3.0)
    window.review.player.end_loop()
    assert window.review.player.selection == pytest.approx((0.0, 3.0))


def test_the_sheet_tells_the_keys_that_are_no_actions(window: MainWindow) -> None:
    window.show_shortcuts()
    sheet = window.findChild(ShortcutSheet)
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    assert {"Frame by frame while K is held", "K + J / L", "Timeline", "Zoom in, zoom out"} <= shown
    assert {"Show the whole clip", "Go to the start, to the end", "Home   End"} <= shown
    sheet.close()
