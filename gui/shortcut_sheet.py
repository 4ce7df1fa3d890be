"""F1 and ?: every shortcut on one sheet, made from the table of actions, so it cannot be out of date."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui.actions import MENUS, Action, ActionSet, key_words


class ShortcutSheet(QDialog):
    """The actions that have keys, by menu."""

    def __init__(self, actions: ActionSet, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet = QWidget()
        columns = QHBoxLayout(sheet)
        columns.setSpacing(32)
        names = [name for name in MENUS if any(a.menu == name and a.keys for a in actions.table)]
        for group in (names[::2], names[1::2]):
            column = QVBoxLayout()
            for name in group:
                column.addWidget(QLabel(actions.menu_words(name), objectName="heading"))
                column.addLayout(_keys([a for a in actions.table if a.menu == name and a.keys]))
                column.addSpacing(10)
            column.addStretch(1)
            columns.addLayout(column)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(sheet)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        self.resize(760, 520)


def _keys(actions: list[Action]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setColumnStretch(0, 1)
    for row, action in enumerate(actions):
        grid.addWidget(QLabel(action.words), row, 0)
        grid.addWidget(QLabel(key_words(action.keys), objectName="muted"), row, 1)
    return grid
