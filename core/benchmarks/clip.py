"""One clip through a warm engine: seconds by step, and how soon the first estimate is there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from core.benchmarks.engine_client import EngineClient

TIMES = 3
SPEECH = ("base", "tiny.en")


def clip(path: Path) -> dict[str, Any]:
    """Wall time of one clip by its steps with each recogniser; ratio: seconds of work a second of clip."""
    return {"clip": path.name, "runs": [_with_speech(path, speech) for speech in SPEECH]}


def first_estimate(path: Path) -> dict[str, Any]:
    """Seconds from the request to the first estimate (voice and face) and to the last."""
    found = _with_speech(path, "base")
    return {"clip": path.name, "clip_seconds": found["clip_seconds"]} | {
        key: found[key] for key in ("waveform", "partial", "done")
    }


def _with_speech(path: Path, speech: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        cache.mkdir()
        with EngineClient(cache, "--speech", speech) as engine:
            ready = engine.ready()
            engine.analyse(path)  # its first clip warms what is only loaded on demand
            runs = []
            for _ in range(TIMES):
                _forget(cache)
                runs.append(engine.analyse(path))
    return {"speech": speech, "ready": ready, **_summary(runs)}


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
