"""A list of small models, as the tables that a run learns from: add, edit, take away, put in order."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.widgets.field_editors import Editor
from gui.widgets.settings_form import SettingsForm

SHOWN_LINES = 4


class EntriesEditor(Editor):
    """The entries by their first two values; each is edited in a dialog with a form of its own."""

    def __init__(self, model: type[BaseModel]) -> None:
        super().__init__()
        self._model = model
        self._entries: list[BaseModel] = []
        self.list = QListWidget()
        self.list.setFixedHeight(SHOWN_LINES * (self.fontMetrics().lineSpacing() + 6) + 4)
        self.list.itemActivated.connect(self._edit)
        self.list.currentRowChanged.connect(self._look)
        self._add, self._change, self._remove = (
            QPushButton(self.tr("Add…")),
            QPushButton(self.tr("Edit…")),
            QPushButton(self.tr("Remove")),
        )
        for button in (self._add, self._change, self._remove):
            button.setAutoDefault(False)
        self._add.clicked.connect(self._new)
        self._change.clicked.connect(self._edit)
        self._remove.clicked.connect(self._take_away)
        self.parts = [self.list, self._add, self._change, self._remove]
        self.setFocusProxy(self.list)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.list, 0, 0, 4, 1)
        for row, button in enumerate((self._add, self._change, self._remove)):
            grid.addWidget(button, row, 1)
        grid.setRowStretch(3, 1)
        self._look()

    def name(self, title: str, description: str) -> None:
        self.list.setAccessibleName(title)
        self.list.setAccessibleDescription(description)
        for button in (self._add, self._change, self._remove):
            button.setAccessibleName(f"{title}: {button.text()}")

    def set(self, value: Any) -> None:
        self._entries = list(value)
        self._refill(0)

    def value(self) -> Any:
        return tuple(self._entries)

    def put(self, place: int, entry: BaseModel) -> None:
        """Take `entry` in place of the one there, or as the last."""
        self._entries[place : place + 1] = [entry]
        self._refill(place)
        self.edited.emit()

    @Slot()
    def _new(self) -> None:
        self._ask(self._model(), len(self._entries))

    @Slot()
    def _edit(self) -> None:
        if (place := self.list.currentRow()) >= 0:
            self._ask(self._entries[place], place)

    @Slot()
    def _take_away(self) -> None:
        if (place := self.list.currentRow()) >= 0:
            del self._entries[place]
            self._refill(min(place, len(self._entries) - 1))
            self.edited.emit()

    def _ask(self, entry: BaseModel, place: int) -> None:
        dialog = EntryDialog(entry, self.list.accessibleName(), self.window())
        dialog.accepted.connect(lambda: self.put(place, dialog.form.result or entry))
        dialog.open()

    def _refill(self, current: int) -> None:
        self.list.clear()
        self.list.addItems([_described(entry) for entry in self._entries])
        self.list.setCurrentRow(current)
        self._look()

    @Slot()
    def _look(self) -> None:
        for button in (self._change, self._remove):
            button.setEnabled(self.list.currentRow() >= 0)


class EntryDialog(QDialog):
    """One entry of a list; it closes with OK only on an entry that makes sense."""

    def __init__(self, entry: BaseModel, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.form = SettingsForm(type(entry))
        self.form.set(entry)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._problem = QLabel(objectName="problem")
        self._problem.setWordWrap(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.form, 1)
        layout.addWidget(self._problem)
        layout.addWidget(buttons)
        self.form.changed.connect(self._look)
        self.finished.connect(self.deleteLater)
        self.resize(680, 600)

    @Slot()
    def _look(self) -> None:
        self._ok.setEnabled(self.form.result is not None)
        self._problem.setText("\n".join(f"{p.title}: {p.message}" for p in self.form.problems))


def _described(entry: BaseModel) -> str:
    """The first two values, which name it."""
    values = [getattr(entry, name) for name in list(type(entry).model_fields)[:2]]
    return "  ·  ".join(str(value) for value in values if value != "")
