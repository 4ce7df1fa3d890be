"""Any frame of a clip, exactly: by time and by steps of one frame, with the frame's own time stamp."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.frame import VideoFrame

from core import media
from core.errors import MediaError

_HELD_BYTES = 96 * 2**20
"""Decoded pictures kept for stepping back and forth (as the decoder gave them, mostly 1.5 bytes a pixel)."""
_NEAR = 1
"""Seconds ahead that are reached by decoding on; what lies further is reached by a seek."""
_STAMPS_GUESSED = frozenset({"mpeg"})
"""Formats that stamp groups of frames: after a seek the rest is guessed, up to 3 frames wrong."""
_BACK_OFF = (0, 1, 4, 16)
"""Seconds by which a seek is tried again earlier when it lands behind the wanted frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: `time` in seconds (the frame's own pts), image (H, W, 3) uint8 RGB, contiguous."""

    time: float
    image: np.ndarray


class _BrokenStamps(Exception):
    """Time stamps are absent or do not increase."""


class FrameReader:
    """Random access to the frames of a clip or a still picture; one thread at a time.

    Time 0 is the start of the container, as for the sound, so a stream that starts late keeps its delay.
    A run of neighbouring decoded frames is kept; a request inside it or shortly after it needs no seek.
    A file whose time stamps are absent or run backwards is read from its start and timed by its frame rate;
    an MPEG program stream too is read from its start, as its stamps are exact in no other way.
    """

    def __init__(self, path: str | Path, fit: tuple[int, int] | None = None) -> None:
        """Open `path`; pictures larger than `fit` (width, height) are scaled down to it, never up.

        Raises MediaError if the file cannot be read or has no picture.
        """
        self.path = Path(path)
        self.fit = fit
        self._counting = False
        self._run: deque[tuple[int, VideoFrame]] = deque()
        self._open()

    @property
    def still(self) -> bool:
        """Whether this is a single picture."""
        name = self._container.format.name
        return name.endswith("_pipe") or name == "image2"

    @property
    def rate(self) -> float:
        """Average frames a second, 25 where the file does not say."""
        return float(self._stream.average_rate or self._stream.guessed_rate or 25)

    @property
    def duration(self) -> float:
        """Seconds; 0 for a still picture, or where the file does not say."""
        if self.still:
            return 0.0
        if self._container.duration:
            return self._container.duration / av.time_base
        return float((self._stream.duration or 0) * (self._stream.time_base or 0))

    def at(self, seconds: float) -> Frame:
        """The frame on screen at `seconds`: the last one that starts no later, at least the first.

        Raises MediaError if no picture can be decoded.
        """
        try:
            return self._picture(self._find(seconds))
        except _BrokenStamps:
            self._count_instead()
            return self._picture(self._find(seconds))

    def step(self, seconds: float, count: int) -> Frame:
        """The frame `count` after (negative: before) the one at `seconds`, or the outermost there is."""
        try:
            return self._picture(self._walk(seconds, count))
        except _BrokenStamps:
            self._count_instead()
            return self._picture(self._walk(seconds, count))

    def close(self) -> None:
        """Let go of the file and of the pictures; may be called twice."""
        self._run.clear()
        self._decoded.close()
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        with ExitStack() as opened:
            self._container = opened.enter_context(media.open_clip(self.path))
            stream = media.picture_stream(self._container)
            if stream is None:
                raise MediaError(f"{self.path.name}: has no picture that can be decoded")
            stream.codec_context.thread_type = "AUTO"
            stream.codec_context.thread_count = media.THREADS
            stream.codec_context.options = {"max_pixels": str(media.MAX_PIXELS)}
            self._closing = opened.pop_all()
        self._stream = stream
        self._tick = self._stream.time_base or Fraction(1, 1000)
        self._origin = round(Fraction(self._container.start_time or 0, av.time_base) / self._tick)
        if self._counting:
            self._tick, self._origin = 1 / Fraction(self.rate).limit_denominator(1001), 0
        self._restart_decoding()

    def _restart_decoding(self) -> None:
        self._run.clear()
        self._held = 0
        self._decoded = self._decode()

    def _decode(self) -> Generator[tuple[int, VideoFrame]]:
        """Frames from here on in order of display; damage is passed over, a torn end ends the clip."""
        last: int | None = None
        count = 0
        for frame in media.decoded(self._container, self._stream):
            pts = count if self._counting else frame.pts
            if pts is None or (last is not None and pts <= last):
                raise _BrokenStamps
            last, count = pts, count + 1
            yield pts, frame

    def _count_instead(self) -> None:
        """Read anew from the start, frame n at n / rate."""
        self.close()
        self._counting = True
        self._open()

    def _find(self, seconds: float) -> int:
        """Index in the run of the frame on screen at `seconds`, decoding or seeking as needed."""
        # Half a tick up, so that a frame's own time, rounded to a float, finds that frame.
        pts = int((Fraction(seconds) / self._tick + Fraction(1, 2)) // 1) + self._origin
        run = self._run
        far = bool(run) and pts > run[-1][0] + _NEAR / self._tick and self._seekable()
        if not run or pts < run[0][0] or far:
            self._seek(pts)
        while run[-1][0] <= pts and self._grow():
            pass
        return self._index(pts)

    def _index(self, pts: int) -> int:
        """Last index in the run at or before `pts`; 0 if there is none."""
        return next((i for i in range(len(self._run) - 1, -1, -1) if self._run[i][0] <= pts), 0)

    def _walk(self, seconds: float, count: int) -> int:
        index = self._find(seconds)
        pts = self._run[index][0]
        for _ in range(abs(count)):
            index = self._after(pts) if count > 0 else self._before(pts)
            if self._run[index][0] == pts:
                break
            pts = self._run[index][0]
        return index

    def _after(self, pts: int) -> int:
        if self._run[-1][0] <= pts:
            self._grow()
        return min(self._index(pts) + 1, len(self._run) - 1)

    def _before(self, pts: int) -> int:
        if self._run[0][0] >= pts:
            self._seek(pts - 1)
            while self._run[-1][0] < pts and self._grow():
                pass
        return self._index(pts - 1)

    def _grow(self) -> bool:
        """Decode one more frame onto the run; False at the end of the clip."""
        found = next(self._decoded, None)
        if found is None:
            return False
        self._run.append(found)
        self._held += _size(found[1])
        while self._held > _HELD_BYTES and len(self._run) > 2:
            self._held -= _size(self._run.popleft()[1])
        return True

    def _seek(self, pts: int) -> None:
        """Start a new run at or before `pts`; at the first frame of all if that is later."""
        for back in _BACK_OFF if self._seekable() else ():
            target = pts - int(back / self._tick)
            if target <= self._origin or not self._jump(target):
                break
            self._restart_decoding()
            if self._grow() and self._run[0][0] <= pts:
                return
        self.close()
        self._open()
        if not self._grow():
            raise MediaError(f"{self.path.name}: no picture could be decoded")

    def _seekable(self) -> bool:
        """Whether frames have the same stamps after a seek as when read from the start."""
        return not (self._counting or self.still or self._container.format.name in _STAMPS_GUESSED)

    def _jump(self, pts: int) -> bool:
        """Move the file to the key frame before `pts`; False where the format cannot."""
        self._decoded.close()
        try:
            self._container.seek(pts, stream=self._stream)
        except (av.FFmpegError, OSError):
            return False
        return True

    def _picture(self, index: int) -> Frame:
        pts, frame = self._run[index]
        try:
            image = _upright(frame, self._stream.sample_aspect_ratio, self.fit)
        except av.FFmpegError as error:
            raise MediaError(f"{self.path.name}: pictures of this kind cannot be shown ({error})") from error
        return Frame(float((pts - self._origin) * self._tick), image)


def _upright(frame: VideoFrame, aspect: Fraction | None, fit: tuple[int, int] | None) -> np.ndarray:
    """(H, W, 3) RGB as it is to be seen: square pixels, turned by the display matrix, within `fit`."""
    width, height = frame.width * float(aspect or 1), float(frame.height)
    turns = round(frame.rotation / 90) % 4
    if fit is not None:
        limit = fit[::-1] if turns % 2 else fit
        scale = min(1.0, limit[0] / width, limit[1] / height)
        width, height = width * scale, height * scale
    image = frame.reformat(max(1, round(width)), max(1, round(height)), "rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(image, turns))


def _size(frame: VideoFrame) -> int:
    """Bytes of the decoded planes, near enough."""
    return sum(plane.buffer_size for plane in frame.planes)
