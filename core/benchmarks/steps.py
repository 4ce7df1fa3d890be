"""Steps of both ways of training in turns: a machine that others use is as slow for the one as for the other.

Of MOSI's number of rows, the preset's batches, learning alone: no validation, no checkpoints. What the
trainer's way makes once, tokens and what a resting text encoder makes of them, is made before.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from core.benchmarks import mosi_like, plain
from core.data.batches import feature_widths
from core.data.sources import load
from core.model.network import Network, load_tokenizer
from core.training import texts
from core.training.plan import Plan
from core.training.processes import Processes
from core.training.runs import Run
from core.training.settings import Settings, fitted
from core.training.stand import Work
from core.training.step import Trainer
from core.workers import torch_threads

ROWS = 1284
TURNS = {"none": 5, "all": 15}
"""How often the two take turns, with a text encoder that is fine-tuned and with one at rest."""
AT_ONCE = 4
"""Steps in a turn: one effective batch, the optimiser's move among them."""

Step = Callable[[], int]
"""Takes a step, gives the number of its samples."""


def beside(settings: Settings, aligned: bool) -> dict[str, float]:
    """Samples a second of the usual way and of ours, and the ratio: medians over the turns."""
    torch.set_num_threads(torch_threads())
    with tempfile.TemporaryDirectory() as folder:
        data = mosi_like.write(Path(folder) / "data.pkl", ROWS, 16, aligned=aligned)
        usual, ours = plain.steps(settings, data), _ours(settings, data, Path(folder))
        for step in (usual, ours):
            step()  # what is prepared at first belongs to neither
        turns = range(TURNS[settings.network.text_freeze])
        speeds = [(_speed(usual, AT_ONCE), _speed(ours, AT_ONCE)) for _ in turns]
    their, own = (median(side) for side in zip(*speeds, strict=True))
    ratio = median(ours / usual for usual, ours in speeds)
    return {"usual_samples_s": their, "ours_samples_s": own, "ratio": ratio}


def _speed(step: Step, times: int) -> float:
    started = perf_counter()
    rows = sum(step() for _ in range(times))
    return rows / (perf_counter() - started)


def _ours(settings: Settings, data: Path, folder: Path) -> Step:
    found = load(settings.data, data)
    settings = fitted(settings, feature_widths(found.part("train").samples))
    torch.manual_seed(settings.training.seed)
    tokenizer, network = load_tokenizer(settings.network), Network(settings.network)
    processes = Processes(settings.training)
    work = Work(settings, Run(folder), found, tokenizer, processes, lambda step, share: None)
    part, _ = texts.read(work, network)
    plan = Plan(part.samples, settings.training)
    trainer = Trainer(settings, network, tokenizer, part, found.sources, len(plan), processes)
    endless = (batch for epoch in itertools.count(1) for batch in enumerate(plan.epoch(epoch)))

    def step() -> int:
        number, rows = next(endless)
        trainer.step(2, number, rows)
        return len(rows)

    return step
