"""Sound, words and sentiment of a clip over one time axis, with the play head of the video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from core.types import HEADS, Head
from gui.widgets.ink import RESTYLING, ink
from gui.widgets.legend import Legend
from gui.widgets.timeline_items import BarsItem, HeadCurve, TimeAxis, TimeBox, WordsItem

_SHORTEST = 0.2
"""Seconds; zooming in ends here."""
_BELOW, _LEAST_CURVES = 2.2, 4.4
"""Lines of the font: the times under the curves with the gap above; curves low but still to be read."""


class Timeline(QWidget):
    """A click or drag seeks, Shift+drag selects a loop, the wheel zooms, a double click shows all."""

    seek_requested = Signal(float)
    """Seconds that the user pointed at."""
    loop_requested = Signal(object)
    """(start, end) in seconds, or None to loop no more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._duration = 0.0
        self._position = 0.0
        self._scale = (-3.0, 3.0)
        self._loop: tuple[float, float] | None = None
        self._view = pg.GraphicsLayoutWidget()
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.ci.layout.setSpacing(0)
        self._view.ci.layout.setContentsMargins(2, 2, 8, 2)
        self._plots = [self._add_plot(row) for row in range(3)]
        self._words = WordsItem()
        self._speech = BarsItem()
        self._wave = pg.PlotDataItem(connect="all")
        self._curves = {head: HeadCurve(head, self._plots[2]) for head in HEADS}
        self._fill_plots()
        self.legend = Legend()
        self._estimated = QLabel(self.tr("times estimated"), objectName="muted")
        self._estimated.setToolTip(
            self.tr("The words were typed; their times are spread over the speech by their letters")
        )
        self._estimated.hide()
        self._message = QLabel(
            self.tr("Open a clip to see it over time"), alignment=Qt.AlignmentFlag.AlignCenter
        )
        self._pages = QStackedWidget()
        self._lay_out()
        self.setAccessibleName(self.tr("Timeline"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._restyle()

    def _lay_out(self) -> None:
        page = QWidget()
        inner = QVBoxLayout(page)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        above = QHBoxLayout()
        above.setContentsMargins(6, 0, 0, 0)
        above.addWidget(self._estimated)
        above.addWidget(self.legend, 1)
        inner.addLayout(above)
        inner.addWidget(self._view, 1)
        self._pages.addWidget(self._message)
        self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._pages)
        self.legend.toggled.connect(self._show_head)

    def _add_plot(self, row: int) -> pg.PlotItem:
        box = TimeBox()
        axes = {"bottom": TimeAxis("bottom"), "left": pg.AxisItem("left")}
        plot = self._view.addPlot(row=row, col=0, viewBox=box, axisItems=axes)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.getAxis("left").setStyle(tickLength=-3, autoExpandTextSpace=False)
        if row < 2:
            plot.hideAxis("bottom")
        if row:
            plot.setXLink(self._plots_so_far)
        else:
            self._plots_so_far = plot
        box.pointed.connect(self.seek_requested)
        box.selected.connect(self._select)
        box.zoomed.connect(self.zoom)
        box.reset.connect(self.show_all)
        return plot

    def _fill_plots(self) -> None:
        words, sound, curves = self._plots
        words.addItem(self._words)
        words.setYRange(0, 1, padding=0)
        words.getAxis("left").setTicks([[(0.5, self.tr("words"))]])
        sound.addItem(self._wave)
        sound.addItem(self._speech)
        sound.setYRange(-1.35, 1.05, padding=0)
        sound.getAxis("left").setTicks([[(0.0, self.tr("sound")), (-1.2, self.tr("speech"))]])
        self._wave.setDownsampling(auto=True, method="peak")
        self._wave.setClipToView(True)
        self._zero = pg.InfiniteLine(0, angle=0)
        curves.addItem(self._zero, ignoreBounds=True)
        self._heads = [pg.InfiniteLine(0, angle=90) for _ in self._plots]
        self._regions = [pg.LinearRegionItem((0, 0), movable=False) for _ in self._plots]
        for plot, line, region in zip(self._plots, self._heads, self._regions, strict=True):
            plot.addItem(region, ignoreBounds=True)
            plot.addItem(line, ignoreBounds=True)
            line.setZValue(10)
            region.setZValue(-10)
            region.hide()

    def set_duration(self, seconds: float) -> None:
        """Length of the clip in seconds; 0 empties the timeline."""
        self._duration = max(0.0, float(seconds))
        self._pages.setCurrentIndex(1 if self._duration > 0 else 0)
        if self._duration <= 0:
            self._clear()
            return
        for plot in self._plots:
            plot.getViewBox().setLimits(
                xMin=0,
                xMax=self._duration,
                minXRange=min(_SHORTEST, self._duration),
                maxXRange=self._duration,
            )
        self._words.set_extent(self._duration)
        self.show_all()

    def set_message(self, message: str) -> None:
        """What stands here while there is no length: why there is no course over time."""
        self._message.setText(message)

    def set_waveform(self, peaks: Sequence[Any] | np.ndarray | None) -> None:
        """Peaks spread evenly over the clip, in [-1, 1]: (N, 2) smallest and largest, or (N,) largest."""
        array = np.asarray(peaks if peaks is not None else [], dtype=float)
        if not array.size:
            self._wave.setData([], [])
            return
        if array.ndim == 1:
            array = np.stack([-np.abs(array), np.abs(array)], 1)
        loudest = float(np.nanmax(np.abs(array))) or 1.0
        at = (np.arange(len(array)) + 0.5) * self._duration / len(array)
        self._wave.setData(np.repeat(at, 2), array.ravel() / loudest)

    def set_speech(self, segments: Sequence[Sequence[float]] | None) -> None:
        """Stretches of voice, (start, end) in seconds."""
        self._speech.set_bars([(float(s[0]), float(s[1])) for s in segments or ()])

    def set_words(self, words: Sequence[Mapping[str, Any]] | None) -> None:
        """Words with "text", "start" and "end"; an ellipsis stands for those that do not fit.

        Words whose "probability" is None were typed: their times are said to be estimated.
        """
        self._estimated.setVisible(any(w.get("probability", 1.0) is None for w in words or ()))
        self._words.set_words(
            [(str(w["text"]).strip(), float(w["start"]), float(w["end"])) for w in words or ()]
        )

    def set_curve(self, curve: Mapping[str, Any] | None, scale: Sequence[float]) -> None:
        """{"time", "multimodal", "text", "audio", "visual"} on the scale (low, high); None is a gap."""
        low, high = float(scale[0]), float(scale[1])
        time = np.asarray(curve["time"] if curve else [], dtype=float)
        room = (high - low) * 0.05
        self._plots[2].setYRange(low - room, high + room, padding=0)
        self._scale = (low, high)
        self._share_height()
        for head in HEADS:
            values = curve.get(head) if curve else None
            self._curves[head].set_values(
                time, np.array(values if values else [np.nan] * len(time), dtype=float)
            )

    def set_position(self, seconds: float) -> None:
        """Move the play head; while zoomed in the view follows it in pages."""
        self._position = float(seconds)
        for line in self._heads:
            line.setValue(self._position)
        first, last = self.visible_range()
        if self._duration and last - first < self._duration * 0.999 and not first <= self._position <= last:
            self._show(self._position, self._position + last - first)

    def set_loop(self, loop: Sequence[float] | None) -> None:
        """Shade (start, end) in seconds, or nothing."""
        self._loop = (float(loop[0]), float(loop[1])) if loop is not None else None
        for region in self._regions:
            region.setVisible(self._loop is not None)
            if self._loop is not None:
                region.setRegion(self._loop)

    def visible_range(self) -> tuple[float, float]:
        """First and last second in view."""
        first, last = self._plots[0].getViewBox().viewRange()[0]
        return float(first), float(last)

    def show_all(self) -> None:
        """Show the whole clip."""
        self._show(0.0, self._duration)

    def zoom(self, factor: float, centre: float | None = None) -> None:
        """Show `factor` times as many seconds, keeping `centre` (default: the play head) where it is."""
        first, last = self.visible_range()
        centre = self._position if centre is None else centre
        centre = min(max(centre, first), last)
        span = min(max((last - first) * factor, min(_SHORTEST, self._duration)), self._duration)
        share = (centre - first) / ((last - first) or 1.0)
        start = min(max(centre - share * span, 0.0), self._duration - span)
        self._show(start, start + span)

    def minimumSizeHint(self) -> QSize:
        """Room for every lane, the curves and their ticks among them, at the present font."""
        line = QFontMetricsF(self.font()).height()
        height = self.legend.sizeHint().height() + 8 + line * (1.7 + 2 + _BELOW + _LEAST_CURVES)
        return QSize(super().minimumSizeHint().width(), int(height))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the height among the lanes again."""
        super().resizeEvent(event)
        self._share_height()

    def _share_height(self) -> None:
        """A line of words, a modest strip of sound, the rest for the curves, with as many ticks as fit."""
        line = QFontMetricsF(self.font()).height()
        height = self.height() - self.legend.sizeHint().height() - 8
        words, sound = line * 1.7, min(max(height * 0.24, line * 2), line * 5)
        layout = self._view.ci.layout
        layout.setRowSpacing(1, line * 0.5)
        for row, share in enumerate((words, sound)):
            layout.setRowFixedHeight(row, share)
        curves = height - words - sound - line * _BELOW
        self._plots[2].getAxis("left").setTicks(
            [_scale_ticks(*self._scale, most=max(3, int(curves / line / 1.1)))]
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Plus and minus zoom, 0 shows all, Home and End seek, Esc ends the loop."""
        actions = {
            Qt.Key.Key_Plus: lambda: self.zoom(0.5),
            Qt.Key.Key_Minus: lambda: self.zoom(2.0),
            Qt.Key.Key_0: self.show_all,
            Qt.Key.Key_Home: lambda: self.seek_requested.emit(0.0),
            Qt.Key.Key_End: lambda: self.seek_requested.emit(self._duration),
        }
        action = actions.get(Qt.Key(event.key()))
        if action is not None:
            action()
        elif event.key() == Qt.Key.Key_Escape and self._loop is not None:
            self.loop_requested.emit(None)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Colours and sizes follow theme and font."""
        if event.type() in RESTYLING:
            self._restyle()
        super().changeEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys go."""
        self._frame(True)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keys go elsewhere."""
        self._frame(False)
        super().focusOutEvent(event)

    def _frame(self, focused: bool) -> None:
        for plot in self._plots:
            plot.getViewBox().setBorder(pg.mkPen(ink(self).accent, width=2) if focused else None)

    def _show(self, first: float, last: float) -> None:
        if last > first:
            self._plots[0].setXRange(first, last, padding=0)

    def _show_head(self, head: Head, shown: bool) -> None:
        self._curves[head].set_visible(shown)

    def _select(self, first: float, last: float) -> None:
        start, end = sorted(min(max(s, 0.0), self._duration) for s in (first, last))
        self.loop_requested.emit((start, end) if end - start > 0.02 else None)

    def _clear(self) -> None:
        self.set_waveform(None)
        self.set_speech(None)
        self.set_words(None)
        self.set_curve(None, (-3, 3))
        self.set_loop(None)

    def _restyle(self) -> None:
        """Give every item the palette's colours and the font's sizes."""
        colours = ink(self)
        metrics = QFontMetricsF(self.font())
        line = metrics.height()
        self._view.setBackground(colours.base)
        wide = max(
            metrics.horizontalAdvance(t)
            for t in (self.tr("words"), self.tr("sound"), self.tr("speech"), "\N{MINUS SIGN}0.5")
        )
        for plot in self._plots:
            left = plot.getAxis("left")
            left.setWidth(int(wide + line * 0.9))
            for axis in (left, plot.getAxis("bottom")):
                axis.setPen(pg.mkPen(colours.grid))
                axis.setTextPen(pg.mkPen(colours.muted))
                axis.setTickFont(self.font())
        self._plots[2].getAxis("bottom").setHeight(int(line * 1.7))
        self._share_height()
        self._wave.setPen(pg.mkPen(colours.muted, width=1))
        self._speech.set_colour(colours.muted)
        self._words.set_style(self.font(), colours.text, colours.grid)
        self._zero.setPen(pg.mkPen(colours.muted, width=1))
        for head_line in self._heads:
            head_line.setPen(pg.mkPen(colours.text, width=1))
        shade = QColor(colours.accent)
        shade.setAlpha(50)
        for region in self._regions:
            region.setBrush(pg.mkBrush(shade))
            for edge in region.lines:
                edge.setPen(pg.mkPen(colours.accent, width=1))


def _scale_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Round values of the scale, at most `most`; with little room the ends and zero."""
    steps = [s for s in (0.5, 1.0, high) if s <= high and (high - low) / s < most] or [high]
    step = steps[0] if high - low <= 3 else next((s for s in steps if s >= 1), high)
    values = [step * k for k in range(round(low / step), round(high / step) + 1)]
    return [(v, f"{v:+g}".replace("-", "\N{MINUS SIGN}") if v else "0") for v in values]


if __name__ == "__main__":
    from gui.widgets import example
    from gui.widgets.alone import show_alone

    def _make() -> QWidget:
        view = Timeline()
        view.set_duration(example.DURATION)
        view.set_waveform(example.peaks())
        view.set_speech(example.speech())
        view.set_words(example.transcript()["words"])
        view.set_curve(example.curve(), example.SCALE)
        view.set_loop((7.0, 8.5))
        view.set_position(3.2)
        return view

    show_alone(_make, (900, 360))
