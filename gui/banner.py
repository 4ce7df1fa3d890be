"""One calm strip for what went wrong: what happened, what was kept, what to do; the rest folded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import icons


@dataclass(frozen=True, slots=True)
class Notice:
    """What the banner says. `next`: what was kept and what to do. `buttons`: (label, what it does)."""

    what: str
    next: str = ""
    details: str = ""
    buttons: tuple[tuple[str, Callable[[], object]], ...] = ()


class Banner(QFrame):
    """Hidden until something is to be said; a later notice takes the place of an earlier one."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName(self.tr("Notice"))
        self._what, self._next = QLabel(objectName="heading"), QLabel()
        for label in (self._what, self._next):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setAccessibleName(self.tr("Technical details"))
        self._fold = QPushButton(self.tr("Details"), checkable=True)
        self._fold.toggled.connect(self._details.setVisible)
        self._copy = QPushButton(self.tr("Copy"))
        self._copy.clicked.connect(self._copy_all)
        self._close = QToolButton()
        self._close.setAccessibleName(self.tr("Close this notice"))
        icons.bind(self._close, "close")
        self._close.clicked.connect(self.dismiss)
        self._own = QHBoxLayout()
        self.notice = Notice("")
        self._lay_out()
        self.hide()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._what)
        words.addWidget(self._next)
        row = QHBoxLayout()
        row.addLayout(words, 1)
        row.addLayout(self._own)
        for button in (self._fold, self._copy, self._close):
            row.addWidget(button, alignment=Qt.AlignmentFlag.AlignTop)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 8, 8, 8)
        outer.addLayout(row)
        outer.addWidget(self._details)

    def tell(self, notice: Notice) -> None:
        """Show `notice`."""
        self.notice = notice
        self._what.setText(notice.what)
        self._next.setText(notice.next)
        self._next.setVisible(bool(notice.next))
        self._details.setPlainText(notice.details)
        lines = min(10, 2 + notice.details.count("\n"))
        self._details.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 12)
        self._fold.setChecked(False)
        self._details.hide()
        for button in (self._fold, self._copy):
            button.setVisible(bool(notice.details))
        self._set_buttons(notice)
        self.setAccessibleDescription(f"{notice.what} {notice.next}")
        self.show()

    @property
    def text(self) -> str:
        """What it says now; "" while it is hidden."""
        return "" if self.isHidden() else f"{self._what.text()}\n{self._next.text()}".strip()

    def dismiss(self) -> None:
        """Hide it."""
        self.hide()
        self.closed.emit()

    def _set_buttons(self, notice: Notice) -> None:
        while (item := self._own.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for label, does in notice.buttons:
            button = QPushButton(label)
            button.clicked.connect(self.dismiss)
            button.clicked.connect(does)
            self._own.addWidget(button, alignment=Qt.AlignmentFlag.AlignTop)

    def _copy_all(self) -> None:
        text = f"{self._what.text()}\n{self._next.text()}\n\n{self._details.toPlainText()}"
        QGuiApplication.clipboard().setText(text)
