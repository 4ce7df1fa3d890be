"""Shows one widget by itself: `python -m gui.widgets.NAME [--dark] [--scale 2] [--png FILE]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget


def show_alone(make: Callable[[], QWidget], size: tuple[int, int] = (900, 420), wait: int = 400) -> None:
    """Open the widget that `make` returns; with --png, write its picture after `wait` ms and leave."""
    options = _options()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(application, QApplication):
        raise TypeError("another kind of Qt application is running")
    application.setStyle("Fusion")
    application.setPalette(example_palette(options.dark))
    font = application.font()
    font.setPointSizeF(font.pointSizeF() * options.scale)
    application.setFont(font)
    widget = make()
    widget.resize(*(options.size or size))
    widget.show()
    if options.png:
        QTimer.singleShot(wait, lambda: (widget.grab().save(str(options.png)), application.quit()))
    application.exec()
    widget.close()


def example_palette(dark: bool) -> QPalette:
    """A plain light or dark palette, for looking at widgets without the window around them."""
    if not dark:
        return QPalette(QColor("#EFEFEF"))
    palette = QPalette(QColor("#2B2B2B"), QColor("#232323"))
    palette.setColor(QPalette.ColorRole.Base, QColor("#1C1C1C"))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(role, QColor("#E8E8E8"))
    palette.setColor(QPalette.ColorRole.Highlight, QColor("#3D8BD9"))
    return palette


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Show one widget with an example.")
    parser.add_argument("file", nargs="?", type=Path, help="clip to open, where the widget takes one")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--scale", type=float, default=1.0, help="font scale")
    parser.add_argument("--size", type=int, nargs=2, help="width and height in pixels")
    parser.add_argument("--png", type=Path, help="write a picture and leave")
    return parser.parse_args()
