"""What the timeline is made of: the time axis, the box that takes the mouse, words, bars and curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QGraphicsSceneHoverEvent,
    QGraphicsSceneWheelEvent,
    QStyleOptionGraphicsItem,
    QWidget,
)

from core.types import HEADS, Head
from gui.theme import HEAD_COLOURS, HEAD_MARKERS
from gui.widgets.markers import HEAD_DASHES

ELLIPSIS = "…"
GAP = 4.0
"""Pixels between two words."""
_WIDE_UP_TO = 2000
"""Points; a wider pen than 1 px costs far more time than it is worth above this."""


class TimeAxis(pg.AxisItem):
    """Seconds as m:ss, with decimals where the ticks are closer than a second."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Labels of the ticks at `values` seconds, `spacing` apart."""
        digits = 0 if spacing >= 1 else 1 if spacing >= 0.1 else 2
        return [clock_text(value * scale, digits) for value in values]


class TimeBox(pg.ViewBox):
    """A box in which the mouse means time and nothing else; the vertical range is fixed."""

    pointed = Signal(float)
    selected = Signal(float, float)
    zoomed = Signal(float, float)
    reset = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=False, y=False)
        self.setDefaultPadding(0)
        self.disableAutoRange()

    def wheelEvent(self, ev: QGraphicsSceneWheelEvent, axis: int | None = None) -> None:
        """Zoom around the pointer."""
        ev.accept()
        self.zoomed.emit(0.8 ** (ev.delta() / 120), self._seconds(ev.pos()))

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        """Seek while dragging; with Shift select from where the button went down."""
        if ev.button() != Qt.MouseButton.LeftButton:
            ev.ignore()
            return
        ev.accept()
        if ev.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.selected.emit(self._seconds(ev.buttonDownPos()), self._seconds(ev.pos()))
        else:
            self.pointed.emit(max(0.0, self._seconds(ev.pos())))

    def mouseClickEvent(self, ev: Any) -> None:
        """One click seeks, two show the whole clip."""
        if ev.button() != Qt.MouseButton.LeftButton:
            ev.ignore()
            return
        ev.accept()
        if ev.double():
            self.reset.emit()
        else:
            self.pointed.emit(max(0.0, self._seconds(ev.pos())))

    def _seconds(self, point: QPointF) -> float:
        return float(self.mapToView(point).x())


class HeadCurve:
    """One head's curve: dashed line, a few markers, and every point that stands between two gaps."""

    def __init__(self, head: Head, plot: pg.PlotItem) -> None:
        self._turn = HEADS.index(head)
        self._head = head
        self.line = pg.PlotDataItem(connect="finite")
        self.line.setDownsampling(auto=True, method="peak")
        self.line.setClipToView(True)
        self.marks = pg.ScatterPlotItem(symbol=HEAD_MARKERS[head], size=7, pen=None, brush=HEAD_COLOURS[head])
        plot.addItem(self.line)
        plot.addItem(self.marks)

    def set_values(self, time: np.ndarray, values: np.ndarray) -> None:
        """Seconds and estimates of equal length; NaN is a gap."""
        wide = 2 if self._head == "multimodal" and len(time) <= _WIDE_UP_TO else 1
        self.line.setPen(pg.mkPen(HEAD_COLOURS[self._head], width=wide, style=HEAD_DASHES[self._head]))
        self.line.setData(time, values)
        shown = alone(values) | self._sparse(values)
        self.marks.setData(time[shown], values[shown])

    def set_visible(self, shown: bool) -> None:
        """Show or hide the curve."""
        self.line.setVisible(shown)
        self.marks.setVisible(shown)

    def _sparse(self, values: np.ndarray) -> np.ndarray:
        """About eight marked points a clip, at other places for each head, lest they cover each other."""
        finite = np.flatnonzero(np.isfinite(values))
        step = max(4, len(finite) // 8)
        shown = np.zeros(len(values), bool)
        shown[finite[(self._turn * step) // len(HEADS) :: step]] = True
        return shown


class WordsItem(pg.GraphicsObject):
    """Words at their times on one line, as many as fit at the present zoom; an ellipsis stands for the rest.

    Under the pointer the words of a place are told in full.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptHoverEvents(True)
        self._drawn: list[tuple[float, float, str]] = []
        self._words: list[tuple[str, float, float]] = []
        self._extent = 1.0
        self._font = QFont()
        self._text = self._tick = QColor("black")

    def set_words(self, words: list[tuple[str, float, float]]) -> None:
        """(text, start, end) in order of time."""
        self._words = words
        self.update()

    def set_extent(self, seconds: float) -> None:
        """Length of the clip."""
        self.prepareGeometryChange()
        self._extent = seconds

    def set_style(self, font: QFont, text: QColor, tick: QColor) -> None:
        """Font and colours."""
        self._font, self._text, self._tick = font, text, tick
        self.update()

    def hint_at(self, seconds: float) -> str:
        """The words drawn, or left out, where `seconds` lies on the axis."""
        return next((hint for first, last, hint in self._drawn if first <= seconds <= last), "")

    def hoverMoveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        """Tell what stands, or does not stand, under the pointer."""
        self.setToolTip(self.hint_at(event.pos().x()))

    def boundingRect(self) -> QRectF:
        """The whole clip, one high."""
        return QRectF(0, 0, self._extent, 1)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw in pixels: text must not be stretched with the time axis."""
        transform = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        painter.setFont(self._font)
        metrics = QFontMetricsF(self._font)
        top, bottom = sorted(transform.map(QPointF(0, y)).y() for y in (0.0, 1.0))
        base = (top + bottom + metrics.ascent() - metrics.descent()) / 2
        first, last = (self.getViewBox().viewRange()[0]) if self.getViewBox() else (0.0, self._extent)
        at = [
            (text, transform.map(QPointF(start, 0)).x())
            for text, start, end in self._words
            if end >= first and start <= last
        ]
        edges = (transform.map(QPointF(first, 0)).x(), transform.map(QPointF(last, 0)).x())
        painter.setPen(self._tick)
        for _text, x in at:
            painter.drawLine(QPointF(x, bottom - 3), QPointF(x, bottom))
        painter.setPen(self._text)
        back = transform.inverted()[0]
        self._drawn = []
        for piece in lay_words(at, edges, metrics.horizontalAdvance):
            painter.drawText(QPointF(piece.x, base), piece.text)
            span = (back.map(QPointF(x, 0)).x() for x in (piece.x, piece.x + piece.width))
            self._drawn.append((*span, piece.hint))
        painter.restore()


@dataclass(slots=True)
class Piece:
    """What is drawn at `x` pixels: a word, or an ellipsis for those in `hint`."""

    text: str
    x: float
    width: float
    hint: str


def lay_words(
    words: Sequence[tuple[str, float]], edges: tuple[float, float], width: Callable[[str], float]
) -> list[Piece]:
    """Places for (word, x) in order of x within `edges`, none over another, every word in one of the hints.

    A word moves a little from its x rather than over an edge; one that finds no room goes into an ellipsis.
    """
    left, right = edges
    dots = width(ELLIPSIS)
    pieces: list[Piece] = []
    free, dropping = left, False
    for number, (text, x) in enumerate(words):
        wide = width(text)
        # Whatever follows must at least leave an ellipsis behind.
        end = right if number == len(words) - 1 else right - dots - GAP
        place = max(left, min(x, end - wide))
        if free <= place and place + wide <= end:
            pieces.append(Piece(text, place, wide, text))
            free, dropping = place + wide + GAP, False
        elif dropping:
            pieces[-1].hint += f" {text}"
        else:
            pieces.append(Piece(ELLIPSIS, max(left, min(max(x, free), right - dots)), dots, text))
            free, dropping = pieces[-1].x + dots + GAP, True
    return pieces


class BarsItem(pg.GraphicsObject):
    """Stretches of time as bars below the sound."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: list[tuple[float, float]] = []
        self._colour = QColor("black")

    def set_bars(self, bars: list[tuple[float, float]]) -> None:
        """(start, end) in seconds."""
        self.prepareGeometryChange()
        self._bars = bars
        self.update()

    def set_colour(self, colour: QColor) -> None:
        """Fill of the bars."""
        self._colour = colour
        self.update()

    def boundingRect(self) -> QRectF:
        """From the first bar to the last."""
        if not self._bars:
            return QRectF()
        return QRectF(self._bars[0][0], -1.26, self._bars[-1][1] - self._bars[0][0], 0.12)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Fill every bar."""
        for start, end in self._bars:
            painter.fillRect(QRectF(start, -1.26, end - start, 0.12), self._colour)


def alone(values: np.ndarray) -> np.ndarray:
    """(N,) bool: finite values whose neighbours are both missing; no line would show them."""
    finite = np.isfinite(values)
    padded = np.concatenate([[False], finite, [False]])
    return finite & ~padded[:-2] & ~padded[2:]


def clock_text(seconds: float, digits: int = 0) -> str:
    """ "1:05" or "1:05.25": minutes and seconds of the clip's own clock."""
    total = round(max(0.0, seconds) * 10**digits)
    minutes, rest = divmod(total, 60 * 10**digits)
    text = f"{rest / 10**digits:0{3 + digits if digits else 2}.{digits}f}"
    return f"{minutes}:{text}"
