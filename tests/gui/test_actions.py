"""The table of actions, and what is made from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenu
from pytestqt.qtbot import QtBot

from gui.actions import ACTIONS, MENUS
from gui.command_palette import CommandPalette, matching
from gui.main_window import MainWindow
from gui.shortcut_sheet import ShortcutSheet

OpenWindow = Callable[..., MainWindow]

KEYS = {
    "play": ["Space", "K"],
    "back-faster": ["J"],
    "forward-faster": ["L"],
    "back-slow": ["Shift+J"],
    "forward-slow": ["Shift+L"],
    "loop-start": ["I"],
    "loop-end": ["O"],
    "frame-back": ["Left", ","],
    "frame-forward": ["Right", "."],
    "jump-back": ["Shift+Left"],
    "jump-forward": ["Shift+Right"],
    "replay": ["R"],
    "loop": ["Ctrl+/"],
    "slower": ["["],
    "faster": ["]"],
    "normal-speed": ["="],
    "next-clip": ["Down", "D"],
    "previous-clip": ["Up", "A"],
    "undo": ["Ctrl+Z"],
    "palette": ["Ctrl+K"],
    "shortcuts": ["F1", "?"],
    "preferences": ["Ctrl+,"],
}
"""What annotators' hands know; a change here is a change of their habits."""


def test_no_key_means_two_things() -> None:
    for page in ("review", "live"):  # of which only one can have the focus
        heard = [action for action in ACTIONS if action.scope in ("window", page)]
        counted = Counter(QKeySequence(key).toString() for action in heard for key in action.keys)
        assert [key for key, count in counted.items() if count > 1] == []
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_the_keys_are_those_that_annotators_know() -> None:
    assert {action.id: list(action.keys) for action in ACTIONS if action.id in KEYS} == KEYS


def test_single_keys_belong_to_the_page_alone() -> None:
    for action in ACTIONS:
        plain = [key for key in action.keys if "+" not in key and not key.startswith("F")]
        assert action.scope in ("review", "live") or set(plain) <= {"?"}, action.id


def test_every_action_is_in_a_menu_with_a_mnemonic(open_window: OpenWindow) -> None:
    window = open_window()
    menus = [menu for menu in window.menuBar().findChildren(QMenu) if menu.objectName() in MENUS]
    assert [menu.title() for menu in menus] == [f"&{name}" for name in MENUS]
    listed = {entry.objectName() for menu in menus for entry in menu.actions()}
    assert {action.id for action in ACTIONS} <= listed


def test_every_button_has_a_name_for_screen_readers(open_window: OpenWindow) -> None:
    window = open_window()
    unnamed = [
        button
        for button in window.findChildren(QAbstractButton)
        if button.focusPolicy() and not (button.accessibleName() or button.text())
    ]
    assert unnamed == []


def test_the_palette_finds_an_action_by_words_and_does_it(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window()
    window.show_palette()
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.line, "dark theme")
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert window.preferences.theme == "dark"


def test_the_palette_never_marks_what_cannot_be_done(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window()
    window.show_palette()
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.line, "undo")
    assert palette.list.currentItem() is None
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert palette.isVisible()
    palette.close()


def test_matching_puts_what_starts_with_the_words_first() -> None:
    assert [action.id for action in matching(ACTIONS, "cancel")] == ["cancel", "cancel-all"]
    assert matching(ACTIONS, "clip next")[0].id == "next-clip"
    assert matching(ACTIONS, "no such thing") == []


def test_the_shortcut_sheet_shows_every_key(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window()
    window.show_shortcuts()
    sheet = window.findChild(ShortcutSheet)
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    assert {action.words for action in ACTIONS if action.keys} <= shown
    assert set(MENUS) <= shown
    sheet.close()


@pytest.mark.parametrize("key", ["d", "k", "r", "?", " "])
def test_letters_typed_into_the_filter_are_letters(qtbot: QtBot, open_window: OpenWindow, key: str) -> None:
    window = open_window()
    heard: list[str] = []
    for id, action in window.actions_by_id.of.items():
        action.setEnabled(True)
        action.triggered.connect(lambda _=False, id=id: heard.append(id))
    window.review.clips.focus_filter()
    field = window.focusWidget()
    qtbot.keyClicks(field, key)
    assert (field.text(), heard) == (key, [])
