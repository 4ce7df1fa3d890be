"""One plot of figures over epochs: raw points faint, smoothed ones bold, the best marked, gaps shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QPen, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from gui.run_reader import Points
from gui.widgets.ink import RESTYLING, ink, mix

_FAINT = 0.6
"""Share of the background in a raw curve. Opaque: blending thousands of points takes seconds."""


@dataclass(frozen=True, slots=True)
class Line:
    """How one figure is drawn. colour "": the text's."""

    words: str
    colour: str = ""
    dash: Qt.PenStyle = Qt.PenStyle.SolidLine


class _Curve:
    """The items of one line; made once, only their data change."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self.raw = pg.PlotDataItem(connect="finite")
        self.calm = pg.PlotDataItem(connect="finite")
        self.gaps = pg.PlotDataItem(pen=None, symbol="x", symbolSize=9)
        self.items = (self.raw, self.calm, self.gaps)
        self.points: Points | None = None
        for item in self.items:
            plot.addItem(item)

    def draw(self, points: Points) -> None:
        self.points = points
        self.raw.setData(points.x, points.y)
        self.calm.setData(points.smooth_x, points.smooth_y)
        self.gaps.setData(*_marked(points))
        lone = len(points.smooth_x) == 1
        self.calm.setSymbol("o" if lone else None)  # a single point is no line

    def restyle(self, line: Line, base: QColor, text: QColor) -> None:
        colour = QColor(line.colour) if line.colour else text
        self.raw.setPen(QPen(mix(colour, base, _FAINT), 0))
        bold = QPen(colour, 0)
        bold.setStyle(line.dash)
        self.calm.setPen(bold)
        for item, size in ((self.calm, 5), (self.gaps, 9)):
            item.setSymbolPen(QPen(colour, 0))
            item.setSymbolBrush(colour)
            item.setSymbolSize(size)

    def show(self, shown: bool) -> None:
        for item in self.items:
            item.setVisible(shown)


def _marked(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Where to put the crosses of gaps: on the straight line over each gap."""
    x, y = (points.x, points.y) if len(points.x) else (points.smooth_x, points.smooth_y)
    known = np.isfinite(y)
    if not len(points.gaps) or not known.any():
        return np.empty(0), np.empty(0)
    return points.gaps, np.interp(points.gaps, x[known], y[known])


class CurvePlot(QWidget):
    """Lines by key; the wheel zooms, a drag moves, a double click shows all again."""

    resized = Signal()

    def __init__(self, x_words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: dict[str, Line] = {}
        self._curves: dict[str, _Curve] = {}
        self._hidden: set[str] = set()
        self._view = pg.PlotWidget()
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot: pg.PlotItem = self._view.getPlotItem()
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        self._plot.layout.setContentsMargins(0, 7, 4, 0)  # the uppermost figure of an axis needs half a line
        if x_words:
            self._plot.setLabel("bottom", x_words)
        self._plot.getAxis("left").setStyle(tickLength=-3, autoExpandTextSpace=True)
        self._plot.getAxis("bottom").setStyle(tickLength=-3)
        self._best = pg.InfiniteLine(angle=90)
        self._best.hide()
        self._plot.addItem(self._best, ignoreBounds=True)
        self._segments: list[pg.InfiniteLine] = []
        self._nothing = QLabel(self.tr("No figure"), self, objectName="muted")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view, 0, 0)
        layout.addWidget(self._nothing, 0, 0, Qt.AlignmentFlag.AlignCenter)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._restyle()

    @property
    def keys(self) -> list[str]:
        """Of the lines, in the order they were set."""
        return list(self._lines)

    def points(self, key: str) -> Points | None:
        """What is drawn of a line."""
        return self._curves[key].points if key in self._curves else None

    def set_lines(self, lines: dict[str, Line]) -> None:
        """Draw these figures and no others; those that stay keep their points."""
        for key in [key for key in self._curves if key not in lines]:
            for item in self._curves.pop(key).items:
                self._plot.removeItem(item)
        self._lines = dict(lines)
        for key in lines:
            if key not in self._curves:
                self._curves[key] = _Curve(self._plot)
                self._curves[key].show(key not in self._hidden)
        self._restyle()
        self._describe()

    def draw(self, key: str, points: Points) -> None:
        """Give a line its points; one that is not shown here is left out."""
        if key in self._curves:
            self._curves[key].draw(points)
            self._describe()

    def hide_line(self, key: str, hidden: bool) -> None:
        """Take a line away, or bring it back."""
        (self._hidden.add if hidden else self._hidden.discard)(key)
        if key in self._curves:
            self._curves[key].show(not hidden)

    def set_marks(self, best: float | None, segments: Sequence[float]) -> None:
        """Mark the epoch of the best model, and where the run was resumed."""
        self._best.setVisible(best is not None)
        if best is not None:
            self._best.setValue(best)
        while len(self._segments) < len(segments):
            line = pg.InfiniteLine(angle=90)
            self._segments.append(line)
            self._plot.addItem(line, ignoreBounds=True)
        for number, line in enumerate(self._segments):
            line.setVisible(number < len(segments))
            if number < len(segments):
                line.setValue(segments[number])
        self._restyle_marks()

    def set_log(self, on: bool) -> None:
        """Logarithmic values; what is not above zero is a gap then."""
        self._plot.setLogMode(y=on)

    def repaint_now(self) -> None:
        """Paint without waiting for the event loop: for measuring."""
        self._view.viewport().repaint()

    def show_all(self) -> None:
        """Undo zooming and moving."""
        self._plot.enableAutoRange()

    def changeEvent(self, event: QEvent) -> None:
        """Take colours anew when the theme changes."""
        if event.type() in RESTYLING:
            self._restyle()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell, for more room shows more points."""
        super().resizeEvent(event)
        self.resized.emit()

    def _restyle(self) -> None:
        colours = ink(self)
        self._view.setBackground(colours.base)
        for name in ("left", "bottom"):
            axis = self._plot.getAxis(name)
            axis.setPen(QPen(colours.grid, 0))
            axis.setTextPen(colours.muted)
            axis.setTickFont(self.font())
            axis.label.setFont(self.font())
        for key, line in self._lines.items():
            self._curves[key].restyle(line, colours.base, colours.text)
        self._restyle_marks()

    def _restyle_marks(self) -> None:
        colours = ink(self)
        best = QPen(colours.muted, 0, Qt.PenStyle.DashLine)
        self._best.setPen(best)
        for line in self._segments:
            line.setPen(QPen(colours.grid, 0, Qt.PenStyle.DotLine))

    def _describe(self) -> None:
        told = [
            f"{line.words} {points.last:.4g}"
            for key, line in self._lines.items()
            if (points := self.points(key)) is not None and points.last is not None
        ]
        self.setAccessibleDescription(", ".join(told) or self._nothing.text())
        self._nothing.setVisible(not told)
        self._view.setVisible(bool(told))
