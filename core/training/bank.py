"""The words of a run that learns words first, as their finished encoder gives them, beside other rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from core.model.network import Network
from core.types import MODALITIES, Modality


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
