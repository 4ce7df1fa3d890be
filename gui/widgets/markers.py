"""The second cue beside a head's colour: its marker and its dash, the same in every plot."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from core.types import Head
from gui.theme import HEAD_COLOURS, HEAD_MARKERS

HEAD_DASHES: dict[Head, Qt.PenStyle] = {
    "multimodal": Qt.PenStyle.SolidLine,
    "text": Qt.PenStyle.DashLine,
    "audio": Qt.PenStyle.DotLine,
    "visual": Qt.PenStyle.DashDotLine,
}

_CORNERS = {
    "s": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "t": ((-1.0, -0.85), (1.0, -0.85), (0.0, 1.0)),
    "d": ((0.0, -1.15), (1.0, 0.0), (0.0, 1.15), (-1.0, 0.0)),
}
"""The pyqtgraph symbols of `gui.theme`, around a centre, in radii."""


def draw_marker(
    painter: QPainter, head: Head, centre: QPointF, radius: float, edge: QColor | None = None
) -> None:
    """Draw the marker of `head` in its colour; an `edge` colour keeps it apart from a line below it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(HEAD_COLOURS[head]))
    painter.setPen(QPen(edge, max(1.0, radius / 4)) if edge else Qt.PenStyle.NoPen)
    corners = _CORNERS.get(HEAD_MARKERS[head])
    if corners is None:
        painter.drawEllipse(QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius))
    else:
        points = [QPointF(centre.x() + x * radius, centre.y() + y * radius) for x, y in corners]
        painter.drawPolygon(QPolygonF(points))
    painter.restore()
