"""Clap and flash: clips in which both come at once, and how far apart they are in a recording of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE, FPS, SIZE = 44100, 30, (96, 64)
EVERY = 1.0
"""Seconds between two of them; the first is after half of that."""


def moments(seconds: float) -> np.ndarray:
    return np.arange(EVERY / 2, seconds, EVERY)


def picture(time: float) -> np.ndarray:
    """(H, W, 3) uint8: white for 0.1 s from each moment on, else dark."""
    since = (time - EVERY / 2) % EVERY
    return np.full((SIZE[1], SIZE[0], 3), 235 if since < 0.1 and time > EVERY / 4 else 20, dtype=np.uint8)


def sound(start: float, count: int, rate: int = RATE) -> np.ndarray:
    """(count, 1) float32 from `start` seconds on: 30 ms of a 1 kHz tone from each moment on."""
    times = start + np.arange(count) / rate
    since = (times - EVERY / 2) % EVERY
    tone = 0.8 * np.cos(2 * np.pi * 1000 * since) * ((since < 0.03) & (times > EVERY / 4))
    return tone.astype(np.float32)[:, None]


def write(path: Path, seconds: float) -> Path:
    """A clip of claps and flashes, Matroska with uncompressed sound so that it is exact."""
    with av.open(str(path), "w", format="matroska") as container:
        film = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "18"})
        film.width, film.height, film.pix_fmt = *SIZE, "yuv420p"
        track = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(picture(number / FPS), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(film.encode(frame))
            block = RATE // FPS
            samples = (sound(number * block / RATE, block) * 32767).astype(np.int16)
            piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="s16", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = RATE, number * block, Fraction(1, RATE)
            container.mux(track.encode(piece))
        for stream in (film, track):
            container.mux(stream.encode(None))
    return path


def flashes(path: Path) -> np.ndarray:
    """When pictures turn white, in seconds."""
    found, dark = [], True
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            white = frame.to_ndarray(format="gray").mean() > 128
            if white and dark:
                found.append(frame.time)
            dark = not white
    return np.array(found)


def claps(path: Path) -> np.ndarray:
    """When it claps, in seconds, to 1 ms."""
    found, last = [], -1.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float32)).max(axis=0)
            loud = np.flatnonzero(samples > 0.3 * (32767 if frame.format.name.startswith("s16") else 1))
            if len(loud) and frame.time + loud[0] / frame.sample_rate - last > EVERY / 2:
                last = frame.time + loud[0] / frame.sample_rate
                found.append(last)
    return np.array(found)


def offsets(path: Path) -> np.ndarray:
    """Of each flash, seconds by which its clap is late (negative: early)."""
    heard = claps(path)
    seen = flashes(path)
    return np.array([heard[np.argmin(np.abs(heard - time))] - time for time in seen])
