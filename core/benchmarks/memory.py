"""What training takes of memory: beside the usual way, and as data grows tenfold. Each in its own process.

`peak` is the resident memory at its highest, which counts pages of mapped files that the system may drop;
`private` is what belongs to the process alone.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from core.benchmarks import mosi_like
from core.errors import UserError
from core.workers import torch_threads

ROWS, VALID = 320, 64
FEW, MANY = 400, 4_000
"""Rows of the data that grows; unaligned, 47 kB each as they lie in the dataset file."""
LOOK_EVERY = 0.02
MEGABYTE = 1 << 20


def memory(clip: Path) -> dict[str, Any]:
    """Megabytes at their highest; see the module."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = mosi_like.write(folder / "beside.pkl", ROWS, VALID, aligned=False)
        beside = {
            "usual way": _peak(_usual, data, folder),
            "ours": _peak(_ours, data, folder),
            "ours, text at rest": _peak(_ours_resting, data, folder),
        }
        grown = {rows: _grown(rows, folder) for rows in (FEW, MANY)}
    return {
        "threads": torch_threads(),
        "fine_tuned_mb": [{"training": name, **peak} for name, peak in beside.items()],
        "usual_over_ours": beside["usual way"]["private"] / beside["ours"]["private"],
        "growing_mb": [{"rows": rows, **peak} for rows, peak in grown.items()],
        "ten_times_the_rows": grown[MANY]["private"] / grown[FEW]["private"],
    }


def _grown(rows: int, folder: Path) -> dict[str, float]:
    """Of an epoch on data that was read once before; `file` is the dataset file's size."""
    data = mosi_like.write(folder / f"{rows}.pkl", rows, VALID, aligned=False)
    reading = _peak(_read, data, folder)
    return {**_peak(_ours_vectors, data, folder), "reading": reading["private"], "file": _size(data)}


def _size(path: Path) -> float:
    return path.stat().st_size / MEGABYTE


def _peak(work: Callable[[Path, Path], None], data: Path, folder: Path) -> dict[str, float]:
    """Highest memory of a process that does the work."""
    child = multiprocessing.get_context("spawn").Process(target=work, args=(data, folder))
    child.start()
    seen, peak, private = psutil.Process(child.pid), 0, 0
    while child.is_alive():
        try:
            now = seen.memory_full_info()
            peak, private = max(peak, now.rss), max(private, now.uss)
        except psutil.Error:
            break
        time.sleep(LOOK_EVERY)
    child.join()
    if child.exitcode:
        raise UserError(f"The training that was to be measured ended with {child.exitcode}.")
    return {"peak": peak / MEGABYTE, "private": private / MEGABYTE}


def _usual(data: Path, folder: Path) -> None:
    import torch

    from core.benchmarks import plain
    from core.benchmarks.training import settings_for

    torch.set_num_threads(torch_threads())
    plain.train(settings_for("none", 1), data, 1)


def _ours(data: Path, folder: Path) -> None:
    _train("none", data, folder / "run")


def _ours_resting(data: Path, folder: Path) -> None:
    _train("all", data, folder / "resting")


def _ours_vectors(data: Path, folder: Path) -> None:
    """Without a text encoder, whose size would hide the data's."""
    _train("none", data, folder / f"run-{data.stem}", "")


def _train(freeze: str, data: Path, run: Path, encoder: str = "text-encoder") -> None:
    from core.benchmarks.training import settings_for
    from core.training.loop import train

    settings = settings_for(freeze, 1)
    network = settings.network.model_copy(update={"text_encoder": encoder})
    train(settings.model_copy(update={"network": network}), data, run)


def _read(data: Path, folder: Path) -> None:
    """What the first run on a dataset file does once."""
    from core.data.sources import load
    from core.training.settings import DataSettings

    load(DataSettings(text="vectors"), data)
