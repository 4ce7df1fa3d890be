"""One network in training: its optimiser, its schedule, its labels, one batch after the other."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.batches import Batch, collate
from core.data.sources import Part
from core.data.variation import Variation
from core.model.alignment import relative_distance
from core.model.label_sources import label_source
from core.model.network import Network, Output
from core.training import randomness
from core.training.bank import Bank
from core.training.composites import composite_loss
from core.training.losses import (
    Targets,
    aligned_pairs,
    alignment_loss,
    alignment_weight,
    head_loss,
    judged_rows,
)
from core.training.plan import shares
from core.training.processes import Processes
from core.training.settings import Settings, Source
from core.training.tally import Tally
from core.training.word_gradient import WordGradient
from core.types import MODALITIES, Modality

BANK_ROWS = 128
"""Texts a step that the text head learns from while its encoder rests; without it they cost little."""
LOOK_EVERY = 20
"""Batches between two looks at figures that are not free."""


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
        processes: Processes,
        bank: Bank | None = None,
    ) -> None:
        """batches: how many an epoch has. bank: words that composites are made with, beside the rows' own."""
        self.settings, self.network, self.tokenizer = settings, network, tokenizer
        self.samples, self.batches, self.bank, self.processes = part.samples, batches, bank, processes
        self.device = next(network.parameters()).device
        self._share = torch.from_numpy(shares(part, sources))
        self._groups = _parameter_groups(settings, network)
        # One pass over all weights instead of a dozen, which a fine-tuned encoder notices.
        self._fused = self.device.type in ("cpu", "cuda")
        self.optimiser = _OPTIMISERS[settings.training.optimiser](self._groups, fused=self._fused)
        self._rates = [group["lr"] for group in self.optimiser.param_groups]
        self._words = WordGradient(network.word_embedding)
        self.steps = 0
        self.average = copy.deepcopy(network).requires_grad_(False) if settings.training.average else None
        self.labels = label_source(settings, network, part.samples)
        seed = settings.training.seed + processes.rank  # each process draws for its own rows
        self._random = torch.Generator().manual_seed(seed)
        self._numbers = np.random.default_rng(seed)
        self._vary = Variation(network.audio_encoder.scale.cpu().numpy())
        self.tally = Tally()

    @property
    def model(self) -> Network:
        """The network to judge by: the averaged one where weights are averaged."""
        return self.network if self.average is None else self.average

    @property
    def rate(self) -> float:
        """The learning rate of the last step, of everything that is no encoder."""
        return self.optimiser.param_groups[-1]["lr"]

    def step(self, epoch: int, number: int, rows: list[int]) -> None:
        """Learn from batch `number` (from 0) of an epoch (from 1)."""
        training = self.settings.training
        if not self.network.training:  # it goes through every layer of the encoder, ten times a second
            self.network.train()
        batch = self._batch(self.processes.own(rows))
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.processes.bfloat16):
            output = self.network(batch)
            loss = self._loss(epoch, number, batch, output)
        if loss.requires_grad:
            loss.backward()
            self._words.collect()
        self.labels.update(epoch, batch, output, self.processes.gather)
        left_over = self.batches % training.accumulate
        last = number + 1 == self.batches and left_over
        if (number + 1) % training.accumulate == 0 or (last and not training.drop_left_over):
            self._move()
        elif last:
            self._forget()

    def _batch(self, rows: list[int]) -> Batch:
        samples = [self.samples[row] for row in rows]
        if self.settings.training.vary:
            samples = [self._vary(sample, self._numbers) for sample in samples]
        batch = collate(samples, self.tokenizer, rows, self.settings.data.max_tokens)
        if chance := self.settings.training.modality_dropout:
            batch = _hidden(batch, chance, self._random)
        return batch.to(self.device)

    def _loss(self, epoch: int, number: int, batch: Batch, output: Output) -> Tensor:
        """The batch's loss, or this process's share of it: the shares add up."""
        terms: list[tuple[str, Tensor]] = self._head_losses(batch, output)
        drawn = None
        if (loss := self.labels.loss(output)) is not None:
            terms.append(("labels", loss))
        if self.bank is not None:
            drawn = torch.randint(len(self.bank.labels), (BANK_ROWS,), generator=self._random)
            terms.append(("text", self.bank.loss(self.network, drawn) / self.processes.count))
        if self.settings.training.composites:
            loss = self._composites(batch, output, drawn)
            if loss is not None:
                terms.append(("composites", loss / self.processes.count))
        total = torch.zeros((), device=self.device)
        for name, loss in terms:
            self.tally.add(f"loss_{name}", float(loss.detach()))
            total = total + loss
        told = float(total.detach())
        weight = alignment_weight(self.settings.alignment, epoch)
        with torch.set_grad_enabled(weight > 0):  # without a weight it is told all the same, to compare
            loss = self._alignment(number, output)
        if weight:
            told += weight * float(loss.detach()) / self.processes.count
            total = total + weight * loss
        self.tally.add("loss", told)
        return total

    def _head_losses(self, batch: Batch, output: Output) -> list[tuple[str, Tensor]]:
        targets = self._targets(batch)
        rows = judged_rows(output, targets)
        counts = self.processes.total([float(chosen.sum()) for chosen in rows.values()])
        terms: list[tuple[str, Tensor]] = []
        for (head, chosen), count in zip(rows.items(), counts, strict=True):
            if count:
                terms.append((head, head_loss(head, output, targets, chosen, count)))
                if head != "multimodal":
                    self.tally.add(f"weight_{head}", float(targets.weights[head][chosen].sum()) / count)
        return terms

    def _alignment(self, number: int, output: Output) -> Tensor:
        """L_align of the gathered batch, 0 where it has too few rows. Every process has the whole of it."""
        pairs = aligned_pairs(output, self.settings.network.aligned_pairs, self.processes.gather_some)
        share = 1 / self.processes.count
        self.tally.add("unaligned", 0.0 if pairs else share)
        if not pairs:
            return torch.zeros((), device=self.device)
        loss = alignment_loss(pairs, self.settings.alignment)
        self.tally.add("alignment", float(loss.detach()) * share)
        if number % LOOK_EVERY == 0:
            with torch.no_grad():
                relative = torch.stack([relative_distance(*pair) for pair in pairs]).mean()
            self.tally.add("alignment_relative", float(relative) * share)
        return loss

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
        self._words.hand_over()
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        self.processes.sum_gradients(parameters)
        if training.gradient_limit:
            torch.nn.utils.clip_grad_norm_(parameters, training.gradient_limit)
        self.optimiser.step()
        self._forget()
        self.steps += 1
        if self.average is not None:
            self._follow(min(training.average, self.steps / (self.steps + 9)))

    def _forget(self) -> None:
        self.optimiser.zero_grad()
        self._words.forget()

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

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs to go on with the same numbers, by name."""
        names: dict[Tensor, str] = {parameter: name for name, parameter in self.network.named_parameters()}
        moments = {names[parameter]: dict(kept) for parameter, kept in self.optimiser.state.items()}
        return {
            "steps": self.steps,
            "network": _learned(self.network, self.network),
            "average": None if self.average is None else _learned(self.average, self.network),
            "optimiser": moments,
            "rates": [group["lr"] for group in self.optimiser.param_groups],
            "gradients": {
                **{name: p.grad for p, name in names.items() if p.grad is not None},
                **{names[p]: gradient for p, gradient in self._words.held()},
            },
            "labels": self.labels.state_dict(),
            "tally": self.tally.state(),
            "random": self.processes.collected(
                {
                    **randomness.states(),
                    "trainer": self._random.get_state(),
                    "numbers": self._numbers.bit_generator.state,
                }
            ),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over the state of a trainer of the same settings and data; ValueError, KeyError otherwise."""
        self.steps = state["steps"]
        _put(self.network, state["network"])
        if self.average is not None:
            _put(self.average, state["average"])
        for name, parameter in self.network.named_parameters():
            if name in state["optimiser"]:
                moments = state["optimiser"][name].items()
                self.optimiser.state[parameter] = {
                    k: _beside(v, k, parameter, self._fused) for k, v in moments
                }
            if name in state["gradients"]:
                parameter.grad = state["gradients"][name].to(parameter.device)
        self._words.collect()
        for group, rate in zip(self.optimiser.param_groups, state["rates"], strict=True):
            group["lr"] = rate
        self.labels.load_state_dict(state["labels"])
        self.tally = Tally(**state["tally"]) if self.processes.main else Tally().like(state["tally"])
        if self.processes.rank < len(state["random"]):  # more processes than before draw anew
            random = state["random"][self.processes.rank]
            randomness.restore(random)
            self._random.set_state(random["trainer"])
            self._numbers.bit_generator.state = random["numbers"]


_OPTIMISERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}


def _parameter_groups(settings: Settings, network: Network) -> list[dict[str, Any]]:
    """Parameters by learning rate; biases and norms do not decay, unless the settings say so."""
    rates, decays = settings.training.learning_rate, settings.training.weight_decay
    groups = []
    for name, parameters in network.groups().items():
        for decays_here in (True, False):
            all_decay = settings.training.decay_biases and name != "text"
            chosen = [p for _, p in parameters if (p.ndim > 1 or all_decay) == decays_here]
            if chosen:
                decay = getattr(decays, name) if decays_here else 0.0
                groups.append({"params": chosen, "lr": getattr(rates, name), "weight_decay": decay})
    return groups


def _learned(network: Network, learning: Network) -> dict[str, Tensor]:
    """What training changes of a network: all but the parameters that rest in the one that learns."""
    resting = {name for name, p in learning.named_parameters() if not p.requires_grad}
    return {name: tensor for name, tensor in network.state_dict().items() if name not in resting}


def _put(network: Network, tensors: dict[str, Tensor]) -> None:
    """Lay these over the network's; ValueError for one that it does not have."""
    strange = network.load_state_dict(tensors, strict=False).unexpected_keys
    if strange:
        raise ValueError(f"a tensor “{strange[0]}” of another network")


def _beside(value: Any, name: str, parameter: Tensor, fused: bool) -> Any:
    """A moment of the optimiser where that keeps it: beside the parameter.

    So is, as float32, its count of steps where one kernel does the whole step (fused); else it stays.
    """
    if not isinstance(value, Tensor) or (name == "step" and not fused):
        return value
    return value.to(parameter.device, torch.float32 if name == "step" else value.dtype)


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
