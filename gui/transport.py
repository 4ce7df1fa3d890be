"""The row under the timeline: play, step, speed, loop, sound, and where the clip is."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from gui.player import Player

BUTTONS = ("frame-back", "play", "frame-forward", "slower", "", "faster", "loop", "mute")
"""Ids of actions; "" is where the speed stands."""


class Transport(QWidget):
    """Buttons made from the actions of these ids, the speed, and position of duration."""

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self._speed, self._time = QLabel(), QLabel()
        self._speed.setAccessibleName(self.tr("Speed"))
        self._time.setAccessibleName(self.tr("Position"))
        self._buttons: dict[str, QToolButton] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self._speed)
        self._row.addStretch(1)
        self._row.addWidget(self._time)
        player.changed.connect(self._draw)
        player.moved.connect(self._draw)
        self._draw()

    def add_buttons(self, actions: dict[str, QAction]) -> None:
        """Put the buttons of `BUTTONS` in front; a click leaves the keyboard focus where it is."""
        for place, name in enumerate(BUTTONS):
            if not name:
                continue
            button = QToolButton()
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setDefaultAction(actions[name])
            button.setAccessibleName(actions[name].text())
            button.setToolTip(f"{actions[name].text()} ({actions[name].shortcut().toString()})")
            self._buttons[name] = button
            self._row.insertWidget(place, button)

    @Slot()
    def _draw(self) -> None:
        self._speed.setText(f"{self._player.speed:g}×")  # noqa: RUF001 - a true times sign
        self._time.setText(f"{clock(self._player.position)} / {clock(self._player.duration)}")


def clock(seconds: float) -> str:
    """Seconds as minutes, seconds and thousandths."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    return QCoreApplication.translate("Transport", "{minutes:02d}:{seconds:06.3f}").format(
        minutes=int(minutes), seconds=rest
    )
