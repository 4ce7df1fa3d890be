"""The key to the curves: dash, colour, marker and name of each head; a click hides or shows it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QWidget

from core.types import HEADS, Head
from gui.theme import HEAD_COLOURS
from gui.widgets.ink import ink
from gui.widgets.markers import HEAD_DASHES, draw_marker


class Legend(QWidget):
    """One entry a head."""

    toggled = Signal(str, bool)
    """Head and whether it is to be shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.addStretch(1)
        for head in HEADS:
            entry = LegendEntry(head)
            entry.toggled.connect(lambda shown, head=head: self.toggled.emit(head, shown))
            layout.addWidget(entry)


class LegendEntry(QAbstractButton):
    """A short piece of the curve and its name, struck out while hidden."""

    def __init__(self, head: Head, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head = head
        self.setText(self.tr(head.capitalize()))
        self.setAccessibleName(self.tr("Show the {head} curve").format(head=head))
        self.setToolTip(self.accessibleName())
        self.setCheckable(True)
        self.setChecked(True)

    def sizeHint(self) -> QSize:
        """Sample of the line and name."""
        metrics = QFontMetricsF(self.font())
        return QSize(
            int(3.4 * metrics.height() + metrics.horizontalAdvance(self.text())), int(metrics.height() * 1.3)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw line, marker and name."""
        painter = QPainter(self)
        colours = ink(self)
        em = QFontMetricsF(self.font()).height()
        middle = self.height() / 2
        if self.isChecked():
            pen = QPen(QColor(HEAD_COLOURS[self._head]), 2 if self._head == "multimodal" else 1.5)
            pen.setStyle(HEAD_DASHES[self._head])
            painter.setPen(pen)
            painter.drawLine(QPointF(0.3 * em, middle), QPointF(2.4 * em, middle))
            draw_marker(painter, self._head, QPointF(1.35 * em, middle), 0.24 * em)
        font = self.font()
        font.setStrikeOut(not self.isChecked())
        painter.setFont(font)
        painter.setPen(self.palette().windowText().color() if self.isChecked() else colours.muted)
        baseline = middle + QFontMetricsF(font).ascent() / 2 - 1
        painter.drawText(QPointF(2.7 * em, baseline), self.text())
        if self.hasFocus():
            painter.setPen(QPen(colours.accent, 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
