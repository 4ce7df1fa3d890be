"""Labels of the single modalities from a teacher: the network's own moving average (arXiv 1703.01780).

    weights of the teacher: θ' <- k θ' + (1 - k) θ, at every batch
    y' = ½ (y_m + ŷ'_s) clipped to ±H,    y_s <- (e - 1) / (e + 1) y_s + 2 / (e + 1) y'    in epoch e > 1

y_s starts at y_m. Half of y' stays the given label, for labels that only follow themselves end as a constant.
A row without a multimodal label has none here: the teacher's bare estimates made the heads worse when nine
rows in ten were such (docs/experiments-training.md).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from core.data.batches import Batch
from core.model.network import Network
from core.types import MODALITIES, Modality

FIRST_STEPS = 9
"""At step n it keeps (n + 1) / (n + 10) at most, or it would stay untrained for as long as its memory is."""


class Teacher:
    """A slow copy of a network, and the labels (N,) by modality of a training set that it made.

    labels: (N,) multimodal labels, NaN for none. limit: H. decay: share of itself it keeps at each step.
    """

    def __init__(self, network: Network, labels: Tensor, limit: float, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self._learned = [name for name, p in network.named_parameters() if p.requires_grad]
        self.given, self.limit, self.decay = labels.clone(), limit, decay
        self.labels: dict[Modality, Tensor] = {m: labels.clone() for m in MODALITIES}
        self.steps = 0

    @torch.no_grad()
    def follow(self, network: Network) -> None:
        """One step towards the network's weights."""
        keep = min(self.decay, (self.steps + 1) / (self.steps + 1 + FIRST_STEPS))
        own = dict(self.network.named_parameters())
        theirs = dict(network.named_parameters())
        torch._foreach_lerp_(
            [own[name] for name in self._learned], [theirs[name] for name in self._learned], 1 - keep
        )
        self.steps += 1

    @torch.no_grad()
    def estimates(self, batch: Batch) -> dict[Modality, Tensor]:
        """What it says of a batch by modality alone, (B,) float32."""
        output = self.network(batch)
        return {m: output.estimates[m].float() for m in MODALITIES}

    def update(
        self,
        epoch: int,
        index: Tensor,
        estimates: Mapping[Modality, Tensor],
        present: Mapping[Modality, Tensor],
    ) -> None:
        """Move the labels of rows `index` (B,) that have the modality; epoch: from 2."""
        index = index.cpu()
        for m in MODALITIES:
            rows = index[present[m].cpu()]
            said = estimates[m].cpu()[present[m].cpu()].clamp(-self.limit, self.limit)
            given, old = self.given[rows], self.labels[m][rows]
            fresh = ((given + said) / 2).clamp(-self.limit, self.limit)  # NaN where nothing is given
            self.labels[m][rows] = (epoch - 1) / (epoch + 1) * old + 2 / (epoch + 1) * fresh

    def diagnostics(self) -> dict[str, dict[str, float]]:
        """Spread (standard deviation) of the labels of each modality and their drift (mean distance from the
        given ones), where there are any."""
        found: dict[str, dict[str, float]] = {}
        for m, labels in self.labels.items():
            known = labels[~labels.isnan()]
            apart = (labels - self.given).abs()
            if len(known):
                found[m] = {"spread": float(known.std(correction=0))}
                if len(both := apart[~apart.isnan()]):
                    found[m]["drift"] = float(both.mean())
        return found

    def state_dict(self) -> dict[str, Any]:
        """Labels, steps and the weights that follow (copies)."""
        own = dict(self.network.named_parameters())
        return {
            "steps": self.steps,
            "labels": {m: x.clone() for m, x in self.labels.items()},
            "weights": {name: own[name].clone() for name in self._learned},
        }

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state of the same training set and network; ValueError for another."""
        own = dict(self.network.named_parameters())
        same_rows = all(state["labels"][m].shape == self.given.shape for m in MODALITIES)
        if set(state["weights"]) != set(self._learned) or not same_rows:
            raise ValueError("this teacher's state is of another training set or network")
        self.steps = int(state["steps"])
        self.labels = {m: state["labels"][m].clone() for m in MODALITIES}
        for name in self._learned:
            own[name].copy_(state["weights"][name])
