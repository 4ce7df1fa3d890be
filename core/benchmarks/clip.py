"""One clip through a warm engine: seconds by step, and how soon the first estimate is there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from core.benchmarks.engine_client import EngineClient, new_cache

TIMES = 3
SPEECH = ("base", "tiny.en")
SECONDS = 5.0
"""A clip is cut to this length, so that figures of different clips compare."""


def clip(path: Path) -> dict[str, Any]:
    """Wall time of one clip by its steps with each recogniser; ratio: seconds of work a second of clip."""
    return {"clip": path.name, "runs": [_with_speech(path, speech) for speech in SPEECH]}


def first_estimate(path: Path) -> dict[str, Any]:
    """Seconds until the waveform, the first estimate (voice and face) and the last one are there.

    warm: from the request; cold: from the start of the engine, the request sent as soon as it was ready.
    """
    found = _with_speech(path, "base")
    warm = {key: found[key] for key in ("waveform", "partial", "done")}
    return {"clip": path.name, "clip_seconds": found["clip_seconds"], "warm": warm, "cold": found["cold"]}


def _with_speech(path: Path, speech: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        cache = new_cache(Path(folder))
        short = shortened(path, Path(folder))
        with EngineClient(cache, "--speech", speech) as engine:
            ready = engine.ready()
            first = engine.analyse(short)
            runs = []
            for _ in range(TIMES):
                _forget(cache)
                runs.append(engine.analyse(short))
    cold = {"ready": ready} | {
        event: ready + first[event] for event in ("waveform", "partial", "done") if event in first
    }
    return {"speech": speech, **_summary(runs), "cold": cold}


def shortened(path: Path, folder: Path, seconds: float = SECONDS) -> Path:
    """The first `seconds` of a clip, its packets copied as they are into `folder`."""
    import av

    short = folder / f"{path.stem}-{seconds:.0f}s.mkv"
    with av.open(str(path)) as source, av.open(str(short), "w") as target:
        streams = {
            stream.index: target.add_stream_from_template(stream)
            for stream in (*source.streams.video[:1], *source.streams.audio[:1])
        }
        for packet in source.demux([source.streams[index] for index in streams]):
            if packet.pts is None or float(packet.pts * packet.time_base) >= seconds:
                continue
            packet.stream = streams[packet.stream.index]
            target.mux(packet)
    return short


def _forget(cache: Path) -> None:
    """Drop what is known of clips; keep the pretrained files."""
    for known in cache.iterdir():
        if known.is_dir() and not known.is_symlink():
            shutil.rmtree(known)


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = runs[0]["analysis"]["duration"]
    steps = runs[0]["analysis"]["seconds"]
    done = median(run["done"] for run in runs)
    return {
        "clip_seconds": seconds,
        "waveform": median(run.get("waveform", 0.0) for run in runs),
        "partial": median(run.get("partial", run["done"]) for run in runs),
        "done": done,
        "ratio": done / seconds if seconds else 0.0,
        "steps": {step: median(run["analysis"]["seconds"][step] for run in runs) for step in steps},
    }
