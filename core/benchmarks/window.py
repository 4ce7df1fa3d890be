"""The window, drawn offscreen: how soon it is seen, and how long its event loop stalls while it works."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from core.benchmarks.clip import shortened
from core.benchmarks.engine_client import new_cache
from core.errors import UserError
from core.workers import command

STARTS = 5
PATIENCE = 300
"""Seconds until a window that says nothing is given up."""


def start(clip: Path) -> dict[str, Any]:
    """Seconds from the start of the process to the painted window: of the first start, and of later ones."""
    first, *later = [open_window("--exit-after-paint") for _ in range(STARTS)]
    return {
        "first_painted_seconds": float(first["said"]) / 1000,
        "painted_seconds": median(float(run["said"]) / 1000 for run in later),
        "closed_seconds": median(run["seconds"] for run in later),
    }


def gaps(clip: Path) -> dict[str, Any]:
    """Milliseconds between ticks of a 5 ms timer in the window, idle and while it analyses the clip.

    A short piece of the clip warms the engine before; of the clip itself nothing is known then.
    """
    with tempfile.TemporaryDirectory() as folder:
        cache = new_cache(Path(folder))
        warming = shortened(clip, Path(folder), seconds=3.0)
        run = open_window(
            str(warming),
            CONSONANCE_BENCH="gaps",
            CONSONANCE_BENCH_CLIP=str(clip.absolute()),
            CONSONANCE_CACHE=str(cache),
        )
    figures = json.loads(run["said"])
    idle, busy = figures["idle_ms"], figures["analysing_ms"]
    return {"clip": clip.name, **figures, "ratio_p99": busy["p99"] / idle["p99"] if idle["p99"] else 0.0}


def open_window(*arguments: str, patience: float = PATIENCE, **environment: str) -> dict[str, Any]:
    """Open a window in a fresh home; the last line it says, and the seconds until it has closed."""
    with tempfile.TemporaryDirectory() as home:
        started = perf_counter()
        ended = subprocess.run(
            command("app", *arguments),
            env={
                **os.environ,
                "QT_QPA_PLATFORM": "offscreen",
                "CONSONANCE_HOME": home,
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
        seconds = perf_counter() - started
    said = ended.stdout.strip().splitlines()
    if ended.returncode or not said:
        raise UserError(f"The window ended with code {ended.returncode}.", ended.stderr.strip()[-2000:])
    return {"said": said[-1], "seconds": seconds}
