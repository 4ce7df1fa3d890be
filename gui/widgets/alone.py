"""Shows one widget by itself: `python -m gui.widgets.NAME [--dark] [--scale 2] [--png FILE]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, SignalInstance
from PySide6.QtWidgets import QApplication, QWidget

from gui.theme import Theme


def show_alone(
    make: Callable[[], QWidget],
    size: tuple[int, int] = (900, 420),
    wait: int = 400,
    ready: Callable[[Any], SignalInstance] | None = None,
) -> None:
    """Open the widget that `make` returns; with --png, write its picture after `wait` ms and leave.

    ready: the widget's signal that the wait begins with.
    """
    options = _options()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(application, QApplication):
        raise TypeError("another kind of Qt application is running")
    Theme(application).choose("dark" if options.dark else "light")
    font = application.font()
    font.setPointSizeF(font.pointSizeF() * options.scale)
    application.setFont(font)
    widget = make()
    widget.resize(*(options.size or size))
    widget.show()
    photo = QTimer(widget, singleShot=True, interval=wait)
    photo.timeout.connect(lambda: (widget.grab().save(str(options.png)), application.quit()))
    if options.png and ready is None:
        photo.start()
    elif options.png and ready is not None:
        ready(widget).connect(photo.start)
    application.exec()
    widget.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Show one widget with an example.")
    parser.add_argument("file", nargs="?", type=Path, help="clip to open, where the widget takes one")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--scale", type=float, default=1.0, help="font scale")
    parser.add_argument("--size", type=int, nargs=2, help="width and height in pixels")
    parser.add_argument("--png", type=Path, help="write a picture and leave")
    return parser.parse_args()
