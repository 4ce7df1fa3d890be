"""The Live page, drawn offscreen: it previews, infers and records a clip that is played over and over."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import av

from core.benchmarks.window import open_window

SECONDS = 60.0
_MARGIN = 30.0
"""Seconds of clip besides, for it to be still playing at the end."""

_GAP = 0.1
"""Seconds between two rounds: a stream may begin a little before its time 0."""


def live(clip: Path, seconds: float = SECONDS) -> dict[str, Any]:
    """Pictures shown a second; delays in ms from capture to the picture, the curve and the words drawn;
    what was dropped; gaps of the event loop; processor and memory of all processes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        told = open_window(
            "--live",
            str(repeated(clip, folder, seconds + _MARGIN)),
            CONSONANCE_BENCH="live",
            CONSONANCE_BENCH_SECONDS=str(seconds),
            CONSONANCE_BENCH_FOLDER=str(folder),
            patience=seconds + 240,
        )
    return {"clip": clip.name, "seconds": seconds, **json.loads(told["said"])}


def repeated(clip: Path, folder: Path, seconds: float) -> Path:
    """The packets of a clip over and over, until it is at least so long."""
    long = folder / f"{clip.stem}-long.mkv"
    with av.open(str(long), "w") as target:
        offset, streams = 0.0, {}
        while offset < seconds:
            with av.open(str(clip)) as source:
                chosen = [*source.streams.video[:1], *source.streams.audio[:1]]
                streams = streams or {s.index: target.add_stream_from_template(s) for s in chosen}
                offset += _append(source, chosen, target, streams, offset)
    return long


def _append(source: Any, chosen: list[Any], target: Any, streams: dict[int, Any], offset: float) -> float:
    """Seconds that were appended."""
    end = 0.0
    for packet in source.demux(chosen):
        if packet.pts is None or packet.dts is None:
            continue
        end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        moved = round(offset / packet.time_base)
        packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
        packet.stream = streams[packet.stream.index]
        target.mux(packet)
    return end + _GAP
