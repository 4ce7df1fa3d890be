"""F1 and ?: every shortcut on one sheet, made from the table of actions, so it cannot be out of date."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui.actions import Action, ActionSet, key_words

_COLUMNS = (("File", "Edit", "Clip", "Run", "View", "Help"), ("Playback", "Live"))
"""Menus by column: about as long as each other."""


class ShortcutSheet(QDialog):
    """The actions that have keys, by menu."""

    def __init__(self, actions: ActionSet, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet = QWidget()
        columns = QHBoxLayout(sheet)
        columns.setSpacing(40)
        columns.setContentsMargins(20, 16, 20, 16)
        for group in _COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(6)
            for name in group:
                column.addWidget(QLabel(actions.menu_words(name), objectName="heading"))
                column.addLayout(_keys([a for a in actions.table if a.menu == name and a.keys]))
                column.addSpacing(14)
            column.addStretch(1)
            columns.addLayout(column)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(sheet)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        self.resize(820, 600)


def _keys(actions: list[Action]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(5)
    grid.setColumnStretch(0, 1)
    grid.setColumnMinimumWidth(1, 130)
    for row, action in enumerate(actions):
        grid.addWidget(QLabel(action.words), row, 0)
        grid.addWidget(QLabel(key_words(action.keys), objectName="muted"), row, 1)
    return grid
