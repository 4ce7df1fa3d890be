"""The estimates of one clip, a dot with its interval per head, on the model's own scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.types import HEADS, Head
from gui.theme import HEAD_COLOURS
from gui.widgets.ink import RESTYLING, Ink, diverging, ink
from gui.widgets.markers import draw_marker

REASONS = {"language": "language not covered by this model"}
"""Reasons that come as a code word, said so that they stand alone."""


class SentimentPlot(QWidget):
    """A row a head: name, dot and interval, value in words. What is missing is a grey row with its reason."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._estimates: Mapping[str, Any] | None = None
        self._scale = (-3.0, 3.0)
        self._missing: dict[str, str] = {}
        self.setAccessibleName(self.tr("Estimated sentiment"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        self._describe()

    def set_estimates(
        self,
        estimates: Mapping[str, Any] | None,
        scale: Sequence[float],
        missing: Sequence[Mapping[str, str]] | Mapping[str, str] = (),
    ) -> None:
        """Show `estimates` ({head: {"value", "low", "high"} or None}; None: nothing estimated yet).

        `scale` is (low, high) of the model; `missing` is the list of {"modality", "reason"}, or a dict.
        """
        self._estimates = estimates
        self._scale = (float(scale[0]), float(scale[1]))
        rows = (
            missing.items()
            if isinstance(missing, Mapping)
            else ((m["modality"], m["reason"]) for m in missing)
        )
        self._missing = dict(rows)
        self._describe()
        self.updateGeometry()
        self.update()

    def value_text(self, head: Head) -> str:
        """The row's words: "+1.2  [0.4, 2.0]", the value alone where not calibrated, or why there is none."""
        if self._estimates is None:
            return "\N{EN DASH}"
        estimate = self._estimates.get(head)
        if estimate is None:
            reason = self._missing.get(head, "")
            return REASONS.get(reason, reason) or self.tr("missing")
        value = signed(estimate["value"])
        if not _calibrated(estimate):
            return value
        return f"{value}  [{_plain(estimate['low'])}, {_plain(estimate['high'])}]"

    def sizeHint(self) -> QSize:
        """Room for four rows and the scale below them, at the present font."""
        return QSize(int(44 * self._em()), int(self._row_height() * len(HEADS) + self._axis_height()))

    def minimumSizeHint(self) -> QSize:
        """Smallest size at which nothing is clipped."""
        hint = self.sizeHint()
        room = self._label_width() + self._value_width() + 10 * self._em()
        return QSize(int(room), int(hint.height() * 0.8))

    def changeEvent(self, event: QEvent) -> None:
        """Take colours and sizes anew when theme or font change."""
        if event.type() in RESTYLING:
            self.updateGeometry()
            self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw rows, scale and, with the keyboard focus here, the focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = ink(self)
        painter.fillRect(self.rect(), colours.base)
        plot = self._plot_area()
        self._draw_scale(painter, plot, colours)
        for row, head in enumerate(HEADS):
            self._draw_row(
                painter, plot, head, plot.top() + (row + 0.5) * plot.height() / len(HEADS), colours
            )
        if self.hasFocus():
            painter.setPen(QPen(colours.accent, 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def _draw_row(self, painter: QPainter, plot: QRectF, head: Head, y: float, colours: Ink) -> None:
        estimate = (self._estimates or {}).get(head)
        em = self._em()
        half = self._row_height() / 2
        painter.setPen(colours.text if estimate else colours.muted)
        name = QRectF(1.9 * em, y - half, plot.left() - 1.9 * em, 2 * half)
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, self.tr(head.capitalize()))
        painter.drawText(
            QRectF(plot.right() + em, y - half, self.width() - plot.right() - em, 2 * half),
            Qt.AlignmentFlag.AlignVCenter,
            self.value_text(head),
        )
        draw_marker(painter, head, QPointF(1.0 * em, y), 0.32 * em)
        if not estimate:
            painter.setPen(QPen(colours.grid, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            return
        colour = QColor(HEAD_COLOURS[head])
        if _calibrated(estimate):
            self._draw_interval(painter, plot, estimate, y, colour)
        draw_marker(painter, head, QPointF(self._x(plot, estimate["value"]), y), 0.42 * em, colours.base)

    def _draw_interval(
        self, painter: QPainter, plot: QRectF, estimate: Mapping[str, float], y: float, colour: QColor
    ) -> None:
        low, high = (self._x(plot, estimate[end]) for end in ("low", "high"))
        painter.setPen(QPen(colour, max(2.0, self._em() / 5), Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(low, y), QPointF(high, y))
        for x in (low, high):
            painter.drawLine(QPointF(x, y - self._em() / 3), QPointF(x, y + self._em() / 3))

    def _draw_scale(self, painter: QPainter, plot: QRectF, colours: Ink) -> None:
        low, high = self._scale
        metrics = QFontMetricsF(self.font())
        bar = QRectF(plot.left(), plot.bottom() + 2, plot.width(), max(3.0, self._em() / 4))
        painter.fillRect(bar, _gradient(bar, low, high, colours.dark))
        for value in _ticks(low, high):
            x = self._x(plot, value)
            painter.setPen(QPen(colours.muted if value == 0 else colours.grid, 1))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, bar.bottom() + 3))
            painter.setPen(colours.muted)
            text = signed(value, 2).removesuffix(".0")
            wide = metrics.horizontalAdvance(text)
            painter.drawText(QPointF(x - wide / 2, bar.bottom() + 3 + metrics.ascent()), text)
        below = bar.bottom() + 3 + metrics.height() + metrics.ascent()
        ends = (self.tr("negative"), self.tr("positive"))
        painter.drawText(QPointF(plot.left(), below), ends[0])
        painter.drawText(QPointF(plot.right() - metrics.horizontalAdvance(ends[1]), below), ends[1])

    def _describe(self) -> None:
        """Say the same to those who hear the window."""
        if self._estimates is None:
            self.setAccessibleDescription(self.tr("No estimate yet."))
            return
        rows = ". ".join(f"{head}: {self.value_text(head)}" for head in HEADS)
        low, high = (signed(end) for end in self._scale)
        self.setAccessibleDescription(
            self.tr("{rows}. Scale from {low} to {high}.").format(rows=rows, low=low, high=high)
        )

    def _plot_area(self) -> QRectF:
        left = self._label_width()
        right = self.width() - self._value_width()
        top = 0.3 * self._em()
        return QRectF(left, top, max(1.0, right - left), self.height() - top - self._axis_height())

    def _x(self, plot: QRectF, value: float) -> float:
        """Where `value` lies; what is beyond the scale is drawn at its end."""
        low, high = self._scale
        share = (min(max(value, low), high) - low) / ((high - low) or 1.0)
        return plot.left() + share * plot.width()

    def _em(self) -> float:
        return QFontMetricsF(self.font()).height() * 0.8

    def _row_height(self) -> float:
        return QFontMetricsF(self.font()).height() * 1.7

    def _axis_height(self) -> float:
        return QFontMetricsF(self.font()).height() * 2.2 + 0.6 * self._em()

    def _label_width(self) -> float:
        metrics = QFontMetricsF(self.font())
        return max(metrics.horizontalAdvance(self.tr(h.capitalize())) for h in HEADS) + 3.2 * self._em()

    def _value_width(self) -> float:
        metrics = QFontMetricsF(self.font())
        texts = [self.value_text(head) for head in HEADS] + ["+0.0  [-0.0, +0.0]"]
        return max(metrics.horizontalAdvance(text) for text in texts) + 1.8 * self._em()


def signed(value: float, digits: int = 1) -> str:
    """A number of the scale with its sign, a true minus sign, and none on zero: "+1.2", "0.0"."""
    text = f"{value:+.{digits}f}".rstrip("0") if digits > 1 else f"{value:+.{digits}f}"
    text = text + "0" if text.endswith(".") else text
    return text[1:] if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def _plain(value: float) -> str:
    text = f"{value:.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def _calibrated(estimate: Mapping[str, Any]) -> bool:
    return estimate.get("low") is not None and estimate.get("high") is not None


def _ticks(low: float, high: float) -> list[float]:
    """Whole numbers of a wide scale, halves of a narrow one."""
    step = 1.0 if high - low > 3 else 0.5
    first = round(low / step)
    return [step * k for k in range(first, round(high / step) + 1)]


def _gradient(bar: QRectF, low: float, high: float, dark: bool) -> QLinearGradient:
    """The diverging map with its neutral colour at zero."""
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    limit = max(abs(low), abs(high)) or 1.0
    table = diverging(dark)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = (low + share * (high - low)) / limit
        gradient.setColorAt(share, QColor(*(int(c) for c in table[round((value + 1) / 2 * 255)])))
    return gradient


if __name__ == "__main__":
    from gui.widgets import example
    from gui.widgets.alone import show_alone

    def _make() -> QWidget:
        plot = SentimentPlot()
        plot.set_estimates(example.ESTIMATES, example.SCALE, example.MISSING)
        return plot

    show_alone(_make, (720, 220))
