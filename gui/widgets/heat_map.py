"""A square matrix as colours, painted from one small image: fluid at 256 x 256, crisp at any size."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.ink import RESTYLING, diverging, ink

_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class HeatMap(QWidget):
    """One matrix with its title; the pair below the pointer or the arrow keys is told by `hovered`."""

    hovered = Signal(object, object)
    """Row and column, or None and None outside the matrix."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._matrix = np.zeros((0, 0))
        self._limit = 1.0
        self._image: QImage | None = None
        self._cross: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_matrix(self, matrix: np.ndarray, limit: float) -> None:
        """Show a (d, d) matrix; `limit` is the value at the ends of the colour scale, NaN stays blank."""
        self._matrix = np.asarray(matrix, dtype=float)
        self._limit = limit
        self._image = None
        self._cross = None
        d = self._matrix.shape[0]
        self.setAccessibleDescription(self.tr("{d} by {d} values").format(d=d))
        self.update()

    def set_cross(self, cell: tuple[int, int] | None) -> None:
        """Frame one cell, given as (row, column)."""
        if cell != self._cross:
            self._cross = cell
            self.update()

    def value(self, row: int, column: int) -> float:
        """The number behind a cell."""
        return float(self._matrix[row, column])

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        """Row and column at a place of the widget, None beside the matrix."""
        area, d = self.area(), self._matrix.shape[0]
        if not d or not area.contains(point):
            return None
        column = int((point.x() - area.left()) / area.width() * d)
        row = int((point.y() - area.top()) / area.height() * d)
        return min(row, d - 1), min(column, d - 1)

    def sizeHint(self) -> QSize:
        """A square with its title."""
        return QSize(220, 220 + int(QFontMetricsF(self.font()).height() * 1.4))

    def minimumSizeHint(self) -> QSize:
        """Small, but still a picture under its whole title."""
        metrics = QFontMetricsF(self.font())
        wide = max(110, int(metrics.horizontalAdvance(self._title)) + 1)
        return QSize(wide, 110 + int(metrics.height() * 1.4))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw title, cells, cross and focus."""
        painter = QPainter(self)
        colours = ink(self)
        painter.setPen(self.palette().windowText().color())
        title = QRectF(0, 0, self.width(), QFontMetricsF(self.font()).height() * 1.2)
        shown = QFontMetricsF(self.font()).elidedText(self._title, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(title, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, shown)
        area = self.area()
        if self._matrix.size:
            painter.drawImage(area, self._coloured(colours.dark))
        painter.setPen(QPen(colours.accent, 2) if self.hasFocus() else QPen(colours.grid, 1))
        painter.drawRect(area)
        if self._cross is not None:
            self._draw_cross(painter, area, colours.text)

    def _draw_cross(self, painter: QPainter, area: QRectF, colour: QColor) -> None:
        row, column = self._cross or (0, 0)
        side = area.width() / self._matrix.shape[0]
        cell = QRectF(area.left() + column * side, area.top() + row * side, side, side)
        grow = max(0.0, 6 - side) / 2
        painter.setPen(QPen(colour, 1.5))
        painter.drawRect(cell.adjusted(-grow, -grow, grow, grow))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the pair below the pointer."""
        cell = self.cell_at(event.position())
        self.hovered.emit(*(cell or (None, None)))

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        self.hovered.emit(None, None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cross with the arrow keys."""
        step = _STEPS.get(Qt.Key(event.key()))
        d = self._matrix.shape[0]
        if step is None or not d:
            super().keyPressEvent(event)
            return
        row, column = self._cross or (0, 0)
        moved = (min(max(row + step[0], 0), d - 1), min(max(column + step[1], 0), d - 1))
        self.hovered.emit(*(moved if self._cross else (row, column)))

    def changeEvent(self, event: QEvent) -> None:
        """Colours follow the theme."""
        if event.type() in RESTYLING:
            self._image = None
            self.update()
        super().changeEvent(event)

    def area(self) -> QRectF:
        """The square that the matrix is painted on, in the middle below the title."""
        top = QFontMetricsF(self.font()).height() * 1.4
        side = max(1.0, min(self.width() - 2.0, self.height() - top - 2.0))
        return QRectF((self.width() - side) / 2, top, side, side)

    def _coloured(self, dark: bool) -> QImage:
        if self._image is None:
            self._image = coloured(self._matrix, self._limit, dark)
        return self._image


class ColourBar(QWidget):
    """The scale of the maps beside it, with its ends and the zero in words."""

    def __init__(self, limit: float, beside: HeatMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limit = limit
        self._beside = beside
        self.setAccessibleName(
            self.tr("Colour scale from \N{MINUS SIGN}{limit:g} to +{limit:g}").format(limit=limit)
        )
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Bar and the width of its labels."""
        return QSize(int(18 + QFontMetricsF(self.font()).horizontalAdvance("+0.0 ")), 120)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar from the positive end down to the negative."""
        painter = QPainter(self)
        metrics = QFontMetricsF(self.font())
        area = self._beside.area()
        bar = QRectF(2, area.top(), 12, min(area.height(), self.height() - area.top()))
        column = np.linspace(self._limit, -self._limit, 256)[:, None]
        painter.drawImage(bar, coloured(column, self._limit, ink(self).dark))
        painter.setPen(self.palette().windowText().color())
        for share, text in ((0.0, f"+{self._limit:g}"), (0.5, "0"), (1.0, f"\N{MINUS SIGN}{self._limit:g}")):
            y = bar.top() + share * bar.height()
            box = QRectF(
                18,
                min(max(y - metrics.height() / 2, bar.top()), bar.bottom() - metrics.height()),
                60,
                metrics.height(),
            )
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)

    def changeEvent(self, event: QEvent) -> None:
        """Colours follow the theme."""
        if event.type() in RESTYLING:
            self.updateGeometry()
            self.update()
        super().changeEvent(event)


def coloured(matrix: np.ndarray, limit: float, dark: bool) -> QImage:
    """A picture of one pixel a cell, in the diverging map; what is not finite is transparent."""
    finite = np.isfinite(matrix)
    share = (np.clip(np.where(finite, matrix, 0.0) / limit, -1, 1) + 1) / 2
    pixels = np.empty((*matrix.shape, 4), np.uint8)
    pixels[..., :3] = diverging(dark)[np.round(share * 255).astype(int)]
    pixels[..., 3] = np.where(finite, 255, 0)
    height, width = matrix.shape
    # copy(): the picture must outlive the array it was made from.
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
