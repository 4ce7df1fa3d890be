"""The part of a preflight that tries: the network is built and learns from a few real batches, timed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from core.data.batches import Sample, feature_widths, tokenised
from core.data.parts import DataSet, Part
from core.model.network import load_tokenizer
from core.training.evaluate import judge
from core.training.loop import _build as build
from core.training.loop import _prepare as prepare
from core.training.plan import Plan
from core.training.processes import Processes
from core.training.settings import Settings, fitted
from core.training.step import Trainer

TRIED = 3
"""Batches: one to warm up, two that are timed."""
KEPT = 4
"""Files of about the size of all weights that a run keeps: the best, the finished, and the last, in which the
optimiser has two numbers more for each weight, counted apart."""
MARGIN = 20_000_000
"""Bytes for events, logs and reports."""


@dataclass(frozen=True, slots=True)
class Trial:
    """batch_s, valid_s: seconds of a batch of training and of all validation. memory: peak bytes of the
    process; device_memory: of the accelerator, None without one. files: bytes that a run would write."""

    batch_s: float
    valid_s: float
    batches: int
    memory: int
    device_memory: int | None
    files: int


def try_out(settings: Settings, data: DataSet) -> Trial:
    """Learn from TRIED batches of the data as a run would, and forget it.

    Raises SettingsError and AssetError, and RuntimeError where the device cannot do it (out of memory).
    """
    memory = _Memory()
    processes = Processes(settings.training)
    prepare(settings, processes)
    train = data.part("train")
    settings = fitted(settings, feature_widths(train.samples))
    tokenizer = load_tokenizer(settings.network)
    network = build(settings, train, processes)
    memory.look()
    plan = Plan(train.samples, settings.training, mixed=len(data.sources) > 1)
    rows = _spread(plan)
    part = _small(train, rows, tokenizer, settings.data.max_tokens)
    trainer = Trainer(settings, network, tokenizer, part, data.sources, len(plan), processes)
    seconds = _timed(trainer, [len(batch) for batch in rows], memory)
    valid_s = _validation(settings, trainer, data.part("valid").samples, tokenizer)
    weights = sum(p.numel() * p.element_size() for p in network.parameters())
    learned = sum(p.numel() * p.element_size() for p in network.parameters() if p.requires_grad)
    return Trial(
        batch_s=seconds,
        valid_s=valid_s,
        batches=len(plan),
        memory=memory.peak,
        device_memory=memory.device_peak(trainer.device),
        files=KEPT * weights + 2 * learned + MARGIN,
    )


def _spread(plan: Plan) -> list[list[int]]:
    """Batches of the first epoch, from different places of it, for they are sorted by length in stretches."""
    wanted = {round(i * (len(plan) - 1) / (TRIED - 1)) for i in range(TRIED)}
    found = [rows for number, rows in enumerate(plan.epoch(1)) if number in wanted]
    return (found * TRIED)[:TRIED]


def _small(train: Part, batches: list[list[int]], tokenizer: Any, limit: int) -> Part:
    """The rows of these batches alone, one batch after the other."""
    part = train.take([row for rows in batches for row in rows])
    if tokenizer is None:
        return part
    return Part([tokenised(sample, tokenizer, limit) for sample in part.samples], part.sources)


def _timed(trainer: Trainer, sizes: list[int], memory: _Memory) -> float:
    """Mean seconds of a batch. The weights move once in `accumulate` batches, so that is timed apart."""
    every = trainer.settings.training.accumulate
    start, seconds = 0, []
    for tried, size in enumerate(sizes):
        moves = tried != 1 or every == 1
        before = time.perf_counter()
        trainer.step(1, every - 1 if moves else 0, list(range(start, start + size)))
        _wait_for(trainer.device)
        seconds.append(time.perf_counter() - before)
        start += size
        memory.look()
    still, moved = seconds[1:]
    return (still + moved) / 2 if every == 1 else still + max(0.0, moved - still) / every


def _validation(settings: Settings, trainer: Trainer, samples: Any, tokenizer: Any) -> float:
    """Seconds of judging all validation rows, from one batch of them; a broken part fails here."""
    few: list[Sample] = [samples[i] for i in range(min(len(samples), settings.training.batch_size))]
    if not few:
        return 0.0
    before = time.perf_counter()
    judge(trainer.model, tokenizer, few, settings.data.max_tokens)
    _wait_for(trainer.device)
    return (time.perf_counter() - before) * len(samples) / len(few)


def _wait_for(device: torch.device) -> None:
    """Accelerators work on while Python goes on."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class _Memory:
    """The most memory of this process at the moments that it is looked at."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.peak = 0
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        self.look()

    def look(self) -> None:
        self.peak = max(self.peak, self._process.memory_info().rss)

    @staticmethod
    def device_peak(device: torch.device) -> int | None:
        return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
