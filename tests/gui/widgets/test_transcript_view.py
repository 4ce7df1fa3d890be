"""Words follow the video, lead to it, and are corrected where they stand."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.widgets import example
from gui.widgets.transcript_view import TranscriptView, language_name, locate


@pytest.fixture
def view(qtbot: QtBot) -> TranscriptView:
    made = TranscriptView()
    qtbot.addWidget(made)
    made.resize(420, 160)
    made.set_transcript(example.transcript())
    with qtbot.waitExposed(made):
        made.show()
    return made


def lit(view: TranscriptView) -> str:
    selections = view._words.extraSelections()
    return selections[0].cursor.selectedText() if selections else ""


def test_a_click_on_a_word_says_when_it_starts(qtbot: QtBot, view: TranscriptView) -> None:
    word = example.transcript()["words"][3]
    rect = view._words.cursorRect(view._words._cursor(3))
    with qtbot.waitSignal(view.word_clicked) as clicked:
        qtbot.mouseClick(
            view._words.viewport(),
            Qt.MouseButton.LeftButton,
            pos=rect.center(),
        )
    assert clicked.args == [word["start"]]


def test_enter_on_a_word_does_the_same(qtbot: QtBot, view: TranscriptView) -> None:
    view._words.setTextCursor(view._words._cursor(5))
    with qtbot.waitSignal(view.word_clicked) as clicked:
        qtbot.keyClick(view._words, Qt.Key.Key_Return)
    assert clicked.args == [example.transcript()["words"][5]["start"]]


def test_the_word_being_spoken_is_lit_and_no_word_in_a_pause(view: TranscriptView) -> None:
    words = example.transcript()["words"]
    view.set_position(words[4]["start"] + 0.01)
    assert lit(view) == words[4]["text"]
    pause = next(i for i, w in enumerate(words) if w["text"] == "all")
    view.set_position(words[pause]["end"] + 0.5)
    assert lit(view) == ""


def test_unsure_words_are_underlined(view: TranscriptView) -> None:
    for index, word in enumerate(example.transcript()["words"]):
        underlined = view._words._cursor(index).charFormat().underlineStyle().value > 0
        assert underlined == (word["probability"] < 0.5)


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier])
def test_enter_accepts_a_correction(
    qtbot: QtBot, view: TranscriptView, modifier: Qt.KeyboardModifier
) -> None:
    view.begin_edit()
    view._editor.selectAll()
    qtbot.keyClicks(view._editor, "other words")
    with qtbot.waitSignal(view.corrected) as corrected:
        qtbot.keyClick(view._editor, Qt.Key.Key_Return, modifier)
    assert corrected.args == ["other words"]
    assert not view.editing()


def test_escape_leaves_the_words_as_they_were(qtbot: QtBot, view: TranscriptView) -> None:
    with qtbot.assertNotEmitted(view.corrected):
        view.begin_edit()
        qtbot.keyClicks(view._editor, "nonsense")
        qtbot.keyClick(view._editor, Qt.Key.Key_Escape)
        view.begin_edit()
        qtbot.keyClick(view._editor, Qt.Key.Key_Return)
    assert not view.editing()
    assert view._words.toPlainText() == example.transcript()["text"]


def test_a_correction_being_typed_outlives_a_repeat_but_not_another_clip(view: TranscriptView) -> None:
    view.begin_edit()
    view._editor.setPlainText("half typed")
    view.set_transcript(example.transcript())
    assert view.editing()
    assert view._editor.toPlainText() == "half typed"
    view.set_transcript({"text": "another clip", "language": "en", "words": []})
    assert not view.editing()


def test_states_without_words_are_said(view: TranscriptView) -> None:
    view.set_transcript(None)
    assert view._message.text() == "No speech found"
    view.set_transcript(None, "No sound in this clip")
    assert view._message.text() == "No sound in this clip"
    view.set_busy()
    assert "Transcribing" in view._message.text()
    view.set_position(1.0)


def test_the_language_is_named(view: TranscriptView) -> None:
    assert view._language.text() == "English"
    assert [language_name(code) for code in ("de", "zh", "", "xx")] == ["German", "Chinese", "", "xx"]


def test_words_without_spaces_between_them_are_found() -> None:
    assert locate("你好世界", ["你好", "世界"]) == [(0, 2), (2, 4)]
    assert locate("a b", ["a", "c"]) is None


def test_words_that_do_not_fit_the_text_are_shown_themselves(view: TranscriptView) -> None:
    words = [{"text": " one", "start": 0.0, "end": 0.4, "probability": 1.0}]
    view.set_transcript({"text": "1", "language": "en", "words": words})
    assert view._words.toPlainText() == "one"
    view.set_transcript({"text": "typed, not heard", "language": "", "words": []})
    assert view._words.toPlainText() == "typed, not heard"
    view.set_position(0.1)
