"""Runs in a process of its own on a real X display and prints what it saw there as one JSON object."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

import core.workers
from gui.app import build
from gui.clip_list import ClipState
from gui.main_window import MainWindow

TABS = 60


def lightness(window: MainWindow) -> dict[str, int]:
    """What the screen itself shows in a corner of each part: a stale paint would show here."""
    picture = window.screen().grabWindow(0).toImage()
    parts = {"list": window.review.clips.view, "strip": window.strip, "estimates": window.review.estimates}
    corners = {
        name: part.mapToGlobal(QPoint(part.width() - 6, part.height() - 6)) for name, part in parts.items()
    }
    return {name: picture.pixelColor(corner).lightness() for name, corner in corners.items()}


def names_by_tab(window: MainWindow) -> list[str]:
    """Accessible names of what Tab reaches, in order."""
    names = []
    for _ in range(TABS):
        QTest.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        widget = QApplication.focusWidget()
        names.append("" if widget is None else widget.accessibleName() or getattr(widget, "text", str)())
    return names


def space_on_a_button(window: MainWindow) -> dict[str, bool]:
    """Space while a button has the focus presses the button and plays nothing."""
    button = window.start_card.buttons[-1]
    pressed: list[bool] = []
    button.clicked.disconnect()
    button.clicked.connect(lambda: pressed.append(True))
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)
    result = {"pressed": bool(pressed), "played": window.review.player.playing}
    window.review.clips.view.setFocus()
    QTest.keyClick(window.review.clips.view, Qt.Key.Key_Space)
    return result | {"plays": window.review.player.playing}


def look(window: MainWindow) -> None:
    seen: dict[str, object] = {}
    for theme in ("light", "dark", "light"):
        window.theme.choose(theme)
        QTest.qWait(150)
        seen.setdefault(theme, lightness(window))
    seen["light again"] = lightness(window)
    seen["tabs"] = names_by_tab(window)
    seen["space"] = space_on_a_button(window)
    sys.stdout.write(json.dumps(seen) + "\n")
    window.close()


def main() -> None:
    fake = Path(__file__).with_name("fake_engine.py")
    core.workers.command = lambda *_: [sys.executable, str(fake), "good"]
    application = QApplication(sys.argv)
    application.setQuitOnLastWindowClosed(False)
    window = build(application, (1280, 800))
    window.finished.connect(application.quit)
    begun: list[bool] = []

    def when_done() -> None:
        if window.review.session.current.state is ClipState.DONE and window.review.player.ready and not begun:
            begun.append(True)
            QTimer.singleShot(0, lambda: look(window))

    window.painted.connect(window.complete)
    window.painted.connect(window.open_sample)
    window.review.session.answered.connect(when_done)
    window.review.player.changed.connect(when_done)
    window.show()
    window.activateWindow()
    application.exec()


if __name__ == "__main__":
    main()
