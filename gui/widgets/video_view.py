"""The player: exact frames painted by the widget itself, the sound (where there is any) as the clock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.media import MediaInfo
from gui.widgets.frame_thread import FrameThread, Picture
from gui.widgets.play_clock import PlayClock
from gui.widgets.sound import Sound
from gui.widgets.video_paint import paint_video

SLOWEST, FASTEST = 0.5, 2.0
"""Speeds at which sound is played; beyond them, and backwards, pictures are shown silently as they can."""
_SHUTTLE_MOST = 8.0
_TICK_MS = 8
_SOUND_ONLY_MS = 40
_SETTLE_MS = 120


class VideoView(QWidget):
    """Plays a video, a sound file (as a calm placeholder) or a still picture.

    Sound keeps its pitch at every speed from 0.5 to 2. `position_changed` carries the time stamp of the frame
    handed to painting, never a wall clock's; only a clip without pictures is told by what is heard.
    Everything is asked for without waiting; while scrubbing only the newest request is decoded.
    """

    position_changed = Signal(float)
    duration_changed = Signal(float)
    playing_changed = Signal(bool)
    failed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._info: MediaInfo | None = None
        self._picture: Picture | None = None
        self._message = ""
        self._position, self._told = 0.0, False
        self._speed, self._shuttle = 1.0, 1.0
        self._loop: tuple[float, float] | None = None
        self._playing = self._running = False
        self._opened = self._asked = self._shown_token = 0
        self._frames, self._sound, self._clock = FrameThread(), Sound(), PlayClock()
        self._frames.opened.connect(self._on_opened)
        self._frames.shown.connect(self._on_shown)
        self._frames.failed.connect(self._on_failed)
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._settle = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self._refresh)
        self.setAccessibleName(self.tr("Video"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        # Not a method of this widget: when it is being destroyed, its methods are gone already.
        self.destroyed.connect(partial(_end, self._frames, self._sound))
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.shut_down)

    @property
    def position(self) -> float:
        """Seconds: time stamp of the frame shown."""
        return self._position

    @property
    def duration(self) -> float:
        """Seconds of the clip, 0 while there is none and for a still picture."""
        return self._info.duration if self._info else 0.0

    @property
    def playing(self) -> bool:
        """Whether it plays, or will as soon as the clip is there."""
        return self._playing

    @property
    def settled(self) -> bool:
        """Whether what is shown is what was asked for last."""
        return self._asked == self._shown_token

    def open(self, path: str | Path) -> None:
        """Show the first frame of `path`; what goes wrong comes as `failed`."""
        self.close_clip()
        self._path = Path(path)
        self._fit()
        self._opened = self._asked = self._frames.open(self._path)
        self.setAccessibleDescription(self._path.name)
        self.update()

    def close_clip(self) -> None:
        """Show nothing and let go of the file."""
        self.pause()
        if self._path is not None:
            self._frames.clear()
        self._path = self._info = self._picture = None
        self._position, self._told, self._message = 0.0, False, ""
        self.setAccessibleDescription("")
        self.update()

    @Slot()
    def shut_down(self) -> None:
        """End the threads; the next `open` starts them again."""
        self.close_clip()
        _end(self._frames, self._sound)

    @Slot()
    def play(self) -> None:
        """Play on; from the start (of the loop) if the clip is at its end. A still picture just stays."""
        self._shuttle = 1.0
        self._set_playing(self._path is not None and not (self._info and self._info.still))
        if not self._playing or self._info is None or self._asked != self._shown_token:
            return  # starts from the frame that is on its way
        start, end = self._stretch()
        if start - 0.02 <= self._position < end - 1.5 * self._frame_seconds():
            self._run(self._position)
        else:
            self._go(start)

    @Slot()
    def pause(self) -> None:
        """Stand at the frame shown."""
        self._halt()
        self._shuttle = 1.0
        self._set_playing(False)

    @Slot()
    def toggle(self) -> None:
        """Play or pause."""
        if self._playing:
            self.pause()
        else:
            self.play()

    @Slot(float)
    def seek(self, seconds: float) -> None:
        """Show the frame at `seconds`, and play on from there if it was playing."""
        if self._info is not None:
            self._go(min(max(0.0, seconds), self.duration))

    def step(self, count: int = 1) -> None:
        """Pause and show the frame `count` further on (negative: back)."""
        self.pause()
        if self._picture is not None:
            self._asked = self._frames.step(count)

    def set_speed(self, speed: float) -> None:
        """Play at `speed` times the clip's own pace, 0.5 to 2."""
        self._speed = min(max(speed, SLOWEST), FASTEST)
        if self._running:
            self._run(self._position)

    def shuttle(self, direction: int, slow: bool = False) -> None:
        """J, K, L: -1 backwards, 0 stop, 1 forwards; again the same way is twice as fast, up to 8 times.

        slow: at half speed, however often.
        """
        if direction == 0 or self._info is None:
            self.pause()
            return
        same = self._playing and self._shuttle * direction > 0
        if slow:
            self._shuttle = SLOWEST * direction
        elif same:
            self._shuttle = min(abs(self._shuttle) * 2, _SHUTTLE_MOST) * direction
        else:
            self._shuttle = float(direction)
        self._set_playing(not self._info.still)
        if self._playing and self._asked == self._shown_token:
            self._run(self._position)

    def set_loop(self, loop: Sequence[float] | None) -> None:
        """Play (start, end) in seconds round and round; None plays to the end and stops."""
        self._loop = (float(loop[0]), float(loop[1])) if loop is not None and loop[1] > loop[0] else None

    def set_muted(self, muted: bool) -> None:
        """Sound off or on."""
        self._sound.set_muted(muted)

    def sizeHint(self) -> QSize:
        """A small widescreen picture."""
        return QSize(480, 270)

    def minimumSizeHint(self) -> QSize:
        """As small as a face can be judged in."""
        return QSize(160, 90)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame, or what there is instead."""
        name = self._path.name if self._path else ""
        sound_only = self._info is not None and not self._info.has_video
        text = self._message or (name if sound_only else "" if name else self.tr("No clip"))
        paint_video(
            self, self._picture.image if self._picture else None, text, sound_only and not self._message
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Pictures are converted to the size they are painted at."""
        self._fit()
        if self._picture is not None:
            self._settle.start()
        super().resizeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """As a window of its own, threads end with it."""
        self.shut_down()
        super().closeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space and K, J, L, arrows; a page with shortcuts of its own never lets them come here."""
        actions = {
            Qt.Key.Key_Space: self.toggle,
            Qt.Key.Key_J: partial(self.shuttle, -1),
            Qt.Key.Key_K: self.pause,
            Qt.Key.Key_L: partial(self.shuttle, 1),
            Qt.Key.Key_Left: partial(self.step, -1),
            Qt.Key.Key_Right: partial(self.step, 1),
        }
        action = actions.get(Qt.Key(event.key()))
        if action is None:
            super().keyPressEvent(event)
        else:
            action()

    def changeEvent(self, event: QEvent) -> None:
        """Repaint with the theme."""
        self.update()
        super().changeEvent(event)

    @Slot(int, object)
    def _on_opened(self, token: int, info: MediaInfo) -> None:
        if token != self._opened:
            return
        self._info = info
        if not info.has_video:
            self._shown_token = token
        self.duration_changed.emit(info.duration)
        if info.still:
            self._set_playing(False)
        elif not info.has_video and self._playing:
            self._run(0.0)
        self.update()

    @Slot(int, object)
    def _on_shown(self, token: int, picture: Picture) -> None:
        """Show older answers of the same clip too, so that scrubbing moves; play on from the newest."""
        if token < self._opened or self._path is None:
            return
        self._shown_token = token
        self._present(picture)
        if token == self._asked and self._playing and not self._running:
            self._run(picture.time)

    @Slot(int, str)
    def _on_failed(self, token: int, message: str) -> None:
        if token < self._opened or self._path is None:
            return
        self.pause()
        self._message = message
        self.update()
        self.failed.emit(message)

    @Slot()
    def _tick(self) -> None:
        start, end = self._stretch()
        if self._scanning:
            self._scan(start, end)
            return
        now = self._clock.now(self._sound.position())
        if self._loop is not None and now >= end:
            self._turn(start)
        elif self._info is not None and self._info.has_video:
            self._show_due(now, start)
        else:
            self._tell(min(now, end))
            if now >= end:
                self._turn(start)

    def _show_due(self, now: float, start: float) -> None:
        """Paint what is due; over when the last frame has had its time and the sound has ended."""
        picture = self._frames.take(now)
        if picture is not None:
            self._present(picture)
        over = self._frames.drained and now >= self._position + self._frame_seconds()
        if over and (now >= self.duration or self._sound.position() is None):
            self._turn(start)

    def _scan(self, start: float, end: float) -> None:
        """Backwards or very fast: ask for the frame that is due whenever the last one has come."""
        if self._asked != self._shown_token:
            return
        due = self._clock.now()
        if start < due < end:
            self._asked = self._frames.seek(due)
        elif self._loop is not None:
            self._run(start if due >= end else end)
        else:
            self.pause()
            self.seek(min(max(due, start), end))

    @property
    def _scanning(self) -> bool:
        pace = self._pace()
        return bool(self._info and self._info.has_video) and not 0 < pace <= FASTEST

    def _pace(self) -> float:
        """Seconds of the clip a second, with its direction."""
        return self._speed if self._shuttle == 1 else self._shuttle

    def _stretch(self) -> tuple[float, float]:
        """What is played: the loop, or the whole clip."""
        start, end = self._loop or (0.0, self.duration)
        return min(start, self.duration), min(end, self.duration) or self.duration

    def _frame_seconds(self) -> float:
        return 1 / self._info.fps if self._info and self._info.fps else 0.04

    def _go(self, seconds: float) -> None:
        """Show the frame at `seconds`; playing starts again from it when it has come."""
        self._halt()
        if self._info is not None and self._info.has_video:
            self._asked = self._frames.seek(seconds)
            return
        self._tell(seconds)
        if self._playing:
            self._run(seconds)

    def _run(self, at: float) -> None:
        """Let clock, sound and decoding run from `at` seconds."""
        pace = self._pace()
        heard = SLOWEST <= pace <= FASTEST and self._info is not None and self._info.has_audio
        self._sound.stop()
        wait = heard and self._path is not None and self._sound.start(self._path, at, pace)
        self._frames.stream(not self._scanning, at)
        self._clock.start(at, pace, bool(wait))
        self._running = True
        picture = self._info is not None and self._info.has_video
        self._timer.start(_TICK_MS if picture else _SOUND_ONLY_MS)

    def _halt(self) -> None:
        """Stop what runs; whether it is to play stays as it is."""
        self._timer.stop()
        self._sound.stop()
        if self._running:
            self._running = False
            self._frames.stream(False, self._position)

    def _turn(self, start: float) -> None:
        """At the end of what is played: once more, or stop on the last frame."""
        if self._loop is not None:
            self._go(start)
            return
        self._halt()
        self._set_playing(False)

    def _present(self, picture: Picture) -> None:
        self._picture = picture
        self.update()
        self._tell(picture.time)

    def _tell(self, seconds: float) -> None:
        if seconds != self._position or not self._told:
            self._position, self._told = seconds, True
            self.position_changed.emit(seconds)

    def _set_playing(self, playing: bool) -> None:
        if playing != self._playing:
            self._playing = playing
            self.playing_changed.emit(playing)

    def _fit(self) -> None:
        ratio = self.devicePixelRatioF()
        self._frames.set_fit((max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))))

    @Slot()
    def _refresh(self) -> None:
        """After a change of size: the frame shown once more, at the new size."""
        if self._picture is not None and not self._running and self._asked == self._shown_token:
            self._asked = self._frames.seek(self._picture.time)


def _end(frames: FrameThread, sound: Sound, *_: object) -> None:
    sound.close()
    frames.close()


if __name__ == "__main__":
    import sys

    from gui.widgets.alone import show_alone

    def _make() -> QWidget:
        view = VideoView()
        clips = [name for name in sys.argv[1:] if Path(name).is_file()]
        if clips:
            view.open(clips[0])
            view.play()
        return view

    show_alone(_make, (640, 400), wait=1200)
