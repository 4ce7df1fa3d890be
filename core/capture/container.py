"""A film file that is whole at every moment: Matroska while it grows, MP4 once it is done.

Matroska is written cluster by cluster, and a reader takes what is there. A cluster is closed every 0.3 s and
each packet is handed to the system at once, so a killed process costs what it had not yet encoded.
"""

from __future__ import annotations

import errno
import os
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from core.errors import MediaError, UserError

KEY_SECONDS = 0.9
"""At most so long between pictures that can be decoded by themselves."""
_TICKS = 1000
"""Matroska counts milliseconds."""
_OPTIONS = {
    "flush_packets": "1",
    "cluster_time_limit": "300",
    # Microseconds: packets of one stream wait no longer for those of one that has fallen silent.
    "max_interleave_delta": "500000",
}
_VIDEO = {"preset": "superfast", "tune": "zerolatency", "crf": "21", "forced-idr": "1"}
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_BITS = 96_000
"""A second and channel: clear speech, from which the same features come."""


class RecordingError(UserError):
    """A recording cannot be written; what was written before is kept."""

    kind = "recording"


class GrowingFile:
    """The bytes of a recording: handed to the system at once, counted, the first error kept."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644
        )
        self.size = 0
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self.error = self.error or error
            raise
        self.size = max(self.size, self.tell())
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self._descriptor, offset, whence)

    def tell(self) -> int:
        return os.lseek(self._descriptor, 0, os.SEEK_CUR)

    def close(self) -> None:
        """Bring it to the disk and close it."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self.error = self.error or error
        os.close(self._descriptor)


class Film:
    """Encodes pictures and sound into a growing Matroska file. One thread at a time.

    picture: (width, height) of the film, to which pictures are fitted with black bars; sound: (rate,
    channels). None: the film has none. Raises OSError or av.FFmpegError where writing fails.
    """

    def __init__(
        self, path: Path, picture: tuple[int, int] | None, sound: tuple[int, int] | None, fps: float = 30.0
    ) -> None:
        self.file = GrowingFile(path)
        self._container = av.open(self.file, "w", format="matroska", options=_OPTIONS)
        self._video = self._add_video(picture, fps) if picture else None
        self._audio = self._add_audio(*sound) if sound else None
        self._last_picture, self._last_key = -1, -np.inf
        self._container.start_encoding()

    def add_picture(self, seconds: float, image: np.ndarray) -> bool:
        """Encode a picture, (H, W, 3) uint8 RGB; False if there is one for this millisecond already."""
        tick = round(seconds * _TICKS)
        if self._video is None or tick <= self._last_picture:
            return False
        frame = av.VideoFrame.from_ndarray(_fitted(image, self._size), format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS)
        if seconds - self._last_key >= KEY_SECONDS:
            frame.pict_type, self._last_key = av.video.frame.PictureType.I, seconds
        self._last_picture = tick
        self._container.mux(self._video.encode(frame))
        return True

    def add_sound(self, position: int, samples: np.ndarray) -> None:
        """Encode (n, channels) float32; position: of the first sample, in samples from the start."""
        if self._audio is None:
            return
        layout = "mono" if samples.shape[1] == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, position, Fraction(1, self._rate)
        self._container.mux(self._audio.encode(frame))

    def close(self, whole: bool = True) -> None:
        """Finish the file. not whole: after an error; nothing more is encoded, what is there stays."""
        try:
            if whole:
                for stream in (self._video, self._audio):
                    if stream is not None:
                        self._container.mux(stream.encode(None))
            self._container.close()
        except (OSError, av.FFmpegError):
            if whole:
                raise
        finally:
            self.file.close()

    def _add_video(self, size: tuple[int, int], fps: float) -> Any:
        self._size = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.gop_size = 600
        stream.codec_context.thread_count = 2
        stream.codec_context.options = _VIDEO
        return stream

    def _add_audio(self, rate: int, channels: int) -> Any:
        self._rate = rate
        layout = "mono" if channels == 1 else "stereo"
        encoded = rate if rate in _AAC_RATES else 48000
        stream = self._container.add_stream("aac", rate=encoded, layout=layout)
        stream.bit_rate = _BITS * channels
        return stream


def _fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture in a film's size: as it is, or scaled with black bars where the camera changed its own."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    scale = min(size[0] / width, size[1] / height)
    if 0 <= size[0] - width <= 1 and 0 <= size[1] - height <= 1:
        scale = 1.0  # only made even
    inner = (max(1, int(width * scale)), max(1, int(height * scale)))
    if scale != 1.0:
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        image = frame.to_ndarray(format="rgb24", width=inner[0], height=inner[1])
    canvas = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = image
    return canvas


def remux(source: Path, target: Path) -> float:
    """Copy the streams of a film, whole or torn, into an MP4 file; its length in seconds.

    Written aside and renamed; an existing target is replaced. Raises MediaError where nothing can be read,
    OSError where nothing can be written or there is no room for both; `source` is not touched.
    """
    if shutil.disk_usage(target.parent).free < source.stat().st_size:
        raise OSError(errno.ENOSPC, "No space left on device")
    part = target.with_name(f".{target.name}.part")
    try:
        seconds = _copy(source, part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return seconds


def _copy(source: Path, part: Path) -> float:
    end = 0.0
    try:
        with av.open(str(source)) as old, av.open(str(part), "w", format="mp4") as new:
            streams = {s.index: new.add_stream_from_template(s) for s in old.streams if s.codec_context}
            packets = old.demux([s for s in old.streams if s.index in streams])
            while (packet := _next(packets)) is not None:
                if packet.dts is None:
                    continue
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise MediaError(f"{source.name} holds nothing that can be read") from error
    if end == 0.0:
        raise MediaError(f"{source.name} holds nothing that can be read")
    return end


def _next(packets: Any) -> Any:
    """The next packet; None at the end, which in a torn file is where it is torn."""
    try:
        return next(packets, None)
    except av.error.InvalidDataError:
        return None
