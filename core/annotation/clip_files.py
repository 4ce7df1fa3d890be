"""Clips as files of their own: copied where they are whole MP4 files, else cut out and converted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError

from core.data.label_folder import inside
from core.errors import DataError, MediaError
from core.media import decoded, open_clip, picture_stream, sound_stream

RATE = 48_000
_CLOCK = Fraction(1, 90_000)
_BLOCK = 1024
Turned = tuple[float, np.ndarray]


def place(source: Path, start: float | None, end: float | None, root: Path, video: str, name: str) -> Path:
    """Put a clip at `root/video/name.mp4`. start, end: seconds in the source, None for its ends.

    Raises DataError where it cannot be written or would leave the root, MediaError for a source without a
    picture.
    """
    try:
        target = inside(root, video, f"{name}.mp4")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        part.unlink(missing_ok=True)
        if start is None and end is None and source.suffix.lower() == ".mp4":
            shutil.copyfile(source, part)
        else:
            _cut(source, start or 0.0, np.inf if end is None else end, part)
        part.replace(target)
    except ValueError as error:
        raise DataError(f"{video}/{name}: {error}") from error
    except (OSError, FFmpegError) as error:
        raise DataError(f"{root}: {video}/{name} cannot be written: {error}", "Is there room?") from error
    return target


def _cut(source: Path, start: float, end: float, target: Path) -> None:
    with open_clip(source) as container:
        pictures = [*_pictures(container, start, end)]
    with open_clip(source) as container:
        sound = _sound(container, start, end)
    if not pictures:
        raise MediaError(f"{source.name}: no picture between {start:g} and {end:g} seconds")
    with av.open(str(target), "w", format="mp4") as out:
        _write(out, pictures, sound)


def _pictures(container: InputContainer, start: float, end: float) -> Iterator[Turned]:
    """Upright pictures of the span and their times from its start."""
    stream = picture_stream(container)
    if stream is None:
        return
    origin = _origin(container)
    for frame in decoded(container, stream):
        moment = 0.0 if frame.time is None else frame.time - origin
        if moment >= end:
            return
        if moment >= start - 1e-6:
            turned = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
            height, width = turned.shape[0] // 2 * 2, turned.shape[1] // 2 * 2
            yield moment - start, np.ascontiguousarray(turned[:height, :width])


def _sound(container: InputContainer, start: float, end: float) -> np.ndarray:
    """(n,) float32 mono sound of the span at RATE; empty where there is none."""
    stream = sound_stream(container)
    if stream is None:
        return np.zeros(0, dtype=np.float32)
    resampler, origin = av.AudioResampler(format="fltp", layout="mono", rate=RATE), _origin(container)
    pieces: list[tuple[float, np.ndarray]] = []
    for frame in decoded(container, stream):
        moment = 0.0 if frame.time is None else frame.time - origin
        if moment >= end:
            break
        pieces += [(moment, piece.to_ndarray()[0]) for piece in resampler.resample(frame)]
    if not pieces:
        return np.zeros(0, dtype=np.float32)
    joined = np.concatenate([piece for _, piece in pieces])
    first = round((start - pieces[0][0]) * RATE)
    joined = joined[first:] if first >= 0 else np.concatenate([np.zeros(-first, np.float32), joined])
    return joined if np.isinf(end) else joined[: round((end - start) * RATE)]


def _origin(container: InputContainer) -> float:
    """Where the file's earliest stream starts, in seconds of its own clock."""
    return (container.start_time or 0) / av.time_base


def _write(out: OutputContainer, pictures: list[Turned], sound: np.ndarray) -> None:
    height, width = pictures[0][1].shape[:2]
    film = out.add_stream("libx264", rate=30, options={"crf": "18", "preset": "veryfast"})
    film.width, film.height, film.pix_fmt = width, height, "yuv420p"
    film.time_base = film.codec_context.time_base = _CLOCK
    track = out.add_stream("aac", rate=RATE, layout="mono") if len(sound) else None
    for moment, picture in pictures:
        frame = av.VideoFrame.from_ndarray(picture[:height, :width], format="rgb24")
        frame.pts, frame.time_base = round(moment / _CLOCK), _CLOCK
        out.mux(film.encode(frame))
    out.mux(film.encode(None))
    if track is None:
        return
    for begin in range(0, len(sound), _BLOCK):
        block = av.AudioFrame.from_ndarray(sound[None, begin : begin + _BLOCK], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = RATE, begin, Fraction(1, RATE)
        out.mux(track.encode(block))
    out.mux(track.encode(None))
