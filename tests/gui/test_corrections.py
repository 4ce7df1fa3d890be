"""Typed words: they belong to the clip they were typed for, and stay when the window has gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.clip_list import Clip, ClipState
from gui.main_window import MainWindow

OpenWindow = Callable[..., MainWindow]


@pytest.fixture
def clips(tmp_path: Path, sample_clip: Path) -> list[Path]:
    """Two clips of different content."""
    made = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    for number, path in enumerate(made):
        path.write_bytes(sample_clip.read_bytes() + bytes(number))
    return made


def opened(qtbot: QtBot, open_window: OpenWindow, clips: list[Path]) -> MainWindow:
    """A window in which every clip is analysed."""
    window = open_window()
    window.open_paths(clips)
    done = window.review.session.clips.counts
    qtbot.waitUntil(lambda: done()[ClipState.DONE] == len(clips), timeout=8000)
    return window


def by_name(window: MainWindow) -> dict[str, Clip]:
    return {clip.path.name: clip for clip in window.review.session.clips.clips}


def type_words(qtbot: QtBot, window: MainWindow, text: str) -> None:
    """Begin a correction and type it, without Enter."""
    window.review.correct_transcript()
    editor = window.review.transcript._editor
    editor.selectAll()
    qtbot.keyClicks(editor, text)


def shown_words(window: MainWindow) -> str:
    return window.review.transcript._words.toPlainText()


def test_words_being_typed_go_to_their_clip_when_another_one_is_shown(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    type_words(qtbot, window, "words of one")
    window.review.session.show(by_name(window)["two.mp4"])
    assert window.review.session.current.path.name == "two.mp4"
    assert not window.review.transcript.editing()
    assert [clip.typed for clip in by_name(window).values()] == ["words of one", None]
    qtbot.waitUntil(lambda: by_name(window)["one.mp4"].state is ClipState.DONE)
    assert "never work" in shown_words(window)


def test_escape_and_another_clip_change_no_words(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    type_words(qtbot, window, "no")
    qtbot.keyClick(window.review.transcript._editor, Qt.Key.Key_Escape)
    window.actions_by_id.of["next-clip"].trigger()
    assert [clip.typed for clip in by_name(window).values()] == [None, None]


def test_undo_while_typing_takes_back_what_is_being_typed(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    one = by_name(window)["one.mp4"]
    window.review.session.correct(one, "first words")
    qtbot.waitUntil(lambda: one.state is ClipState.DONE)
    type_words(qtbot, window, "second words")
    window.actions_by_id.of["undo"].trigger()
    assert (one.typed, window.review.transcript.editing()) == ("first words", False)
