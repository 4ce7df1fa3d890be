"""Everything that is wrong, in one list; choosing a line leads to where it can be mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

Severity = Literal["error", "warning"]
LINES = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One problem. where: what `chosen` says of it, a setting's name or "data", "name", "seeds"."""

    severity: Severity
    where: str
    text: str


class ProblemList(QFrame):
    """Hidden while nothing is wrong. Errors come first; each says so in words, not by colour alone."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.lines: list[Line] = []
        self._heading = QLabel(objectName="heading")
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setAccessibleName(self.tr("Problems"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemActivated.connect(self._go)
        self.list.itemClicked.connect(self._go)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(2)
        layout.addWidget(self._heading)
        layout.addWidget(self.list)
        self.hide()

    def tell(self, lines: Sequence[Line]) -> None:
        """Show these problems."""
        self.lines = sorted(lines, key=lambda line: line.severity)  # errors first
        words = {"error": self.tr("Error"), "warning": self.tr("Warning")}
        self.list.clear()
        for line in self.lines:
            self.list.addItem(f"{words[line.severity]} · {line.text}")
        errors = sum(line.severity == "error" for line in self.lines)
        self._heading.setText(
            self.tr("To be put right before the start: %1").replace("%1", str(errors))
            if errors
            else self.tr("Worth knowing before the start")
        )
        self.setVisible(bool(self.lines))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As high as the wrapped lines, up to a few of them."""
        wanted = sum(self.list.sizeHintForRow(row) for row in range(self.list.count()))
        most = LINES * self.fontMetrics().lineSpacing()
        self.list.setFixedHeight(min(wanted, most) + 4)

    @property
    def errors(self) -> list[Line]:
        """The problems that a run should not be started with."""
        return [line for line in self.lines if line.severity == "error"]

    @Slot(QListWidgetItem)
    def _go(self, item: QListWidgetItem) -> None:
        self.chosen.emit(self.lines[self.list.row(item)].where)
