"""Where the labels of the single modalities come from. A setting chooses; all look like `GivenLabels`.

For every batch the trainer asks a source what the heads are to say (`targets`) and whether something of its
own is to be learned (`loss`); after the backward pass it shows the source what came of it (`update`). Rows
without a multimodal label keep, with every source, what labels the data gives them: they train what they can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.data.batches import Batch, Sample, has
from core.model.adversary import Adversary
from core.model.label_generation import UnimodalLabels
from core.model.label_teacher import Teacher
from core.model.network import Network, Output
from core.types import HEADS, MODALITIES, Head

if TYPE_CHECKING:
    from core.training.settings import Settings

ByHead = dict[Head, Tensor]
Gather = Callable[[Tensor], Tensor]
"""Rows (B, …) of this process -> those of all processes, in one order."""


@dataclass(slots=True)
class GivenLabels:
    """The labels that the data has: people's, where they judged the modalities apart ("human")."""

    settings: Settings
    network: Network
    samples: Sequence[Sample]

    def targets(self, batch: Batch) -> tuple[ByHead, ByHead]:
        """Labels, NaN where there is none, and weights w_s of the batch's rows: (B,) by head."""
        return dict(batch.labels), {head: torch.ones_like(batch.labels[head]) for head in HEADS}

    def loss(self, output: Output) -> Tensor | None:
        """A further term of the batch's loss, weighted already; None where there is none."""
        return None

    def update(self, epoch: int, batch: Batch, output: Output, gather: Gather = lambda rows: rows) -> None:
        """See a batch of epoch 1, 2, … after its backward pass."""

    def diagnostics(self) -> dict[str, dict[str, float]]:
        """For the log, by modality."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs to go on with the same numbers (copies)."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state of the same training set and settings."""


class NoLabels(GivenLabels):
    """The multimodal label alone ("none")."""

    def targets(self, batch: Batch) -> tuple[ByHead, ByHead]:
        labels, weights = super().targets(batch)
        nothing = {m: torch.full_like(labels[m], math.nan) for m in MODALITIES}
        return labels | nothing, weights


class GeneratedLabels(GivenLabels):
    """The paper's, see `core.model.label_generation` ("generated")."""

    def __init__(self, settings: Settings, network: Network, samples: Sequence[Sample]) -> None:
        super().__init__(settings, network, samples)
        widths: dict[Head, int] = {head: getattr(settings.network.head_widths, head) for head in HEADS}
        self.bank = UnimodalLabels(
            multimodal(samples),
            widths,
            settings.labels.limit,
            settings.labels.zero_is_positive,
            distance=settings.labels.distance,
            present={m: torch.tensor([has(s, m) for s in samples], dtype=torch.bool) for m in MODALITIES},
        )

    def targets(self, batch: Batch) -> tuple[ByHead, ByHead]:
        labels, weights = super().targets(batch)
        for head in HEADS:
            made = self.bank.labels[head][batch.index].to(labels[head].device)
            weight = self.bank.weights(head, batch.index).to(made.device)
            # Rows without a multimodal label have nothing generated: what labels they have count in full.
            weights[head] = torch.where(made.isnan(), weights[head], weight)
            labels[head] = torch.where(made.isnan(), labels[head], made)
        return labels, weights

    def update(self, epoch: int, batch: Batch, output: Output, gather: Gather = lambda rows: rows) -> None:
        hidden = {head: gather(output.hidden[head].detach().float()) for head in HEADS}
        present = {m: gather(output.present[m]) for m in MODALITIES}
        self.bank.update(epoch, gather(batch.index), hidden, present)

    def diagnostics(self) -> dict[str, dict[str, float]]:
        return self.bank.diagnostics()

    def state_dict(self) -> dict[str, Any]:
        return self.bank.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.bank.load_state_dict(state)


class TeacherLabels(GivenLabels):
    """What a slow copy of the network says of each modality, see `core.model.label_teacher` ("teacher")."""

    def __init__(self, settings: Settings, network: Network, samples: Sequence[Sample]) -> None:
        super().__init__(settings, network, samples)
        self.teacher = Teacher(
            network, multimodal(samples), settings.labels.limit, settings.labels.teacher_decay
        )

    def targets(self, batch: Batch) -> tuple[ByHead, ByHead]:
        labels, weights = super().targets(batch)
        for modality in MODALITIES:
            made = self.teacher.labels[modality][batch.index].to(labels[modality].device)
            labels[modality] = torch.where(made.isnan(), labels[modality], made)
        return labels, weights

    def update(self, epoch: int, batch: Batch, output: Output, gather: Gather = lambda rows: rows) -> None:
        self.teacher.follow(self.network)
        if epoch > 1:
            estimates = {m: gather(x) for m, x in self.teacher.estimates(batch).items()}
            present = {m: gather(output.present[m]) for m in MODALITIES}
            self.teacher.update(epoch, gather(batch.index), estimates, present)

    def diagnostics(self) -> dict[str, dict[str, float]]:
        return self.teacher.diagnostics()

    def state_dict(self) -> dict[str, Any]:
        return self.teacher.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.teacher.load_state_dict(state)


class AdversarialLabels(GivenLabels):
    """Every head learns the multimodal label, from representations that a discriminator shall not be able to
    tell apart, see `core.model.adversary` ("adversarial"). What a person said of a modality goes before."""

    def __init__(self, settings: Settings, network: Network, samples: Sequence[Sample]) -> None:
        super().__init__(settings, network, samples)
        widths = {m: getattr(settings.network.head_widths, m) for m in MODALITIES}
        self.adversary = Adversary(widths, settings.labels.adversary_weight, settings.training.seed)
        self.adversary.to(next(network.parameters()).device)

    def targets(self, batch: Batch) -> tuple[ByHead, ByHead]:
        labels, weights = super().targets(batch)
        for m in MODALITIES:
            labels[m] = torch.where(labels[m].isnan(), labels["multimodal"], labels[m])
        return labels, weights

    def loss(self, output: Output) -> Tensor | None:
        return self.adversary.loss(output.hidden, output.present)

    def update(self, epoch: int, batch: Batch, output: Output, gather: Gather = lambda rows: rows) -> None:
        self.adversary.learn(epoch)

    def diagnostics(self) -> dict[str, dict[str, float]]:
        return self.adversary.diagnostics()

    def state_dict(self) -> dict[str, Any]:
        return self.adversary.state()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.adversary.load_state(state)


LABEL_SOURCES: dict[str, Callable[[Settings, Network, Sequence[Sample]], GivenLabels]] = {
    "generated": GeneratedLabels,
    "human": GivenLabels,
    "none": NoLabels,
    "teacher": TeacherLabels,
    "adversarial": AdversarialLabels,
}


def label_source(settings: Settings, network: Network, samples: Sequence[Sample]) -> GivenLabels:
    """The source of labels that the settings name, for this training set."""
    return LABEL_SOURCES[settings.labels.kind](settings, network, samples)


def multimodal(samples: Sequence[Sample]) -> Tensor:
    """(N,) float32 multimodal labels, NaN where there is none."""
    return torch.tensor([float(s.labels.get("multimodal", math.nan)) for s in samples])
