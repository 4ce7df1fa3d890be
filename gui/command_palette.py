"""Ctrl+K: type a few letters of what you want to do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.actions import Action, ActionSet, key_words


class CommandPalette(QDialog):
    """Lists the actions that hold every typed word; Return does the marked one."""

    def __init__(self, actions: ActionSet, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._actions = actions
        self.setAccessibleName(self.tr("Find an action"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.line = QLineEdit(placeholderText=self.tr("What do you want to do?"))
        self.line.setAccessibleName(self.tr("Name of an action"))
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Actions"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.line.textChanged.connect(self._fill)
        self.line.installEventFilter(self)
        self.list.itemActivated.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        self._fill("")
        self.resize(520, 380)
        self.move(parent.mapToGlobal(QPoint((parent.width() - self.width()) // 2, 90)))
        self.line.setFocus()

    def _fill(self, text: str) -> None:
        self.list.clear()
        for action in matching(self._actions.table, text):
            made = self._actions.of[action.id]
            item = QListWidgetItem(self.list)
            item.setData(Qt.ItemDataRole.UserRole, action.id)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, action.words)
            if not made.isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            row = _row(action, made.isEnabled())
            item.setSizeHint(QSize(0, row.sizeHint().height()))
            self.list.setItemWidget(item, row)
        self._mark(0, 1)

    def _mark(self, start: int, by: int) -> None:
        """Mark the first row from `start` on, going `by`, that can be done now."""
        row = start
        while 0 <= row < self.list.count():
            if self.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled:
                self.list.setCurrentRow(row)
                return
            row += by

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up, Down and Return in the line belong to the list."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
            if event.key() in steps:
                by = steps[Qt.Key(event.key())]
                self._mark(self.list.currentRow() + by, by)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if (item := self.list.currentItem()) is not None:
                    self._choose(item)
                return True
        return super().eventFilter(watched, event)

    def _choose(self, item: QListWidgetItem) -> None:
        name = item.data(Qt.ItemDataRole.UserRole)
        self.close()
        self._actions.of[name].trigger()


def matching(table: tuple[Action, ...], text: str) -> list[Action]:
    """Actions whose words hold every word of `text`, those that start with it first."""
    words = text.casefold().split()
    found = [action for action in table if all(word in action.words.casefold() for word in words)]
    return sorted(found, key=lambda action: not action.words.casefold().startswith(text.casefold()))


def _row(action: Action, enabled: bool) -> QWidget:
    row = QWidget()
    row.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(8, 4, 8, 4)
    name, keys = QLabel(action.words), QLabel(key_words(action.keys[:1]), objectName="muted")
    name.setEnabled(enabled)
    layout.addWidget(name)
    layout.addStretch(1)
    layout.addWidget(keys)
    return row
