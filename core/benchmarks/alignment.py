"""What the covariance alignment costs: milliseconds, forward and backward, over widths and batch sizes."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from core.model.alignment import covariance_distance
from core.workers import torch_threads

WIDTHS = (16, 32, 64, 128, 256)
ROWS = (16, 32, 128, 512)
TIMES = 30


def alignment(clip: Path) -> dict[str, Any]:
    """Median milliseconds of the loss with its gradient, and its share of whole steps by the MOSI preset."""
    from core.benchmarks.training import settings_for, step_milliseconds

    preset = settings_for("none", 2)
    steps = {name: step_milliseconds(freeze) for name, freeze in (("fine-tuned", "none"), ("at rest", "all"))}
    torch.set_num_threads(torch_threads())
    _once(ROWS[0], WIDTHS[0])
    own = _milliseconds(preset.training.batch_size, preset.network.aligned_width)
    return {
        "threads": torch_threads(),
        "milliseconds": [{"d": d, "n": n, "ms": _milliseconds(n, d)} for d in WIDTHS for n in ROWS],
        "of_a_step": [
            {"text": name, "step_ms": ms, "alignment_ms": own, "share": own / ms}
            for name, ms in steps.items()
        ],
    }


def _milliseconds(rows: int, width: int) -> float:
    return 1000 * median(_once(rows, width) for _ in range(TIMES))


def _once(rows: int, width: int) -> float:
    audio, visual = (torch.randn(rows, width, requires_grad=True) for _ in range(2))
    started = perf_counter()
    covariance_distance(audio, visual).backward()
    return perf_counter() - started
