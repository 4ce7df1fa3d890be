"""What the playback keys do: a thin layer over the video widget, which comes after the first paint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from gui.widgets.video_view import VideoView

SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
SHORTEST_LOOP = 0.02
"""Seconds; less than a frame is no stretch."""


class Player(QObject):
    """Play, step, loop, speed. Loop and speed stay as they are from clip to clip."""

    changed = Signal()
    moved = Signal(float)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: VideoView | None = None
        self._file: Path | None = None
        self.duration = 0.0
        self.position = 0.0
        self.playing = False
        self.looping = False
        self.muted = False
        self.speed = 1.0
        self.held = False  # K is down: J and L go frame by frame
        self.selection: tuple[float, float] | None = None
        """The stretch that is looped, in seconds; None: the whole clip."""
        self._asked: float | None = None  # where it was sent to, while nothing else has moved it

    def attach(self, view: VideoView) -> None:
        """Take the video widget into use; a clip asked for earlier opens in it."""
        self._view = view
        view.position_changed.connect(self._moved)
        view.duration_changed.connect(self._has_duration)
        view.playing_changed.connect(self._plays)
        view.failed.connect(self.failed)
        view.set_speed(self.speed)
        if self._file is not None:
            view.open(self._file)

    def shut_down(self) -> None:
        """End the widget's threads."""
        if self._view is not None:
            self._view.shut_down()

    @property
    def ready(self) -> bool:
        """Whether there is something to play."""
        return self._view is not None and self._file is not None and self.duration > 0

    def open(self, path: Path | None) -> None:
        """Show the first frame of `path` (None: nothing)."""
        self._file, self.duration, self.position = path, 0.0, 0.0
        self.selection = self._asked = None
        if self._view is not None:
            if path is None:
                self._view.close_clip()
            else:
                self._view.open(path)
        self.changed.emit()

    def toggle(self) -> None:
        """Play or pause."""
        if self._view is not None:
            self._view.toggle()

    def shuttle(self, direction: int) -> None:
        """J and L: play that way, twice as fast each time; one frame while K is held."""
        if self.held:
            self.step(direction)
        elif self._view is not None:
            self._view.shuttle(direction)

    def crawl(self, direction: int) -> None:
        """Shift+J and Shift+L: play that way at half speed."""
        if self._view is not None:
            self._view.shuttle(direction, slow=True)

    def step(self, frames: int) -> None:
        """Pause and go `frames` on (negative: back)."""
        self._asked = None
        if self._view is not None:
            self._view.step(frames)

    def jump(self, seconds: float) -> None:
        """Go `seconds` on (negative: back), within the clip; from where it is on its way to, if it is."""
        self.seek(self.heading + seconds)

    @property
    def heading(self) -> float:
        """Seconds: where it was sent to last, or has come to since."""
        return self.position if self._asked is None else self._asked

    @Slot(float)
    def seek(self, seconds: float) -> None:
        """Show the frame at `seconds`."""
        if self._view is not None and self.duration > 0:
            self._asked = min(max(0.0, seconds), self.duration)
            self._view.seek(self._asked)

    def replay(self) -> None:
        """Play from the start of the loop, or of the clip."""
        if self._view is not None:
            self.seek(self.selection[0] if self.selection and self.looping else 0.0)
            self._view.play()

    def change_speed(self, by: int) -> None:
        """One notch faster or slower; 0 is back to normal."""
        here = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self.speed))
        self.speed = 1.0 if by == 0 else SPEEDS[min(max(0, here + by), len(SPEEDS) - 1)]
        if self._view is not None:
            self._view.set_speed(self.speed)
        self.changed.emit()

    def toggle_loop(self) -> None:
        """Play round and round, or once; a stretch that was looped is a stretch no more."""
        self.looping = not self.looping
        if not self.looping:
            self.selection = None
        self._apply_loop()
        self.changed.emit()

    @Slot(object)
    def select(self, selection: tuple[float, float] | None) -> None:
        """Loop over a stretch marked on the timeline (None: no stretch)."""
        self.selection = None if selection is None else (float(selection[0]), float(selection[1]))
        self.looping = self.selection is not None or self.looping
        self._apply_loop()
        self.changed.emit()

    def start_loop(self) -> None:
        """Loop from here, to where the loop ended if that lies ahead, else to the end."""
        here, end = self.heading, self.selection[1] if self.selection else self.duration
        self._select_stretch(here, end if end > here else self.duration)

    def end_loop(self) -> None:
        """Loop up to here, from where the loop started if that lies behind, else from the start."""
        here, start = self.heading, self.selection[0] if self.selection else 0.0
        self._select_stretch(start if start < here else 0.0, here)

    def _select_stretch(self, start: float, end: float) -> None:
        if end - start >= SHORTEST_LOOP:
            self.select((start, end))

    def toggle_muted(self) -> None:
        """Sound off or on."""
        self.muted = not self.muted
        if self._view is not None:
            self._view.set_muted(self.muted)
        self.changed.emit()

    def _apply_loop(self) -> None:
        if self._view is not None:
            whole = (0.0, self.duration)
            self._view.set_loop((self.selection or whole) if self.looping else None)

    @Slot(float)
    def _moved(self, seconds: float) -> None:
        self.position = seconds
        if self.playing and self._view is not None and self._view.settled:
            self._asked = None
        self.moved.emit(seconds)

    @Slot(float)
    def _has_duration(self, seconds: float) -> None:
        self.duration = seconds
        self._apply_loop()
        self.changed.emit()

    @Slot(bool)
    def _plays(self, playing: bool) -> None:
        self.playing = playing
        self.changed.emit()
