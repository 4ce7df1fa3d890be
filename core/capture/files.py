"""Files played in real time, so that everything that takes a camera or a microphone takes a clip as well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import numpy as np

from core import media
from core.capture.items import CaptureError, Picture, Sound, State, now
from core.capture.source import Open
from core.errors import MediaError

_LEAD = 0.3
"""Seconds from the first request to the start, in which both halves of a clip can be opened."""
_LATE = 0.25
"""Seconds behind which a picture is passed over, so that a slow machine shows fewer instead of older ones."""
_BLOCK = 0.02
"""Seconds of sound at a time, as from a microphone."""


class Playing:
    """When a file began to play; shared by its pictures and its sound, which so stay together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start: float | None = None

    def start(self) -> float:
        """The moment of the clip's time 0, fixed by whoever asks first."""
        with self._lock:
            if self._start is None:
                self._start = now() + _LEAD
            return self._start


class _File:
    """What both halves have: the open container, the stream, the pace."""

    def __init__(self, path: Path, playing: Playing, stopped: threading.Event) -> None:
        self._opened = ExitStack()
        self._stopped = stopped
        self._path = path
        self.dropped = 0
        try:
            self._container = self._opened.enter_context(media.open_clip(path))
        except MediaError as error:
            state = State.FAILING if path.exists() else State.ABSENT
            raise CaptureError(error.message, error.remedy, state) from error
        self._origin = (self._container.start_time or 0) / av.time_base
        self._start = playing.start()

    def close(self) -> None:
        self._opened.close()

    def _due(self, time: float | None, otherwise: float) -> float:
        """The moment of a frame's time stamp; `otherwise` where it has none."""
        return otherwise if time is None else self._start + time - self._origin

    def _wait(self, moment: float) -> None:
        if (left := moment - now()) > 0:
            self._stopped.wait(left)


class FilePictures(_File):
    """The pictures of a clip, upright, each when it is due."""

    def __init__(self, path: Path, playing: Playing, stopped: threading.Event) -> None:
        super().__init__(path, playing, stopped)
        stream = media.picture_stream(self._container)
        if stream is None:
            self.close()
            raise CaptureError(f"{path.name} has no pictures", "Choose another file.")
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = media.THREADS
        stream.codec_context.options = {"max_pixels": str(media.MAX_PIXELS)}
        self._rate = float(stream.average_rate or 25)
        self.obtained: dict[str, Any] = {"name": path.name, "fps": round(self._rate, 2)}
        self._frames = media.decoded(self._container, stream)
        self._last = self._start

    def read(self) -> Picture | None:
        for frame in self._frames:
            moment = self._due(frame.time, self._last + 1 / self._rate)
            self._last = moment
            if now() - moment > _LATE:
                self.dropped += 1
                continue
            picture = _upright(frame)
            self.obtained["width"], self.obtained["height"] = picture.shape[1], picture.shape[0]
            self._wait(moment)
            return Picture(moment, picture)
        return None


class FileSound(_File):
    """The sound of a clip in blocks of 20 ms at its own rate, one or two channels, each when it is over."""

    def __init__(self, path: Path, playing: Playing, stopped: threading.Event) -> None:
        super().__init__(path, playing, stopped)
        stream = media.sound_stream(self._container)
        if stream is None:
            self.close()
            raise CaptureError(f"{path.name} has no sound", "Choose another file.")
        self._rate, channels = stream.rate, min(stream.channels, 2)
        self.obtained: dict[str, Any] = {"name": path.name, "rate": self._rate, "channels": channels}
        self._resampler = av.AudioResampler(
            format="flt", layout="mono" if channels == 1 else "stereo", rate=self._rate
        )
        self._channels = channels
        self._blocks = self._cut(media.decoded(self._container, stream))

    def read(self) -> Sound | None:
        sound = next(self._blocks, None)
        if sound is not None:
            self._wait(sound.stamp + sound.seconds)
        return sound

    def _cut(self, frames: Iterator[Any]) -> Iterator[Sound]:
        end = self._start
        for frame in frames:
            start = self._due(frame.time, end)
            end = start + frame.samples / frame.sample_rate
            frame.pts = None
            for piece in self._resampler.resample(frame):
                yield from self._in_blocks(start, piece)

    def _in_blocks(self, start: float, piece: av.AudioFrame) -> Iterator[Sound]:
        samples = piece.to_ndarray().reshape(-1, self._channels)
        size = round(_BLOCK * self._rate)
        for first in range(0, len(samples), size):
            block = np.clip(samples[first : first + size], -1.0, 1.0)
            yield Sound(start + first / self._rate, self._rate, block)


def _upright(frame: av.VideoFrame) -> np.ndarray:
    scale = min(1.0, 1920 / max(frame.width, frame.height))
    width, height = max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)
    picture = frame.to_ndarray(format="rgb24", width=width, height=height)
    return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90) % 4))


def pictures(path: Path, playing: Playing) -> Open:
    """Opens the pictures of a file."""
    return lambda stopped: FilePictures(path, playing, stopped)


def sound(path: Path, playing: Playing) -> Open:
    """Opens the sound of a file."""
    return lambda stopped: FileSound(path, playing, stopped)
