"""Reads clips with PyAV: what is in a file, its sound, its pictures at a steady rate.

Files are hostile until parsed: only known containers, within limits of size, length and picture size; the
file is handed over as a stream, so that a playlist cannot make the library open anything else. Every time is
in seconds on the clip's own clock, 0 where its earliest stream starts.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from core.errors import Cancelled, MediaError
from core.types import VISUAL_RATE

SAMPLE_RATE = 16000
MAX_SECONDS = 3600.0
MAX_BYTES = 16 * 2**30
MAX_PIXELS = 64_000_000
"""Of one picture: 8K video and any camera's photograph; a forged header asking for more is refused."""
MAX_SIDE = 960
"""Longest side of the frames given out: a face of 1/20 of that is still enough for the landmarker."""
THREADS = 2

_STILLS = "jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,ppm_pipe"
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,flv,asf,ogg,gif,mxf,"
    f"wav,w64,mp3,flac,aac,ac3,eac3,aiff,amr,au,caf,{_STILLS}"
)
_GAP = 0.1
"""Seconds without sound that count as a hole, not as jitter of the clock."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What is in a file. duration in seconds (0.0: still); width, height as shown, after `rotation`.

    fps is the average; 0.0 where it is not stated. rotation: degrees counter-clockwise that turn the stored
    picture upright, one of 0, 90, 180, 270.
    """

    path: Path
    duration: float
    has_audio: bool
    has_video: bool
    still: bool
    width: int = 0
    height: int = 0
    fps: float = 0.0
    rotation: int = 0


def probe(path: Path | str) -> MediaInfo:
    """What is in a file; reads its head and one picture, or some sound where no picture can be read.

    Raises MediaError for what is no clip, what is too big, and what declares streams of which none decodes.
    """
    path = Path(path)
    with open_clip(path) as container:
        still = container.format.name in _STILLS
        has_audio = sound_stream(container) is not None
        stream = picture_stream(container)
        first = next(_decoded(container, stream), None) if stream else None
        if first is None and next(_sound(path), None) is None:
            raise _unreadable(path, "holds neither a picture nor sound that can be read")
        rotation = 90 * _turns(first) if first else 0
        size = (first.width, first.height) if first else (0, 0)
        width, height = size[::-1] if rotation in (90, 270) else size
        fps = float(stream.average_rate or 0) if stream and not still else 0.0
        duration = 0.0 if still else _duration(container)
    if duration == 0.0 and not still:
        duration = _measured_duration(path)
    if duration > MAX_SECONDS:
        raise MediaError(
            f"{path.name}: {duration / 60:.0f} minutes long",
            f"Cut out the part of interest; a clip may have {MAX_SECONDS / 60:.0f} minutes.",
        )
    return MediaInfo(path, duration, has_audio, first is not None, still, width, height, fps, rotation)


def read_audio(path: Path | str, cancelled: Callable[[], bool] | None = None) -> np.ndarray:
    """All sound as (n,) float32 mono at SAMPLE_RATE in [-1, 1]; empty where the file has none.

    Silence fills what lies before the sound starts and holes in it. What is damaged is left out; the sound
    ends after MAX_SECONDS. Raises MediaError; Cancelled when `cancelled`, asked all the time, says so.
    """
    path = Path(path)
    limit = int(MAX_SECONDS * SAMPLE_RATE)
    pieces: list[np.ndarray] = []
    total = 0
    for start, samples in _sound(path):
        if cancelled is not None and cancelled():
            raise Cancelled
        hole = round(start * SAMPLE_RATE) - total
        if hole > _GAP * SAMPLE_RATE or (total == 0 and hole > 0):
            pieces.append(np.zeros(min(hole, limit - total), dtype=np.float32))
            total += len(pieces[-1])
        pieces.append(samples[: limit - total])
        total += len(pieces[-1])
        if total >= limit:
            break
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)


def read_frames(
    path: Path | str, rate: float = VISUAL_RATE, max_side: int = MAX_SIDE
) -> Iterator[tuple[float, np.ndarray]]:
    """Pictures at k / rate seconds, k = 0, 1, …: each time the last one shown at or before it.

    Gives (seconds, (H, W, 3) uint8 RGB, contiguous, upright, at most max_side long); the same array again
    while the picture does not change. Before the first picture that one counts; a still is one picture at 0;
    a file without pictures gives none. Only pictures that are given out are converted.
    """
    path = Path(path)
    with open_clip(path) as container:
        stream = picture_stream(container)
        if stream is None:
            return
        origin = (container.start_time or 0) / av.time_base
        step = 0
        shown: av.VideoFrame | None = None
        end = 0.0
        for frame in _decoded(container, stream):
            time = frame.time - origin if frame.time is not None else end
            if shown is not None:
                ready = _steps_before(step, min(time, MAX_SECONDS), rate)
                yield from _held(shown, step, ready, rate, max_side)
                step = max(step, ready)
            shown = frame
            end = time + _shown_for(frame, stream)
            if time >= MAX_SECONDS:
                return
        if shown is not None:
            last = _steps_before(step, min(end, MAX_SECONDS), rate)
            yield from _held(shown, step, max(last, 1), rate, max_side)


def _steps_before(step: int, time: float, rate: float) -> int:
    """The first k >= step whose moment k / rate is not before `time` (with room for rounding)."""
    while step / rate < time - 1e-6:
        step += 1
    return step


def _held(
    frame: av.VideoFrame, start: int, stop: int, rate: float, max_side: int
) -> Iterator[tuple[float, np.ndarray]]:
    if start < stop:
        picture = _upright(frame, max_side)
        for step in range(start, stop):
            yield step / rate, picture


def _upright(frame: av.VideoFrame, max_side: int) -> np.ndarray:
    scale = min(1.0, max_side / max(frame.width, frame.height))
    picture = frame.to_ndarray(
        format="rgb24",
        width=max(round(frame.width * scale), 1),
        height=max(round(frame.height * scale), 1),
        interpolation="AREA" if scale < 1 else "BILINEAR",
    )
    return np.ascontiguousarray(np.rot90(picture, _turns(frame)))


def _turns(frame: av.VideoFrame) -> int:
    """Quarter turns, counter-clockwise, that set the picture upright; 0 to 3."""
    return round(frame.rotation / 90) % 4


def _shown_for(frame: av.VideoFrame, stream: VideoStream) -> float:
    """Seconds that the last picture stays; as long as the file says, or as its rate has it."""
    if frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    return float(1 / stream.average_rate) if stream.average_rate else 0.0


def _sound(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """(start in seconds, mono samples at SAMPLE_RATE) of the first sound track, piece by piece."""
    with open_clip(path) as container:
        stream = sound_stream(container)
        if stream is None:
            return
        origin = (container.start_time or 0) / av.time_base
        resampler = _resampler()
        layout, end = None, 0.0
        for frame in _decoded(container, stream):
            if layout not in (None, (frame.format.name, frame.layout.name, frame.sample_rate)):
                resampler = _resampler()  # broadcast recordings change between mono and stereo half way
            layout = (frame.format.name, frame.layout.name, frame.sample_rate)
            start = frame.time - origin if frame.time is not None else end
            end = start + frame.samples / frame.sample_rate
            frame.pts = None
            for piece in resampler.resample(frame):
                yield start, np.clip(np.nan_to_num(piece.to_ndarray()[0]), -1.0, 1.0)
        for piece in resampler.resample(None) if layout else ():
            yield end - piece.samples / SAMPLE_RATE, np.clip(np.nan_to_num(piece.to_ndarray()[0]), -1.0, 1.0)


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)


def decoded(container: InputContainer, stream: AudioStream | VideoStream) -> Iterator[Any]:
    """Decoded frames of a stream from where the file stands; damaged packets are passed over, damage of the
    file ends it."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        yield from frames


def _decoded(container: InputContainer, stream: AudioStream | VideoStream) -> Iterator[Any]:
    """The same in so many threads, and without pictures beyond the limit."""
    stream.codec_context.thread_type = "AUTO"
    stream.codec_context.thread_count = THREADS
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    return decoded(container, stream)


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The film, not the cover picture of a song."""
    cover = Disposition.attached_pic
    # A track in a format nobody here knows has no codec context.
    films = [stream for stream in container.streams.video if stream.codec_context]
    return next((stream for stream in films if not stream.disposition & cover), None)


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The first sound track in a format that is known."""
    return next((stream for stream in container.streams.audio if stream.codec_context), None)


def _duration(container: InputContainer) -> float:
    return max(container.duration or 0, 0) / av.time_base


def _measured_duration(path: Path) -> float:
    """Where the file states none: the end of its last packet."""
    end = 0.0
    with open_clip(path) as container:
        origin = (container.start_time or 0) / av.time_base
        packets = container.demux()
        while (packet := _next_packet(packets)) is not None:
            if packet.pts is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base) - origin)
    return end


def _next_packet(packets: Iterator[av.Packet]) -> av.Packet | None:
    try:
        return next(packets, None)
    except av.FFmpegError:
        return None


@contextmanager
def open_clip(path: Path) -> Generator[InputContainer]:
    """The container, within the limits above. Raises MediaError, also for what fails while it is open."""
    try:
        _check_file(path)
        with (
            path.open("rb") as file,
            av.open(
                _Stream(file), mode="r", metadata_errors="replace", options={"format_whitelist": _FORMATS}
            ) as container,
        ):
            yield container
    except av.FFmpegError as error:
        raise _unreadable(path, "is no video, sound or picture, or is damaged") from error
    except OSError as error:
        raise MediaError(
            f"{path.name}: {error.strerror or error}", "Check the path and its permissions."
        ) from error


def _check_file(path: Path) -> None:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(f"{path.name} is a folder", "Open the clips in it instead.")
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(f"{path.name} is no file", "Open a video, sound or picture file.")
    if status.st_size == 0:
        raise MediaError(f"{path.name} is empty", "Copy or record it again.")
    if status.st_size > MAX_BYTES:
        raise MediaError(f"{path.name}: {status.st_size / 2**30:.0f} GiB", "Cut out the part of interest.")


def _unreadable(path: Path, what: str) -> MediaError:
    return MediaError(f"{path.name} {what}", "Convert it, for instance to MP4, or record it again.")


class _Stream:
    """A file without its name: a name like clip%d.jpg would be read as a pattern."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell
