"""The sound of a clip from any moment on, at any speed, as the bytes that an audio device takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter import Graph

from core import media

RATE = 48_000
CHANNELS = 2
BYTES_A_SECOND = RATE * CHANNELS * 2
"""Signed 16 bit."""


def sound_from(path: Path, start: float, speed: float) -> Iterator[bytes]:
    """Pieces of sound from `start` seconds of the clip on, at `speed` (0.5 to 2) with its pitch kept.

    Silence stands for what lies before the sound starts. Raises MediaError if the file cannot be opened;
    damage later on ends the sound.
    """
    with media.open_clip(path) as container:
        stream = next((s for s in container.streams.audio if s.codec_context), None)
        if stream is None:
            return
        origin = (container.start_time or 0) / av.time_base
        if start > 0.05:
            _jump(container, start + origin)
        graph = _graph(speed)
        first = True
        for frame in _resampled(container, stream):
            begin = float(frame.time) - origin if frame.time is not None else start
            skip = round((start - begin) * RATE) if first else 0
            if skip >= frame.samples:
                continue
            if first and skip < 0:
                yield bytes(round(-skip / speed) * CHANNELS * 2)
            first = False
            samples = frame.to_ndarray()[:, max(0, skip) * CHANNELS :]
            yield from _through(graph, samples)
        yield from _through(graph, None)


def _jump(container: InputContainer, seconds: float) -> None:
    """Move a little before `seconds`, or stay where seeking is not possible: what is early is cut off."""
    try:
        container.seek(int(max(0.0, seconds - 0.2) * av.time_base))
    except av.FFmpegError:
        return


def _resampled(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """16 bit stereo at RATE, whatever the track changes to on the way."""
    resampler, kind = None, None
    for frame in media.decoded(container, stream):
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or now != kind:
            resampler, kind = av.AudioResampler(format="s16", layout="stereo", rate=RATE), now
        yield from resampler.resample(frame)


def _graph(speed: float) -> Graph | None:
    """A filter that changes the tempo and keeps the pitch; None where there is nothing to change."""
    if abs(speed - 1) < 1e-3:
        return None
    graph = Graph()
    source = graph.add_abuffer(format="s16", sample_rate=RATE, layout="stereo")
    tempo = graph.add("atempo", f"{speed:.4f}")
    sink = graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    return graph


def _through(graph: Graph | None, samples: np.ndarray | None) -> Iterator[bytes]:
    """(1, n * CHANNELS) int16 through the filter, as bytes; None flushes it."""
    if graph is None:
        if samples is not None:
            yield samples.tobytes()
        return
    if samples is None:
        graph.push(None)
    else:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16", layout="stereo")
        frame.sample_rate = RATE
        graph.push(frame)
    while True:
        try:
            out = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield out.to_ndarray().tobytes()
