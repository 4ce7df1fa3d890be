"""Colours that the plots take from the palette, so that light and dark follow the system at run time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QWidget

NEGATIVE = QColor("#D55E00")
POSITIVE = QColor("#0072B2")
"""Ends of the one diverging map (Okabe-Ito vermillion and blue: apart for every kind of colour blindness)."""

RESTYLING = frozenset({QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange})
"""Events after which a plot takes its colours and sizes anew."""


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of one palette: what is drawn on, written with, and held back."""

    base: QColor
    text: QColor
    muted: QColor
    grid: QColor
    accent: QColor
    on_accent: QColor
    dark: bool


def ink(widget: QWidget) -> Ink:
    """The colours to draw `widget` with: `muted` keeps 4.5:1 on the base, `grid` is for lines only."""
    palette = widget.palette()
    base = palette.color(QPalette.ColorRole.Base)
    text = palette.color(QPalette.ColorRole.Text)
    return Ink(
        base=base,
        text=text,
        muted=_readable(mix(text, base, 0.38), base, text),
        grid=mix(text, base, 0.80),
        accent=palette.color(QPalette.ColorRole.Highlight),
        on_accent=palette.color(QPalette.ColorRole.HighlightedText),
        dark=base.lightnessF() < 0.5,
    )


def mix(one: QColor, other: QColor, share: float) -> QColor:
    """`one` with `share` (0 to 1) of `other` in it."""
    pairs = zip(_rgb(one), _rgb(other), strict=True)
    return QColor.fromRgbF(*(a + (b - a) * share for a, b in pairs))


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def diverging(dark: bool, steps: int = 256) -> np.ndarray:
    """(steps, 3) uint8: negative end, neutral in the exact middle, positive end.

    The neutral colour is near the background, so that "nothing" recedes in light and in dark alike.
    """
    neutral = QColor("#2A2A2A") if dark else QColor("#F4F4F4")
    ends = (NEGATIVE.lighter(125), POSITIVE.lighter(150)) if dark else (NEGATIVE, POSITIVE)
    stops = 255 * np.array([_rgb(c) for c in (ends[0], neutral, ends[1])])
    at = np.linspace(-1.0, 1.0, steps)
    return np.stack([np.interp(at, (-1, 0, 1), stops[:, i]) for i in range(3)], 1).round().astype(np.uint8)


def _rgb(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()


def _luminance(colour: QColor) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _readable(colour: QColor, base: QColor, text: QColor) -> QColor:
    """`colour` moved towards `text` until it reads well on `base`."""
    for share in (0.0, 0.2, 0.4, 0.6, 0.8):
        candidate = mix(colour, text, share)
        if contrast(candidate, base) >= 4.6:
            return candidate
    return text
