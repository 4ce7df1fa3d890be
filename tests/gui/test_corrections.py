"""Typed words: they belong to the clip they were typed for, and stay when the window has gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from core import paths
from gui.clip_list import Clip, ClipState
from gui.corrections import Correction, Corrections
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


def close(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.finished, timeout=8000):
        window.close()


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


def correct(qtbot: QtBot, window: MainWindow, name: str, text: str | None) -> None:
    """Give a clip other words and wait for its answer."""
    clip = by_name(window)[name]
    window.review.session.correct(clip, text)
    qtbot.waitUntil(lambda: clip.state is ClipState.DONE)


def test_corrected_words_are_there_again_after_the_window_was_closed(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    type_words(qtbot, window, "kept words")
    close(qtbot, window)
    window = opened(qtbot, open_window, clips)
    one = by_name(window)["one.mp4"]
    qtbot.waitUntil(lambda: one.typed == "kept words" and one.state is ClipState.DONE)
    assert shown_words(window) == "kept words"
    assert by_name(window)["two.mp4"].typed is None


def test_a_clip_closed_and_opened_again_keeps_its_corrected_words(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    correct(qtbot, window, "one.mp4", "kept words")
    window.actions_by_id.of["close-clip"].trigger()
    moved = clips[0].rename(clips[0].with_name("moved.mp4"))
    window.open_paths([moved])
    qtbot.waitUntil(lambda: "moved.mp4" in by_name(window))
    qtbot.waitUntil(lambda: by_name(window)["moved.mp4"].typed == "kept words")


def test_a_correction_taken_back_is_not_kept(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    kept = paths.settings() / "corrections"
    correct(qtbot, window, "one.mp4", "some words")
    qtbot.waitUntil(lambda: len(list(kept.glob("*.json"))) == 1)
    window.actions_by_id.of["undo"].trigger()
    qtbot.waitUntil(lambda: list(kept.glob("*.json")) == [])
    window.actions_by_id.of["redo"].trigger()
    qtbot.waitUntil(lambda: len(list(kept.glob("*.json"))) == 1)


def test_recognised_words_can_be_had_back(qtbot: QtBot, open_window: OpenWindow, clips: list[Path]) -> None:
    window = opened(qtbot, open_window, clips)
    assert not window.actions_by_id.of["recognised-words"].isEnabled()
    correct(qtbot, window, "one.mp4", "other words")
    window.actions_by_id.refresh()
    window.actions_by_id.of["recognised-words"].trigger()
    qtbot.waitUntil(lambda: "never work" in shown_words(window))
    assert by_name(window)["one.mp4"].typed is None


def test_a_disk_that_takes_no_words_is_told_and_they_are_tried_again(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    kept = paths.settings() / "corrections"
    kept.write_text("in the way")
    correct(qtbot, window, "one.mp4", "first words")
    qtbot.waitUntil(lambda: "corrected words of one.mp4 are not on the disk" in window.banner.text)
    kept.unlink()
    close(qtbot, window)
    assert len(list(kept.glob("*.json"))) == 1


def test_of_many_corrections_at_once_the_last_is_kept(tmp_path: Path) -> None:
    clip = tmp_path / "a.wav"
    clip.write_bytes(b"sound")
    store = Corrections(tmp_path / "corrections")
    writers = []
    for number in range(20):
        store.put(clip, Correction(f"words {number}"))
        writers.append(threading.Thread(target=lambda: list(store.write())))
        writers[-1].start()
    for writer in writers:
        writer.join()
    assert [found.text for _, found in store.find([clip])] == ["words 19"]


def test_a_damaged_correction_is_none(tmp_path: Path) -> None:
    clip = tmp_path / "a.wav"
    clip.write_bytes(b"sound")
    store = Corrections(tmp_path / "corrections")
    store.put(clip, Correction("words", "de"))
    assert list(store.write()) == []
    (file,) = (tmp_path / "corrections").glob("*.json")
    assert list(store.find([clip, tmp_path / "gone.wav"])) == [(clip, Correction("words", "de"))]
    file.write_text("{")
    assert list(store.find([clip])) == []


def test_the_language_of_a_clip_stays_when_its_words_are_corrected(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    correct(qtbot, window, "one.mp4", "other words")
    assert (shown_words(window), window.review.transcript._language.text()) == ("other words", "English")
    close(qtbot, window)
    window = opened(qtbot, open_window, clips)
    qtbot.waitUntil(lambda: shown_words(window) == "other words")
    assert window.review.transcript._language.text() == "English"


def test_times_of_typed_words_are_said_to_be_estimated(
    qtbot: QtBot, open_window: OpenWindow, clips: list[Path]
) -> None:
    window = opened(qtbot, open_window, clips)
    assert not window.review.timeline._estimated.isVisible()
    correct(qtbot, window, "one.mp4", "other words")
    assert window.review.timeline._estimated.isVisible()
    assert window.review.timeline._estimated.text() == "times estimated"


def test_no_words_can_be_typed_for_a_still_picture(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    picture = QImage(64, 48, QImage.Format.Format_RGB32)
    picture.fill(0)
    picture.save(str(tmp_path / "still.png"))
    window = opened(qtbot, open_window, [tmp_path / "still.png"])
    window.actions_by_id.refresh()
    assert not window.actions_by_id.of["correct"].isEnabled()
    window.review.correct_transcript()
    assert not window.review.transcript.editing()
    assert window.review.transcript._message.text() == "A still picture has no words"
