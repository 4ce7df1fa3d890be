"""The part of a preflight that tries: the network is built and learns from a few real batches, timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psutil
import torch

from core.data.batches import Sample, collate, feature_widths, has, tokenised
from core.data.parts import DataSet, Part
from core.model.network import Network, load_tokenizer
from core.training.evaluate import judge
from core.training.loop import build, prepare
from core.training.plan import Plan
from core.training.processes import Processes
from core.training.settings import Settings, fitted
from core.training.step import Trainer

TRIED = 3
"""Batches: one to warm up, two that are timed."""
KEPT = 8
"""Numbers on disk, at most, for each weight that learns: one in the best and in the finished network, three
(two are the optimiser's) in the last checkpoint and in the one before. What rests is not written."""
ENCODED = 16
"""Texts encoded at once, where their encoder rests."""
MARGIN = 20_000_000
"""Bytes for events, logs and reports."""


@dataclass(frozen=True, slots=True)
class Trial:
    """first_s: seconds before the first epoch, of encoding words once where their encoder rests. batch_s,
    valid_s: of a batch of training and of all validation. memory: peak bytes of the process; device_memory:
    of the accelerator, None without one. files: bytes that a run would write."""

    first_s: float
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
    batches = _spread(plan)
    part = train.take([row for rows in batches for row in rows])
    words = _Words(settings, network, tokenizer)
    part = Part(words.prepared(part.samples), part.sources)
    trainer = Trainer(settings, network, tokenizer, part, data.sources, len(plan), processes)
    batch_s = _timed(trainer, [len(rows) for rows in batches], memory)
    valid = data.part("valid").samples
    valid_s = _validation(settings, trainer, words, valid)
    learned = sum(p.numel() * p.element_size() for p in network.parameters() if p.requires_grad)
    return Trial(
        first_s=words.text_s * (len(train) + len(valid)),
        batch_s=batch_s,
        valid_s=valid_s,
        batches=len(plan),
        memory=memory.peak,
        device_memory=memory.device_peak(trainer.device),
        files=KEPT * learned + MARGIN,
    )


def _spread(plan: Plan) -> list[list[int]]:
    """Batches of the first epoch, from different places of it, for they are sorted by length in stretches."""
    wanted = {round(i * (len(plan) - 1) / (TRIED - 1)) for i in range(TRIED)}
    found = [rows for number, rows in enumerate(plan.epoch(1)) if number in wanted]
    return (found * TRIED)[:TRIED]


class _Words:
    """Prepares words as a run does before its first epoch: as tokens, or encoded where the encoder rests."""

    def __init__(self, settings: Settings, network: Network, tokenizer: Any) -> None:
        self._network, self._tokenizer = network, tokenizer
        self._limit = settings.data.max_tokens
        self._rests = tokenizer is not None and settings.network.text_freeze == "all"
        self.text_s = 0.0
        """Seconds of encoding one text, 0 where that is part of every batch."""

    def prepared(self, samples: Sequence[Sample]) -> list[Sample]:
        """The samples, held in memory, with their words prepared."""
        if self._tokenizer is None:
            return list(samples)
        made = [tokenised(sample, self._tokenizer, self._limit) for sample in samples]
        there = [sample for sample in made if has(sample, "text")]
        if not self._rests or not there:
            return made
        vectors = iter(self._encoded(there))
        return [replace(sample, text=next(vectors)) if has(sample, "text") else sample for sample in made]

    @torch.inference_mode()
    def _encoded(self, samples: list[Sample]) -> list[np.ndarray]:
        """F_t of each sample's words; texts of like length together, as the run encodes them."""
        self._network.eval()
        device = next(self._network.parameters()).device
        lengths = [0 if sample.text is None else len(sample.text) for sample in samples]
        order = sorted(range(len(samples)), key=lengths.__getitem__)
        made: dict[int, np.ndarray] = {}
        before = time.perf_counter()
        for first in range(0, len(order), ENCODED):
            rows = order[first : first + ENCODED]
            words = [replace(samples[row], audio=None, visual=None) for row in rows]
            batch = collate(words, self._tokenizer, max_tokens=self._limit).to(device)
            assert batch.text_ids is not None
            assert batch.text_mask is not None
            vectors = self._network.encode_text(batch.text_ids, batch.text_mask).float().cpu().numpy()
            made |= dict(zip(rows, vectors, strict=True))
        self.text_s = (time.perf_counter() - before) / len(samples)
        return [made[row] for row in range(len(samples))]


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


def _validation(settings: Settings, trainer: Trainer, words: _Words, samples: Sequence[Sample]) -> float:
    """Seconds of judging all validation rows, from one batch of them; a broken part fails here."""
    few = words.prepared([samples[i] for i in range(min(len(samples), settings.training.batch_size))])
    if not few:
        return 0.0
    before = time.perf_counter()
    judge(trainer.model, trainer.tokenizer, few, settings.data.max_tokens)
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
