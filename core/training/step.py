"""One network in training: its optimiser, its schedule, its generated labels, one batch after the other."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.batches import Batch, collate
from core.data.sources import Part
from core.data.variation import Variation
from core.model.label_sources import label_source
from core.model.network import Network, Output
from core.training.composites import composite_loss
from core.training.losses import Targets, alignment_loss, alignment_weight, head_losses
from core.training.plan import shares
from core.training.settings import Settings, Source
from core.types import MODALITIES, Modality

BANK_ROWS = 128
"""Texts a step that the text head learns from while its encoder rests; without it they cost little."""


@dataclass(slots=True)
class Tally:
    """Means of what was seen in an epoch, by name."""

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + value
        self.counts[name] = self.counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        return {name: total / self.counts[name] for name, total in self.sums.items()}


@dataclass(frozen=True, slots=True)
class Bank:
    """What a finished text encoder makes of the training part's words: (N, F_t), and their labels (N,)."""

    encoded: Tensor
    labels: Tensor

    def loss(self, network: Network, rows: Tensor) -> Tensor:
        """Absolute error of the text head on these rows: it goes on learning while its encoder rests."""
        _, estimates, _ = network.heads["text"](self.encoded[rows])
        return (estimates.float() - self.labels[rows]).abs().mean()

    def beside(
        self,
        rows: Tensor,
        encoded: Mapping[Modality, Tensor],
        present: Mapping[Modality, Tensor],
        labels: Mapping[Modality, Tensor],
    ) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor], dict[Modality, Tensor]]:
        """The same three with these rows of the bank after them, as rows that have words only."""
        n, device = len(rows), self.encoded.device
        more: dict[Modality, Tensor] = {
            m: torch.zeros(n, encoded[m].shape[1], device=device) for m in MODALITIES
        }
        none = torch.full((n,), math.nan, device=device)
        more["text"], known = self.encoded[rows], {m: none for m in MODALITIES} | {"text": self.labels[rows]}
        there = {m: torch.full((n,), m == "text", device=device) for m in MODALITIES}
        return (
            {m: torch.cat([encoded[m].float(), more[m]]) for m in MODALITIES},
            {m: torch.cat([present[m], there[m]]) for m in MODALITIES},
            {m: torch.cat([labels[m], known[m]]) for m in MODALITIES},
        )


class Trainer:
    """Trains a network on one part. `step` takes a batch; every `accumulate` batches the weights move."""

    def __init__(
        self,
        settings: Settings,
        network: Network,
        tokenizer: Any,
        part: Part,
        sources: Sequence[Source],
        batches: int,
        bank: Bank | None = None,
    ) -> None:
        """batches: how many an epoch has. bank: words that composites are made with, beside the rows' own."""
        self.settings, self.network, self.tokenizer = settings, network, tokenizer
        self.samples, self.batches, self.bank = part.samples, batches, bank
        self.device = next(network.parameters()).device
        self._share = torch.from_numpy(shares(part, sources))
        self._groups = _parameter_groups(settings, network)
        self.optimiser = _OPTIMISERS[settings.training.optimiser](self._groups)
        self._rates = [group["lr"] for group in self.optimiser.param_groups]
        self.steps = 0
        self.average = copy.deepcopy(network).requires_grad_(False) if settings.training.average else None
        self.labels = label_source(settings, network, part.samples)
        self._random = torch.Generator().manual_seed(settings.training.seed)
        self._numbers = np.random.default_rng(settings.training.seed)
        self._vary = Variation(network.audio_encoder.scale.cpu().numpy())
        self.tally = Tally()

    @property
    def model(self) -> Network:
        """The network to judge by: the averaged one where weights are averaged."""
        return self.network if self.average is None else self.average

    def step(self, epoch: int, number: int, rows: list[int]) -> None:
        """Learn from batch `number` (from 0) of an epoch (from 1)."""
        training = self.settings.training
        self.network.train()
        batch = self._batch(rows)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=training.precision == "bfloat16"):
            output = self.network(batch)
            loss = self._loss(epoch, batch, output)
        if loss.requires_grad:
            loss.backward()
        self.labels.update(epoch, batch, output)
        self.tally.add("loss", float(loss.detach()))
        left_over = self.batches % training.accumulate
        last = number + 1 == self.batches and left_over
        if (number + 1) % training.accumulate == 0 or (last and not training.drop_left_over):
            self._move()
        elif last:
            self.optimiser.zero_grad()

    def _batch(self, rows: list[int]) -> Batch:
        samples = [self.samples[row] for row in rows]
        if self.settings.training.vary:
            samples = [self._vary(sample, self._numbers) for sample in samples]
        batch = collate(samples, self.tokenizer, rows, self.settings.data.max_tokens)
        if chance := self.settings.training.modality_dropout:
            batch = _hidden(batch, chance, self._random)
        return batch.to(self.device)

    def _loss(self, epoch: int, batch: Batch, output: Output) -> Tensor:
        settings = self.settings
        total = torch.zeros((), device=self.device)
        for head, loss in head_losses(output, self._targets(batch)).items():
            self.tally.add(f"loss_{head}", float(loss.detach()))
            total = total + loss
        if (loss := self.labels.loss(output)) is not None:
            self.tally.add("loss_labels", float(loss.detach()))
            total = total + loss
        drawn = None
        if self.bank is not None:
            drawn = torch.randint(len(self.bank.labels), (BANK_ROWS,), generator=self._random)
            loss = self.bank.loss(self.network, drawn)
            self.tally.add("loss_text", float(loss.detach()))
            total = total + loss
        if settings.training.composites:
            loss = self._composites(batch, output, drawn)
            if loss is not None:
                self.tally.add("loss_composites", float(loss.detach()))
                total = total + loss
        if weight := alignment_weight(settings.alignment, epoch):
            loss = alignment_loss(output, settings.alignment, settings.network.aligned_pairs)
            if loss is None:
                self.tally.add("unaligned", 1.0)
            else:
                self.tally.add("unaligned", 0.0)
                self.tally.add("loss_alignment", float(loss.detach()))
                total = total + weight * loss
        return total

    def _composites(self, batch: Batch, output: Output, drawn: Tensor | None) -> Tensor | None:
        encoded, present = output.encoded, output.present
        labels: dict[Modality, Tensor] = {m: batch.labels[m] for m in MODALITIES}
        if self.bank is not None and drawn is not None:
            rows = drawn[: self.settings.training.batch_size]
            encoded, present, labels = self.bank.beside(rows, encoded, present, labels)
        hide = self.settings.training.modality_dropout
        return composite_loss(self.network, encoded, present, labels, hide, self._random)

    def _targets(self, batch: Batch) -> Targets:
        labels, weights = self.labels.targets(batch)
        return Targets(labels, weights, self._share[batch.index].to(self.device))

    def _move(self) -> None:
        training = self.settings.training
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * self._schedule()
        if training.gradient_limit:
            parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, training.gradient_limit)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.steps += 1
        if self.average is not None:
            self._follow(min(training.average, self.steps / (self.steps + 9)))

    def _schedule(self) -> float:
        """Factor of the learning rates at this step: it rises over the warm-up, then stays or falls to 0."""
        training = self.settings.training
        total = max(1, training.epochs * math.ceil(self.batches / training.accumulate))
        warm = training.warm_up * total
        if self.steps < warm:
            return (self.steps + 1) / (warm + 1)
        if training.schedule == "constant":
            return 1.0
        return max(0.0, (total - self.steps) / max(1.0, total - warm))

    @torch.no_grad()
    def _follow(self, keep: float) -> None:
        """The average goes `1 - keep` of the way to the weights."""
        assert self.average is not None
        for mean, weight in zip(self.average.parameters(), self.network.parameters(), strict=True):
            if weight.requires_grad:
                mean.lerp_(weight, 1 - keep)


_OPTIMISERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}


def _parameter_groups(settings: Settings, network: Network) -> list[dict[str, Any]]:
    """Parameters by learning rate; biases and norms do not decay."""
    rates, decays = settings.training.learning_rate, settings.training.weight_decay
    groups = []
    for name, parameters in network.groups().items():
        for decays_here in (True, False):
            chosen = [p for _, p in parameters if (p.ndim > 1) == decays_here]
            if chosen:
                decay = getattr(decays, name) if decays_here else 0.0
                groups.append({"params": chosen, "lr": getattr(rates, name), "weight_decay": decay})
    return groups


def _hidden(batch: Batch, chance: float, random: torch.Generator) -> Batch:
    """Modality dropout of rows that have several; one always stays."""
    several = torch.stack([batch.present[m] for m in MODALITIES]).sum(dim=0) > 1
    keep = torch.randint(len(MODALITIES), (len(batch),), generator=random)
    for number, modality in enumerate(MODALITIES):
        rows = (torch.rand(len(batch), generator=random) < chance) & several & (keep != number)
        # A row whose one kept modality is missing anyway could lose all it has.
        rows &= torch.stack([batch.present[m] for i, m in enumerate(MODALITIES) if i != number]).any(dim=0)
        batch = batch.without(modality, rows)
    return batch
