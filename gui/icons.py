"""Line icons that take the text colour of the theme."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from core import paths

_SIZES = (20, 40)


def icon(name: str) -> QIcon:
    """The icon `resources/icons/<name>.svg` in today's text colour, paler where disabled."""
    svg = (paths.resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    palette = QApplication.palette()
    muted = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    made = QIcon()
    for mode, colour in (
        (QIcon.Mode.Normal, palette.color(QPalette.ColorRole.ButtonText)),
        (QIcon.Mode.Disabled, muted),
    ):
        for size in _SIZES:
            made.addPixmap(_drawn(svg, colour, size), mode)
    return made


def bind(target: QAction | QAbstractButton, name: str) -> None:
    """Give `target` an icon and remember which, so that `refresh` can recolour it."""
    target.setProperty("icon_name", name)
    target.setIcon(icon(name))


def refresh(root: QWidget) -> None:
    """Recolour every icon bound under `root` after a change of theme."""
    for kind in (QAction, QAbstractButton):
        for target in root.findChildren(kind):
            if name := target.property("icon_name"):
                target.setIcon(icon(name))


def _drawn(svg: str, colour: QColor, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.replace("currentColor", colour.name()).encode())).render(
        painter, QRectF(0, 0, size, size)
    )
    painter.end()
    return pixmap
