"""How the encoded modalities become one vector. A setting chooses; all take and give the same shapes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.types import MODALITIES, Modality


class Concatenation(nn.Module):
    """`F_m = [F_t; F_a; F_v]`, the paper's fusion; a missing modality is zeros in its place."""

    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__()
        self.width = sum(widths[m] for m in MODALITIES)

    def forward(self, encoded: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]) -> Tensor:
        """encoded[m]: (B, F_m), present[m]: (B,) bool -> (B, width)."""
        masked = [torch.where(present[m][:, None], encoded[m], 0.0) for m in MODALITIES]
        return torch.cat(masked, dim=1)


FUSIONS = {"concatenation": Concatenation}
