"""What label generation costs a step as the training set grows: flat, for centres are running sums."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from core.model.label_generation import UnimodalLabels
from core.types import Head
from core.workers import torch_threads

WIDTHS: dict[Head, int] = {"multimodal": 128, "text": 32, "audio": 16, "visual": 32}
BATCH = 32
SIZES = (1_000, 10_000, 100_000)
TIMES = 100


def labels(clip: Path) -> dict[str, Any]:
    """Median milliseconds of an update by rows of the training set, and of the pass once an epoch."""
    torch.set_num_threads(torch_threads())
    _steps(SIZES[0])
    rows = [{"rows": n, **_steps(n)} for n in SIZES]
    return {
        "threads": torch_threads(),
        "milliseconds": rows,
        "largest_over_smallest": rows[-1]["step_ms"] / rows[0]["step_ms"],
    }


def _steps(rows: int) -> dict[str, float]:
    made = UnimodalLabels(torch.randn(rows), WIDTHS, 3.0)
    first = _timed(made, rows, 2)
    return {"step_ms": median(_timed(made, rows, 2) for _ in range(TIMES)), "first_of_epoch_ms": first}


def _timed(made: UnimodalLabels, rows: int, epoch: int) -> float:
    index = torch.randint(rows, (BATCH,))
    representations = {head: torch.randn(BATCH, width) for head, width in WIDTHS.items()}
    started = perf_counter()
    made.update(epoch, index, representations)
    return 1000 * (perf_counter() - started)
