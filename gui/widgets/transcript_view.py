"""The words of a clip: the one being spoken is lit, a click goes there, a person can correct them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QStackedWidget,
    QTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.widgets.ink import RESTYLING, ink

UNSURE = 0.5
"""Words that the recogniser gave less than this probability are underlined with dots."""


class TranscriptView(QWidget):
    """Words that follow the video, or a sentence that says why there are none."""

    word_clicked = Signal(float)
    """Start of the word in seconds."""
    corrected = Signal(str)
    """The whole transcript as a person wrote it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._language = QLabel()
        self._hint = QLabel(self.tr("Enter keeps the correction, Esc drops it"))
        self._hint.hide()
        self._edit_button = QToolButton()
        self._edit_button.setText(self.tr("Correct"))
        self._edit_button.setAccessibleName(self.tr("Correct the transcript"))
        self._edit_button.setAutoRaise(True)
        self._edit_button.clicked.connect(self.begin_edit)
        self._words = _Words()
        self._words.word_clicked.connect(self.word_clicked)
        self._message = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        self._editor = _Editor()
        self._editor.accepted.connect(self._accept)
        self._editor.left.connect(self._end_edit)
        self._pages = QStackedWidget()
        for page in (self._message, self._words, self._editor):
            self._pages.addWidget(page)
        self._lay_out()
        self.set_message(self.tr("The words of a clip appear here"))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._language)
        top.addStretch(1)
        top.addWidget(self._hint)
        top.addWidget(self._edit_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self._pages, 1)
        self._edit_button.setEnabled(False)

    def set_transcript(self, transcript: Mapping[str, Any] | None, reason: str = "") -> None:
        """Show {"text", "language", "words"}; None says `reason`, or that no speech was found.

        A correction being typed stays open if the same text comes again, and is dropped with any other.
        """
        if self.editing() and transcript is not None and str(transcript["text"]).strip() == self._text:
            return
        self._end_edit()
        if transcript is None or not str(transcript["text"]).strip():
            self._text = ""
            self.set_message(reason or self.tr("No speech found"))
            self._edit_button.setEnabled(True)
            return
        self._text = str(transcript["text"]).strip()
        self._words.set_words(self._text, list(transcript.get("words") or []))
        self._language.setText(language_name(str(transcript.get("language") or "")))
        self._edit_button.setEnabled(True)
        self._pages.setCurrentWidget(self._words)

    def set_message(self, message: str) -> None:
        """A calm sentence in place of the words."""
        self._end_edit()
        self._language.clear()
        self._message.setText(message)
        self._edit_button.setEnabled(False)
        self._pages.setCurrentWidget(self._message)

    def set_busy(self) -> None:
        """Say that the words are on their way."""
        self.set_message(self.tr("Transcribing…"))

    def set_position(self, seconds: float) -> None:
        """Light the word spoken at `seconds`."""
        self._words.set_position(seconds)

    def begin_edit(self) -> None:
        """Let the user correct the text in place (or type one where there is none)."""
        if not self._edit_button.isEnabled():
            return
        self._editor.setPlainText(self._text)
        self._pages.setCurrentWidget(self._editor)
        self._hint.show()
        self._edit_button.hide()
        self._editor.setFocus()
        self._editor.moveCursor(QTextCursor.MoveOperation.End)

    def editing(self) -> bool:
        """Whether a correction is being typed."""
        return self._pages.currentWidget() is self._editor

    def finish_edit(self) -> None:
        """Take what is being typed as if Enter had been pressed; nothing where nothing is typed."""
        if self.editing():
            self._accept()

    def _accept(self) -> None:
        text = " ".join(self._editor.toPlainText().split())
        changed = text != self._text
        self._end_edit()
        if changed:
            self.corrected.emit(text)

    def _end_edit(self) -> None:
        if not self.editing():
            return
        self._hint.hide()
        self._edit_button.show()
        self._pages.setCurrentWidget(self._words if self._text else self._message)
        self._words.setFocus()


class _Words(QTextEdit):
    """Read-only running text that knows where its words are."""

    word_clicked = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._spans: list[tuple[int, int, float, float]] = []
        self._starts: list[float] = []
        self._current = -1
        self._unsure: list[int] = []
        self.setReadOnly(True)
        self.setFrameShape(QTextEdit.Shape.NoFrame)
        self.setAccessibleName(self.tr("Transcript"))
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def set_words(self, text: str, words: list[Mapping[str, Any]]) -> None:
        """Place every word in `text`; where they do not fit it, the words themselves are the text."""
        places = locate(text, [str(w["text"]) for w in words])
        if places is None:
            stripped = [str(w["text"]).strip() for w in words]
            text = " ".join(stripped)
            places = locate(text, stripped) or []
        self._spans = [
            (first, last, float(w["start"]), float(w["end"]))
            for (first, last), w in zip(places, words, strict=False)
        ]
        self._starts = [span[2] for span in self._spans]
        given = [w.get("probability") for w in words]
        self._unsure = [i for i, p in enumerate(given) if p is not None and float(p) < UNSURE]
        self._current = -1
        self.setPlainText(text)
        self._mark_unsure()
        self._light()

    def set_position(self, seconds: float) -> None:
        index = bisect_right(self._starts, seconds) - 1
        if index >= 0 and seconds >= self._spans[index][3] + 0.05:
            index = -1
        if index != self._current:
            self._current = index
            self._light()

    def word_at(self, position: int) -> int:
        """Index of the word at a text position, -1 between words."""
        for index, (first, last, _, _) in enumerate(self._spans):
            if first <= position <= last:
                return index
        return -1

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            self._go(self.cursorForPosition(event.position().toPoint()).position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._go(self.textCursor().position())
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in RESTYLING:
            self._mark_unsure()
            self._light()

    def _go(self, position: int) -> None:
        index = self.word_at(position)
        if index >= 0:
            self.word_clicked.emit(self._spans[index][2])

    def _mark_unsure(self) -> None:
        """Dotted underline: a cue that is no colour and does not shout."""
        unsure = QTextCharFormat()
        unsure.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        unsure.setUnderlineColor(ink(self).muted)
        unsure.setToolTip(self.tr("The recogniser was not sure of this word"))
        for index in self._unsure:
            if index < len(self._spans):
                self._cursor(index).setCharFormat(unsure)

    def _light(self) -> None:
        if self._current < 0:
            self.setExtraSelections([])
            return
        lit = QTextEdit.ExtraSelection()
        lit.cursor = self._cursor(self._current)
        colours = ink(self)
        lit.format.setBackground(colours.accent)
        lit.format.setForeground(colours.on_accent)
        self.setExtraSelections([lit])

    def _cursor(self, index: int) -> QTextCursor:
        first, last, _, _ = self._spans[index]
        cursor = QTextCursor(self.document())
        cursor.setPosition(first)
        cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
        return cursor


class _Editor(QPlainTextEdit):
    """The text being corrected; Enter accepts, Shift+Enter breaks the line, Esc leaves it as it was."""

    accepted = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Corrected transcript"))
        self.setTabChangesFocus(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.accepted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


def locate(text: str, words: list[str]) -> list[tuple[int, int]] | None:
    """(first, last) positions of `words` in `text`, in order; None where one is not in it."""
    places, at = [], 0
    for word in (w.strip() for w in words):
        first = text.find(word, at)
        if first < 0:
            return None
        at = first + len(word)
        places.append((first, at))
    return places


def language_name(code: str) -> str:
    """ "English" for "en"; the code itself where Qt knows no name, "" for an unknown language."""
    language = QLocale.codeToLanguage(code) if code else QLocale.Language.AnyLanguage
    known = language not in (QLocale.Language.AnyLanguage, QLocale.Language.C)
    return QLocale.languageToString(language) if known else code


if __name__ == "__main__":
    from gui.widgets import example
    from gui.widgets.alone import show_alone

    def _make() -> QWidget:
        view = TranscriptView()
        view.set_transcript(example.transcript())
        view.set_position(2.0)
        return view

    show_alone(_make, (420, 200))
