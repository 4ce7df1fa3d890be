"""How loud the microphone is, in decibels below full scale, with a held peak; or that it gives nothing."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.ink import RESTYLING, ink

FLOOR = -60.0
"""dBFS at the left end."""
_HOLD = 1.5
"""Seconds for which the peak stays."""
_LOUD, _TOO_LOUD = -12.0, -3.0
_COLOURS = ("#009E73", "#E69F00", "#D55E00")


class LevelMeter(QWidget):
    """`set_level` some times a second; without a signal it says so instead of standing still."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rms = self._peak = FLOOR
        self._held = 0.0
        self._text = ""
        self.setAccessibleName(self.tr("Microphone level"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clear()

    @property
    def text(self) -> str:
        """What it says beside the bar."""
        return self._text

    def set_level(self, level: Mapping[str, Any]) -> None:
        """{"rms", "peak": dBFS or None, "clipped": samples, "signal": bool}."""
        moment = monotonic()
        self._rms = FLOOR if level["rms"] is None else max(float(level["rms"]), FLOOR)
        peak = FLOOR if level["peak"] is None else max(float(level["peak"]), FLOOR)
        if peak >= self._peak or moment - self._held > _HOLD:
            self._peak, self._held = peak, moment
        if not level["signal"]:
            self.clear(self.tr("no signal"))
        elif level["clipped"]:
            self._say(self.tr("clipping"))
        else:
            self._say(f"{self._rms:.0f} dBFS".replace("-", "\N{MINUS SIGN}"))

    def clear(self, words: str = "") -> None:
        """Show nothing: there is no microphone, or no signal."""
        self._rms = self._peak = FLOOR
        self._say(words or self.tr("no microphone"))

    def sizeHint(self) -> QSize:
        """A bar a line high."""
        return QSize(240, int(QFontMetricsF(self.font()).height() * 1.4))

    def minimumSizeHint(self) -> QSize:
        """Room for the words and a short bar."""
        return QSize(int(self._words_width() + 60), self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        """Take colours anew when the theme changes."""
        if event.type() in RESTYLING:
            self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bar, held peak, words."""
        painter = QPainter(self)
        colours = ink(self)
        width = self.width() - self._words_width()
        bar = QRectF(0, self.height() * 0.25, max(width, 1.0), self.height() * 0.5)
        painter.fillRect(bar, colours.grid)
        for low, high, colour in zip(
            (FLOOR, _LOUD, _TOO_LOUD), (_LOUD, _TOO_LOUD, 0.0), _COLOURS, strict=True
        ):
            if self._rms > low:
                left, right = self._x(bar, low), self._x(bar, min(self._rms, high))
                painter.fillRect(QRectF(left, bar.top(), right - left, bar.height()), QColor(colour))
        if self._peak > FLOOR:
            at = self._x(bar, self._peak)
            painter.fillRect(QRectF(at - 1, bar.top() - 2, 2, bar.height() + 4), colours.text)
        painter.setPen(colours.text)
        room = QRectF(width, 0, self._words_width(), self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._text)

    def _say(self, words: str) -> None:
        if words != self._text:
            self._text = words
            self.setAccessibleDescription(words)
        self.update()

    def _x(self, bar: QRectF, decibels: float) -> float:
        return bar.left() + bar.width() * (decibels - FLOOR) / -FLOOR

    def _words_width(self) -> float:
        metrics = QFontMetricsF(self.font())
        return max(metrics.horizontalAdvance(t) for t in ("no microphone", "\N{MINUS SIGN}60 dBFS")) + 12


if __name__ == "__main__":
    from gui.widgets.alone import show_alone

    def _make() -> QWidget:
        meter = LevelMeter()
        meter.set_level({"rms": -18.0, "peak": -6.0, "clipped": 0, "signal": True})
        return meter

    show_alone(_make, (320, 40))
