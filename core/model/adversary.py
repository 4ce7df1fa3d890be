"""A discriminator that tells the modalities' representations apart, and whose gradient comes back reversed.

After arXiv 1505.07818 (gradient reversal): the discriminator lowers the cross entropy of "which modality is
this h_s of?", the encoders raise it, λ times as fast, so that what they share is what they keep.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.types import MODALITIES, Modality

HIDDEN = 64
LEARNING_RATE = 1e-3
_NOBODY = torch.zeros(0, dtype=torch.int64)


class _Reversed(torch.autograd.Function):
    """The identity; its gradient is -weight times what comes back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.weight * gradients[0], None


def reverse_gradient(x: Tensor, weight: float) -> Tensor:
    """`x` as it is; its gradient is multiplied by -weight."""
    return _Reversed.apply(x, weight)


class Adversary(nn.Module):
    """widths: of h_s by modality. weight: λ. The discriminator has an optimiser of its own.

    The representations have different widths: fixed random maps, drawn from `seed`, bring them to the
    smallest. Learned maps could evade the discriminator by going to zero and leave the encoders as they are.
    """

    def __init__(self, widths: Mapping[Modality, int], weight: float, seed: int) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        self.weight, width = weight, min(widths.values())
        for m in MODALITIES:
            drawn = torch.randn(widths[m], width, generator=random) / widths[m] ** 0.5
            self.register_buffer(f"map_{m}", drawn)
        self.judge = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(MODALITIES)))
        self.optimiser = torch.optim.Adam(self.judge.parameters(), LEARNING_RATE)
        self.epoch = 0
        self.right, self.seen = torch.zeros(len(MODALITIES)), torch.zeros(len(MODALITIES))
        self._right, self._seen = _NOBODY, _NOBODY  # of the batch that is being learned from

    def loss(self, hidden: Mapping[Any, Tensor], present: Mapping[Modality, Tensor]) -> Tensor | None:
        """Cross entropy over the rows that are there; hidden: h_s (B, width). None without two modalities."""
        there = [m for m in MODALITIES if present[m].any()]
        if len(there) < 2:
            return None
        rows = {m: hidden[m][present[m]].float() for m in there}
        mapped = [reverse_gradient(rows[m], self.weight) @ self.get_buffer(f"map_{m}") for m in there]
        truth = torch.cat([torch.full((len(rows[m]),), MODALITIES.index(m)) for m in there])
        said = self.judge(torch.cat(mapped))
        self._right = truth[said.detach().argmax(dim=1).cpu() == truth]
        self._seen = truth
        return nn.functional.cross_entropy(said, truth.to(said.device))

    def learn(self, epoch: int) -> None:
        """One step of the discriminator, by the gradient of the last backward pass."""
        self.optimiser.step()
        self.optimiser.zero_grad()
        if epoch != self.epoch:
            self.epoch, self.right, self.seen = epoch, self.right * 0, self.seen * 0
        self.right += torch.bincount(self._right, minlength=len(MODALITIES))
        self.seen += torch.bincount(self._seen, minlength=len(MODALITIES))
        self._right = self._seen = _NOBODY

    def diagnostics(self) -> dict[str, dict[str, float]]:
        """`told_apart`: share of this epoch's rows of a modality that the discriminator knew."""
        seen = {m: i for i, m in enumerate(MODALITIES) if self.seen[i]}
        return {m: {"told_apart": float(self.right[i] / self.seen[i])} for m, i in seen.items()}

    def state(self) -> dict[str, Any]:
        """Weights, optimiser and counts (copies)."""
        inner = {"weights": self.state_dict(), "optimiser": self.optimiser.state_dict()}
        return copy.deepcopy(inner | {"epoch": self.epoch, "right": self.right, "seen": self.seen})

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a state of the same widths; RuntimeError for others."""
        self.load_state_dict(state["weights"])
        self.optimiser.load_state_dict(copy.deepcopy(state["optimiser"]))
        self.epoch, self.right, self.seen = int(state["epoch"]), state["right"].clone(), state["seen"].clone()
