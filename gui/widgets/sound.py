"""Plays the sound of a clip through the default audio device and tells what is heard at the moment."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, qInstallMessageHandler

from core.errors import MediaError
from gui.widgets.sound_device import output_device
from gui.widgets.sound_source import BYTES_A_SECOND, CHANNELS, RATE, sound_from

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioSink

_AHEAD = BYTES_A_SECOND
"""Bytes decoded before they are due."""
_DEVICE_BUFFER = BYTES_A_SECOND // 4
_FEED_MS = 20


class Sound(QObject):
    """The sound of one clip at a time. Without a device, or without sound in the clip, it stays silent."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sink: QAudioSink | None = None
        self._device: Any = None
        self._filler: _Filler | None = None
        self._old: list[_Filler] = []
        self._muted = False
        self._start = 0.0
        self._speed = 1.0
        self._written = 0
        self._feeding = QTimer(self, interval=_FEED_MS)
        self._feeding.timeout.connect(self._feed)

    def start(self, path: Path, at: float, speed: float) -> bool:
        """Play `path` from `at` seconds at `speed` (0.5 to 2); False where there is no audio device."""
        self.stop()
        self._sink = make_sink()
        if self._sink is None:
            return False
        self._start, self._speed, self._written = at, speed, 0
        self._filler = _Filler(path, at, speed)
        self._sink.setVolume(0.0 if self._muted else 1.0)
        self._device = self._sink.start()
        self._feeding.start()
        return True

    def stop(self) -> None:
        """Fall silent at once."""
        if self._filler is not None:
            self._feeding.stop()
            self._filler.stop()
            self._old = [f for f in (*self._old, self._filler) if f.is_alive()]
            self._filler = None
        if self._sink is not None:
            self._sink.reset()
            self._sink.deleteLater()
            self._sink = self._device = None

    def close(self) -> None:
        """Stop and wait for the decoding to end, some milliseconds."""
        self.stop()
        for filler in self._old:
            filler.join()
        self._old.clear()

    def set_muted(self, muted: bool) -> None:
        """Silence without stopping the clock."""
        self._muted = muted
        if self._sink is not None:
            self._sink.setVolume(0.0 if muted else 1.0)

    def position(self) -> float | None:
        """Seconds of the clip that are heard now; None once the sound has ended or where there is none."""
        if self._sink is None or self._filler is None or (self._filler.ended and not self._filler.held):
            return None
        waiting = self._sink.bufferSize() - self._sink.bytesFree()
        heard = max(0, self._written - waiting) / BYTES_A_SECOND
        return self._start + heard * self._speed

    def _feed(self) -> None:
        if self._sink is None or self._device is None or self._filler is None:
            return
        if self._sink.error().value:
            # The device went away: the pictures go on by the steady clock.
            self.stop()
            return
        room = self._sink.bytesFree()
        data = self._filler.take(room - room % (2 * CHANNELS))
        if data:
            self._written += max(0, self._device.write(data))


class _Filler(threading.Thread):
    """Decodes sound ahead of its use, up to a second."""

    def __init__(self, path: Path, at: float, speed: float) -> None:
        super().__init__(name="sound", daemon=True)
        self._clip = (path, at, speed)
        self._change = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._stopped = False
        self.held = 0
        self.ended = False
        self.start()

    def run(self) -> None:
        """Fill until stopped or until the sound ends; a file without readable sound is silence."""
        try:
            for piece in sound_from(*self._clip):
                with self._change:
                    self._pieces.append(piece)
                    self.held += len(piece)
                    self._change.wait_for(lambda: self._stopped or self.held < _AHEAD)
                    if self._stopped:
                        return
        except MediaError:
            return
        finally:
            self.ended = True

    def take(self, most: int) -> bytes:
        """Up to `most` bytes in order."""
        taken = bytearray()
        with self._change:
            while self._pieces and len(taken) < most:
                piece = self._pieces.popleft()
                room = most - len(taken)
                taken += piece[:room]
                if len(piece) > room:
                    self._pieces.appendleft(piece[room:])
            self.held -= len(taken)
            self._change.notify()
        return bytes(taken)

    def stop(self) -> None:
        """Let the thread end by itself."""
        with self._change:
            self._stopped = True
            self._change.notify()


def make_sink() -> QAudioSink | None:
    """A sink on the default output; None where there is none."""
    device = output_device()
    if device is None:
        return None
    previous = qInstallMessageHandler(lambda *_: None)
    try:
        from PySide6.QtMultimedia import QAudioFormat, QAudioSink

        layout = QAudioFormat()
        layout.setSampleRate(RATE)
        layout.setChannelCount(CHANNELS)
        layout.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        sink = QAudioSink(device, layout)
        sink.setBufferSize(_DEVICE_BUFFER)
        return sink
    finally:
        qInstallMessageHandler(previous)
