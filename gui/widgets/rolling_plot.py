"""Curves of the last minute: sentiment of each head, and how far voice and face lie apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.types import HEADS, Head
from gui.theme import HEAD_COLOURS
from gui.widgets.ink import RESTYLING, ink, mix
from gui.widgets.markers import HEAD_DASHES

SECONDS = 60.0
_REDRAW_MS = 33
_BAND = 0.82
"""Share of the background in the band."""


class _Rolling(QWidget):
    """A plot whose right end is now; redrawn at most thirty times a second, however fast points come."""

    drawn = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.now = 0.0
        self.view = pg.PlotWidget()
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot: pg.PlotItem = self.view.getPlotItem()
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(False, False)
        self.plot.layout.setContentsMargins(0, 7, 4, 0)
        self.plot.getAxis("bottom").setStyle(tickLength=-3)
        self.plot.getAxis("left").setStyle(tickLength=-3, autoExpandTextSpace=True)
        self.plot.setXRange(-SECONDS, 0.0, padding=0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._soon = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._soon.timeout.connect(self._draw)

    @property
    def drawing(self) -> bool:
        """Whether something was told that is not drawn yet."""
        return self._soon.isActive()

    def changeEvent(self, event: QEvent) -> None:
        """Take colours anew when the theme changes."""
        if event.type() in RESTYLING:
            self.restyle()
        super().changeEvent(event)

    def redraw_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def restyle(self) -> None:
        """Background and axes."""
        colours = ink(self)
        self.view.setBackground(colours.base)
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(QPen(colours.grid, 0))
            axis.setTextPen(colours.muted)
            axis.setTickFont(self.font())

    @Slot()
    def _draw(self) -> None:
        """Axes alone; the plots draw their curves."""


class RollingPlot(_Rolling):
    """The four curves. A head that is missing has a gap; utterances are shaded, with their number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: dict[float, Mapping[Head, float | None]] = {}
        self._spans: dict[int, tuple[float, float]] = {}
        self._width = 0
        self._regions: dict[int, tuple[pg.LinearRegionItem, pg.TextItem]] = {}
        self._zero = pg.InfiniteLine(0.0, angle=0)
        self.plot.addItem(self._zero, ignoreBounds=True)
        self._curves: dict[Head, pg.PlotDataItem] = {}
        for head in reversed(HEADS):
            self._curves[head] = pg.PlotDataItem(connect="finite")
            self.plot.addItem(self._curves[head])
        self.set_scale((-3.0, 3.0))
        self.setAccessibleName(self.tr("Sentiment over the last minute"))
        self.restyle()

    def set_scale(self, scale: Sequence[float]) -> None:
        """(low, high) of the model."""
        self.plot.setYRange(float(scale[0]), float(scale[1]), padding=0.04)

    def add(self, curve: Mapping[str, Sequence[Any]]) -> None:
        """{"time": […], head: [value or None, …]}: points at times that are known take their place."""
        for number, time in enumerate(curve["time"]):
            self._points[float(time)] = {head: curve[head][number] for head in HEADS}
            self.now = max(self.now, float(time))
        old = self.now - SECONDS - 1
        self._points = {time: values for time, values in self._points.items() if time > old}
        self.redraw_soon()

    def add_utterance(self, number: int, start: float, end: float) -> None:
        """Shade one that has ended."""
        self._spans[number] = (start, end)
        self.redraw_soon()

    def latest(self, head: Head) -> float | None:
        """The newest value of a head; None if it is missing now."""
        return self._points[max(self._points)][head] if self._points else None

    def show_head(self, head: Head, shown: bool) -> None:
        """Hide or show a curve."""
        self._curves[head].setVisible(shown)

    def set_width(self, pixels: int) -> None:
        """Of the curves; 0: as thin as can be, which is drawn quickest."""
        self._width = pixels
        self.restyle()

    def clear(self) -> None:
        """Begin anew."""
        self.now = 0.0
        self._points.clear()
        self._spans.clear()
        self.redraw_soon()

    def restyle(self) -> None:
        """Colours of the theme; the heads keep theirs."""
        super().restyle()
        colours = ink(self)
        self._zero.setPen(QPen(colours.grid, 0))
        for head, curve in self._curves.items():
            pen = QPen(QColor(HEAD_COLOURS[head]), self._width)
            pen.setCosmetic(True)
            pen.setStyle(HEAD_DASHES[head])
            curve.setPen(pen)
        for region, label in self._regions.values():
            region.setBrush(mix(colours.text, colours.base, 0.93))
            label.setColor(colours.muted)

    @Slot()
    def _draw(self) -> None:
        times = np.array(sorted(self._points))
        for head, curve in self._curves.items():
            values = [self._points[time][head] for time in times]
            curve.setData(times - self.now, np.array([np.nan if v is None else v for v in values], float))
        self._draw_spans()
        self._describe()
        self.drawn.emit()

    def _draw_spans(self) -> None:
        self._spans = {n: span for n, span in self._spans.items() if span[1] > self.now - SECONDS}
        for number in [number for number in self._regions if number not in self._spans]:
            for item in self._regions.pop(number):
                self.plot.removeItem(item)
        top = self.plot.viewRange()[1][1]
        for number, (start, end) in self._spans.items():
            if number not in self._regions:
                self._regions[number] = self._region(number)
            region, label = self._regions[number]
            region.setRegion((start - self.now, end - self.now))
            label.setPos(max(start - self.now, -SECONDS), top)

    def _region(self, number: int) -> tuple[pg.LinearRegionItem, pg.TextItem]:
        colours = ink(self)
        none = QPen(Qt.PenStyle.NoPen)
        region = pg.LinearRegionItem(movable=False, brush=mix(colours.text, colours.base, 0.93), pen=none)
        region.setZValue(-10)
        label = pg.TextItem(str(number), color=colours.muted)
        self.plot.addItem(region, ignoreBounds=True)
        self.plot.addItem(label, ignoreBounds=True)
        return region, label

    def _describe(self) -> None:
        told = [
            f"{head} {value:+.1f}" if (value := self.latest(head)) is not None else f"{head} missing"
            for head in HEADS
        ]
        self.setAccessibleDescription(", ".join(told) if self._points else self.tr("Nothing yet"))


class DistancePlot(_Rolling):
    """How far the patterns of voice and face lie apart, against the band of the training recordings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: dict[float, float] = {}
        self._limits: tuple[float, float] | None = None
        self._band = pg.LinearRegionItem(orientation="horizontal", movable=False)
        self._band.setZValue(-10)
        self._band.hide()
        self._curve = pg.PlotDataItem(connect="finite")
        self.plot.addItem(self._band, ignoreBounds=True)
        self.plot.addItem(self._curve)
        self.plot.getAxis("left").enableAutoSIPrefix(False)
        self.setAccessibleName(self.tr("Distance of voice and face over the last minute"))
        self.restyle()

    def set_band(self, band: Mapping[str, Any] | None) -> None:
        """{"low", "high"} between which most recordings of the reference lie; None without one."""
        self._limits = None if band is None else (float(band["low"]), float(band["high"]))
        self._band.setVisible(self._limits is not None)
        if self._limits is not None:
            self._band.setRegion(self._limits)
        self.redraw_soon()

    def add(self, time: float, distance: float | None) -> None:
        """One more point; None: there is none at this time."""
        self.now = max(self.now, time)
        self._points[time] = np.nan if distance is None else distance
        self._points = {t: d for t, d in self._points.items() if t > self.now - SECONDS - 3}
        self.redraw_soon()

    def clear(self) -> None:
        """Begin anew."""
        self.now = 0.0
        self._points.clear()
        self.redraw_soon()

    def restyle(self) -> None:
        """Colours of the theme."""
        super().restyle()
        colours = ink(self)
        self._curve.setPen(QPen(colours.text, 0))
        self._band.setBrush(mix(colours.text, colours.base, _BAND))
        for line in self._band.lines:
            line.setPen(QPen(Qt.PenStyle.NoPen))

    @Slot()
    def _draw(self) -> None:
        times = np.array(sorted(self._points))
        values = np.array([self._points[time] for time in times], float)
        self._curve.setData(times - self.now, values)
        known = [*values[np.isfinite(values)], *(self._limits or ())]
        self.plot.setYRange(0.0, max(known, default=0.05) * 1.15 or 0.05, padding=0)
        last = values[-1] if len(values) and np.isfinite(values[-1]) else None
        self.setAccessibleDescription(self.tr("None yet") if last is None else f"{last:.3f}")


if __name__ == "__main__":
    from gui.widgets.alone import show_alone

    def _make() -> QWidget:
        made = RollingPlot()
        time = [0.5 * k for k in range(130)]
        waves = {head: [2 * np.sin(t / (5 + n)) for t in time] for n, head in enumerate(HEADS)}
        made.add({"time": time, **waves, "visual": [None if 40 < t < 48 else np.cos(t / 9) for t in time]})
        made.add_utterance(1, 20.0, 28.0)
        made.add_utterance(2, 41.0, 53.0)
        return made

    show_alone(_make, (700, 300))
