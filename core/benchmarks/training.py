"""How fast training is beside the same network trained the usual way, on data of MOSI's shapes.

Both sides in one run, one after the other, on the same threads; an epoch is learning and validation. The
first epoch is left out (what is made once is told apart), ratios are what counts.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from core.benchmarks import mosi_like, plain, steps
from core.training.loop import train
from core.training.runs import Run
from core.training.settings import Settings, load
from core.workers import torch_threads

VALID = 128
ROWS = {"none": 320, "all": 1284}
"""Rows to learn from with a text encoder that is fine-tuned, and with one at rest, where epochs are short."""
EPOCHS = 3
OURS_AT_REST = 12
"""Epochs of our side with a text encoder at rest: three would be over before the clock has seen much."""
CELLS = [(freeze, aligned) for freeze in ("none", "all") for aligned in (True, False)]


def training(clip: Path) -> dict[str, Any]:
    """Samples a second, ratio and validation error at equal epochs, and steps alone; see the modules."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [_cell(Path(folder), freeze, aligned) for freeze, aligned in CELLS]
    alone = [
        {**_named(freeze, aligned), **steps.beside(settings_for(freeze, EPOCHS), aligned)}
        for freeze, aligned in CELLS
    ]
    return {"threads": torch_threads(), "epochs": EPOCHS, "whole_epochs": rows, "steps_in_turns": alone}


def settings_for(freeze: str, epochs: int) -> Settings:
    """The MOSI preset, its text encoder fine-tuned ("none") or at rest ("all")."""
    changes = [f"training.epochs={epochs}", f"training.patience={epochs}", f"network.text_freeze={freeze}"]
    return load("mosi", [*changes, "training.device=cpu", f"training.threads={torch_threads()}"])


def _cell(folder: Path, freeze: str, aligned: bool) -> dict[str, Any]:
    name = f"{'frozen' if freeze == 'all' else 'tuned'}-{'aligned' if aligned else 'unaligned'}"
    rows = ROWS[freeze]
    data = mosi_like.write(folder / f"{name}.pkl", rows, VALID, aligned=aligned)
    ours = _ours(settings_for(freeze, OURS_AT_REST if freeze == "all" else EPOCHS), data, folder / name)
    torch.set_num_threads(torch_threads())
    usual = plain.train(settings_for(freeze, EPOCHS), data, EPOCHS)
    seconds = sum(epoch["seconds"] for epoch in usual[1:]) / (EPOCHS - 1)
    return {
        **_named(freeze, aligned),
        "rows": rows,
        "usual_samples_s": rows / seconds,
        "ours_samples_s": rows / ours["epoch_s"],
        "ratio": seconds / ours["epoch_s"],
        "usual_mae": usual[-1]["mae"],
        "ours_mae": ours["mae"],
        "ours_once_s": ours["once_s"],
    }


def _named(freeze: str, aligned: bool) -> dict[str, str]:
    return {
        "text": "at rest" if freeze == "all" else "fine-tuned",
        "sequences": "aligned" if aligned else "unaligned",
    }


def _ours(settings: Settings, data: Path, run: Path) -> dict[str, float]:
    """A run as any other, measured by its events: `once_s` is what came before its second epoch's batches."""
    started = perf_counter()
    train(settings, data, run)
    total = perf_counter() - started
    events = Run(run).events()[0]
    ends = [event["t"] for event in events if event["kind"] == "epoch"]
    each = (ends[-1] - ends[0]) / (len(ends) - 1)
    found = [event["valid"] for event in events if event["kind"] == "epoch"]
    return {"epoch_s": each, "mae": found[EPOCHS - 1]["mae"], "once_s": total - each * len(ends)}


def step_milliseconds(freeze: str) -> float:
    """Median time of a step on unaligned sequences, by the run's own account."""
    with tempfile.TemporaryDirectory() as folder:
        data = mosi_like.write(Path(folder) / "data.pkl", 24 * 16, 16, aligned=False)
        settings = settings_for(freeze, 2)
        train(settings, data, Path(folder) / "run")
        events = Run(Path(folder) / "run").events()[0]
    speeds = [event["samples_s"] for event in events if event["kind"] == "step"]
    return 1000 * settings.training.batch_size / median(speeds)
