"""F1 and ?: every shortcut on one sheet, made from the table of actions, so it cannot be out of date."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui.action import mark as _N
from gui.actions import ActionSet, key_words

TIMELINE = _N("menus", "Timeline")
"""A heading that is no menu: keys of the timeline while it has the focus."""

_COLUMNS = (("File", "Edit", "Clip", "Run", "View", "Help"), ("Playback", TIMELINE, "Live"))
"""Menus by column: about as long as each other."""

_MORE: dict[str, tuple[tuple[str, str], ...]] = {
    "Playback": ((_N("actions", "Frame by frame while K is held"), "K + J / L"),),
    TIMELINE: (
        (_N("actions", "Zoom in, zoom out"), "+   \N{MINUS SIGN}"),
        (_N("actions", "Show the whole clip"), "0"),
        (_N("actions", "Go to the start, to the end"), "Home   End"),
        (_N("actions", "Loop no more"), "Esc"),
    ),
}
"""Keys that are no actions: what one does depends on another one held, or on where the focus is."""


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
                listed = [(a.words, key_words(a.keys)) for a in actions.table if a.menu == name and a.keys]
                more = [(QCoreApplication.translate("actions", t), keys) for t, keys in _MORE.get(name, ())]
                column.addLayout(_keys(listed + more))
                column.addSpacing(14)
            column.addStretch(1)
            columns.addLayout(column)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(sheet)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        self.resize(860, 640)


def _keys(rows: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(5)
    grid.setColumnStretch(0, 1)
    grid.setColumnMinimumWidth(1, 130)
    for row, (words, keys) in enumerate(rows):
        grid.addWidget(QLabel(words), row, 0)
        grid.addWidget(QLabel(keys, objectName="muted"), row, 1)
    return grid
