"""Light and dark: both can be read."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from gui.theme import DARK, LIGHT, Colours, Theme, palette
from gui.widgets.ink import contrast

READABLE = 4.5
VISIBLE = 3.0


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["window", "base", "raised", "notice"])
@pytest.mark.parametrize("ink", ["text", "muted"])
def test_text_stands_out_from_every_ground(colours: Colours, ground: str, ink: str) -> None:
    assert contrast(QColor(getattr(colours, ink)), QColor(getattr(colours, ground))) >= READABLE


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_marked_text_and_focus_stand_out(colours: Colours) -> None:
    assert contrast(QColor(colours.on_accent), QColor(colours.accent)) >= READABLE
    assert contrast(QColor(colours.text), QColor(colours.line)) >= READABLE
    for ground in (colours.window, colours.base):
        assert contrast(QColor(colours.focus), QColor(ground)) >= VISIBLE


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_disabled_text_can_still_be_read(colours: Colours) -> None:
    made = palette(colours)
    for ink, ground in (
        (QPalette.ColorRole.WindowText, QPalette.ColorRole.Window),
        (QPalette.ColorRole.Text, QPalette.ColorRole.Base),
        (QPalette.ColorRole.ButtonText, QPalette.ColorRole.Button),
    ):
        group = QPalette.ColorGroup.Disabled
        assert contrast(made.color(group, ink), made.color(group, ground)) >= READABLE


def test_choosing_a_theme_changes_the_palette_of_the_program(qapp: QApplication) -> None:
    theme = Theme(qapp)
    heard: list[bool] = []
    theme.changed.connect(lambda: heard.append(theme.dark))
    for choice, colours in (("dark", DARK), ("light", LIGHT)):
        theme.choose(choice)
        assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(colours.window)
    theme.choose("system")
    assert heard[:2] == [True, False]
    theme.deleteLater()
