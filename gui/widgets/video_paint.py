"""How the player looks: the frame in its letterbox, or a quiet word where there is no picture."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen
from PySide6.QtWidgets import QWidget

_LETTERBOX = QColor("#101214")
_WORDS = QColor("#C9CED4")
_BARS = (0.25, 0.55, 0.9, 0.45, 1.0, 0.6, 0.8, 0.35, 0.5)
"""Heights of the sign for "sound only"."""


def paint_video(widget: QWidget, image: QImage | None, text: str, sound_only: bool) -> None:
    """Paint `image` into `widget` with its proportions, crisp at any screen scale, or `text` without one."""
    painter = QPainter(widget)
    painter.fillRect(widget.rect(), _LETTERBOX)
    if image is not None:
        ratio = widget.devicePixelRatioF()
        room = QRectF(widget.rect())
        scale = min(room.width() * ratio / image.width(), room.height() * ratio / image.height())
        # One picture element a pixel where the decoder gave the right size already.
        scale = 1.0 if abs(scale - 1) < 0.01 else scale
        wide, high = image.width() * scale / ratio, image.height() * scale / ratio
        left, top = round((room.width() - wide) / 2), round((room.height() - high) / 2)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale != 1.0)
        painter.drawImage(QRectF(left, top, wide, high), image)
    if text:
        _paint_words(painter, widget, text, sound_only)
    if widget.hasFocus():
        painter.setPen(QPen(widget.palette().highlight().color(), 2))
        painter.drawRect(widget.rect().adjusted(1, 1, -1, -1))


def _paint_words(painter: QPainter, widget: QWidget, text: str, sound_only: bool) -> None:
    metrics = QFontMetricsF(widget.font())
    room = QRectF(widget.rect()).adjusted(16, 16, -16, -16)
    centre = room.center()
    if sound_only:
        _paint_bars(painter, QRectF(centre.x() - 36, centre.y() - 48, 72, 44))
        room.setTop(centre.y() + metrics.height() * 0.6)
    painter.setPen(_WORDS)
    place = Qt.AlignmentFlag.AlignHCenter | (
        Qt.AlignmentFlag.AlignTop if sound_only else Qt.AlignmentFlag.AlignVCenter
    )
    painter.drawText(room, place | Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere, text)


def _paint_bars(painter: QPainter, area: QRectF) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    step = area.width() / len(_BARS)
    painter.setPen(QPen(_WORDS, step / 2.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for index, share in enumerate(_BARS):
        x = area.left() + (index + 0.5) * step
        half = share * area.height() / 2
        painter.drawLine(
            QRectF(x, area.center().y() - half, 0, 2 * half).topLeft(),
            QRectF(x, area.center().y() + half, 0, 0).topLeft(),
        )
