"""Decodes pictures beside the window: only the newest request, and a few frames ahead while playing."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from core import media
from core.errors import MediaError
from core.frame_reader import Frame, FrameReader

_AHEAD = 6
"""Frames decoded before they are due."""
_LATE = 0.25
"""Seconds behind the clock from which frames are skipped."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame as the window paints it; `pixels` keeps the memory of `image` alive."""

    time: float
    image: QImage
    pixels: np.ndarray


@dataclass(slots=True)
class _Wish:
    """The newest request: a time (None: where the last one led), then so many frames on."""

    seconds: float | None = None
    steps: int = 0
    token: int = 0


class FrameThread(QObject):
    """One clip's pictures. Requests never wait; answers come as signals in the window's thread.

    Every request has a token, one higher than the last; answers to older ones are not to be shown.
    """

    opened = Signal(int, object)
    """Token of `open` and the MediaInfo."""
    shown = Signal(int, object)
    """Token of the request and its Picture."""
    failed = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._change = threading.Condition()
        self._token = 0
        self._path: tuple[int, Path | None] | None = None
        self._wish: _Wish | None = None
        self._fit: tuple[int, int] | None = None
        self._streaming = False
        self._queue: deque[Picture] = deque()
        self._ended = False
        self._due = 0.0
        self._quit = False
        self._reader: FrameReader | None = None
        self._shown: float | None = None
        self._thread: threading.Thread | None = None

    def open(self, path: Path) -> int:
        """Read another clip; its first picture follows by itself. Returns the token."""
        with self._change:
            self._path = (self._next(), path)
            self._wish = None
            self._streaming = False
        self._start()
        return self._token

    def clear(self) -> None:
        """Let go of the clip."""
        with self._change:
            self._path = (self._next(), None)
            self._wish = None
            self._streaming = False

    def seek(self, seconds: float) -> int:
        """Ask for the frame at `seconds`; whatever was asked for and not yet decoded is forgotten."""
        with self._change:
            self._wish = _Wish(seconds, 0, self._next())
            return self._token

    def step(self, count: int) -> int:
        """Ask for the frame `count` further on than the last one asked for."""
        with self._change:
            wish = self._wish or _Wish()
            self._wish = _Wish(wish.seconds, wish.steps + count, self._next())
            return self._token

    def set_fit(self, fit: tuple[int, int]) -> None:
        """Size in pixels that pictures need not exceed from now on."""
        with self._change:
            self._fit = fit

    def stream(self, on: bool, at: float) -> None:
        """Decode ahead from the picture at `at` seconds, or stop doing so and stand there."""
        with self._change:
            self._streaming = on
            self._queue.clear()
            self._ended = False
            self._due = at
            if self._wish is None and self._shown is not None:
                self._shown = at
            self._change.notify()

    def take(self, due: float) -> Picture | None:
        """The newest decoded picture whose time has come at `due` seconds, if there is one."""
        taken = None
        with self._change:
            self._due = due
            while self._queue and self._queue[0].time <= due + 1e-6:
                taken = self._queue.popleft()
            if taken is not None:
                self._change.notify()
        return taken

    @property
    def drained(self) -> bool:
        """Whether the clip has no picture after those taken."""
        with self._change:
            return self._ended and not self._queue

    def close(self) -> None:
        """End the thread; waits for the frame being decoded, some milliseconds."""
        with self._change:
            self._quit = True
            self._change.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _next(self) -> int:
        """A new token; what was decoded ahead is no longer wanted."""
        self._token += 1
        self._queue.clear()
        self._ended = False
        self._change.notify()
        return self._token

    def _start(self) -> None:
        if self._thread is None:
            self._quit = False
            self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
            self._thread.start()

    def _ready(self) -> bool:
        ahead = self._streaming and not self._ended and len(self._queue) < _AHEAD
        return bool(
            self._quit or self._path or self._wish or (ahead and self._reader and self._shown is not None)
        )

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(self._ready)
                if self._quit:
                    break
                path, self._path = self._path, None
                wish, token = None, self._token
                if path is None:
                    wish, self._wish = self._wish, None
            try:
                self._work(path, wish, token)
            except MediaError as error:
                self._drop()
                self.failed.emit(token, error.message)
        self._drop()

    def _work(self, path: tuple[int, Path | None] | None, wish: _Wish | None, token: int) -> None:
        if path is not None:
            self._open(*path)
        elif wish is not None:
            if self._reader is not None:
                self._fulfil(self._reader, wish)
        elif self._reader is not None and self._shown is not None:
            self._decode_ahead(self._reader, self._shown, token)

    def _open(self, token: int, path: Path | None) -> None:
        self._drop()
        if path is None:
            return
        info = media.probe(path)
        if info.has_video:
            self._reader = FrameReader(path, self._fit)
        self.opened.emit(token, info)
        if self._reader is not None:
            self._give(token, self._reader.at(0.0))

    def _fulfil(self, reader: FrameReader, wish: _Wish) -> None:
        reader.fit = self._fit
        frame = reader.at(wish.seconds if wish.seconds is not None else self._shown or 0.0)
        if wish.steps:
            frame = reader.step(frame.time, wish.steps)
        self._give(wish.token, frame)

    def _give(self, token: int, frame: Frame) -> None:
        with self._change:
            self._shown = frame.time
        self.shown.emit(token, _picture(frame))

    def _decode_ahead(self, reader: FrameReader, last: float, token: int) -> None:
        """Put one more frame into the queue, unless another request came meanwhile."""
        reader.fit = self._fit
        late = self._due - last > _LATE
        frame = reader.at(self._due) if late else reader.step(last, 1)
        if late and frame.time <= last:
            frame = reader.step(last, 1)
        with self._change:
            if token != self._token or not self._streaming:
                return
            if frame.time <= last:
                self._ended = True
            else:
                self._shown = frame.time
                self._queue.append(_picture(frame))

    def _drop(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = self._shown = None


def _picture(frame: Frame) -> Picture:
    height, width, _ = frame.image.shape
    image = QImage(frame.image.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return Picture(frame.time, image, frame.image)
