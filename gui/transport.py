"""The row under the timeline: play, step, speed, loop, sound, and where the clip is."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from gui import icons
from gui.player import Player
from gui.widgets.sound_device import output_device, sound_system

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
        self._mute: QAction | None = None
        self._audible, self._playing = sound_system(), False
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self._speed)
        self._row.addStretch(1)
        self._row.addWidget(self._time)
        player.changed.connect(self._draw)
        player.changed.connect(self._listen)
        player.moved.connect(self._draw)
        self._draw()

    def add_buttons(self, actions: dict[str, QAction]) -> None:
        """Put the buttons of `BUTTONS` in front; a click leaves the keyboard focus where it is."""
        for place, name in enumerate(BUTTONS):
            if not name:
                continue
            button = QToolButton()
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            # A button takes its tip from its action again whenever that changes.
            actions[name].setToolTip(_with_key(actions[name].text(), actions[name]))
            button.setDefaultAction(actions[name])
            button.setAccessibleName(actions[name].text())
            self._buttons[name] = button
            self._row.insertWidget(place, button)

        self._mute = actions["mute"]
        self._draw_sound()

    @Slot()
    def _listen(self) -> None:
        """Look for a sound device whenever playing starts: one may have been plugged in, or out."""
        if self._player.playing and not self._playing:
            self._audible = output_device() is not None
        self._playing = self._player.playing
        self._draw_sound()

    def _draw_sound(self) -> None:
        if self._mute is None:
            return
        name = self._mute.text()
        silent = "" if self._audible else self.tr("No sound device was found")
        icon = "sound" if self._audible and not self._player.muted else "muted"
        if self._mute.property("icon_name") != icon:
            icons.bind(self._mute, icon)
        self._mute.setToolTip(silent or _with_key(name, self._mute))
        self._buttons["mute"].setAccessibleName(f"{name} ({silent})" if silent else name)

    @Slot()
    def _draw(self) -> None:
        self._speed.setText(f"{self._player.speed:g}×")  # noqa: RUF001 - a true times sign
        self._time.setText(f"{clock(self._player.position)} / {clock(self._player.duration)}")


def _with_key(words: str, action: QAction) -> str:
    return f"{words} ({action.shortcut().toString()})"


def clock(seconds: float) -> str:
    """Seconds as minutes, seconds and thousandths."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    return QCoreApplication.translate("Transport", "{minutes:02d}:{seconds:06.3f}").format(
        minutes=int(minutes), seconds=rest
    )
