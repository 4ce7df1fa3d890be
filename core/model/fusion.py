"""How the encoded modalities become one vector. A setting chooses; all take and give the same shapes.

What stands in the row of a missing modality never has any influence; a row without any modality is zeros.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.types import MODALITIES, Modality

TOKEN_WIDTH = 48
"""Width that attention and graph map every modality to; with three of them near the paper's F_m."""
ATTENTION_HEADS = 4
GRAPH_ROUNDS = 2


class Concatenation(nn.Module):
    """`F_m = [F_t; F_a; F_v]`, the paper's fusion; a missing modality is zeros in its place."""

    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__()
        self.width = sum(widths[m] for m in MODALITIES)

    def forward(self, encoded: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]) -> Tensor:
        """encoded[m]: (B, F_m), present[m]: (B,) bool -> (B, width)."""
        return torch.cat([_shown(encoded[m], present[m]) for m in MODALITIES], dim=1)


class CrossAttention(nn.Module):
    """Every modality is a token that looks at the others (scaled dot products, several heads):

    `x_i + Σ_{j≠i} softmax_j(q_i·k_j / √d) v_j` over the modalities j that are there; side by side as `F_m`.
    """

    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__()
        self.tokens = _Tokens(widths)
        self.norm = nn.LayerNorm(TOKEN_WIDTH)
        self.query, self.key, self.value, self.out = (nn.Linear(TOKEN_WIDTH, TOKEN_WIDTH) for _ in range(4))
        self.width = len(MODALITIES) * TOKEN_WIDTH

    def forward(self, encoded: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]) -> Tensor:
        """encoded[m]: (B, F_m), present[m]: (B,) bool -> (B, width)."""
        x_bmd, there_bm = self.tokens(encoded, present)
        normed = self.norm(x_bmd)
        query, key, value = (
            _split(to(normed)) for to in (self.query, self.key, self.value)
        )  # (B, h, m, d/h)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        others = _others(there_bm)[:, None]
        # A finite floor and a mask afterwards: a token with nobody to look at hears nothing instead of NaN.
        floor = torch.finfo(scores.dtype).min
        weights = torch.where(others, scores.masked_fill(~others, floor).softmax(dim=-1), 0.0)
        heard = self.out((weights @ value).transpose(1, 2).flatten(2))
        heard = torch.where(others[:, 0].any(dim=-1, keepdim=True), heard, 0.0)
        return torch.where(there_bm[:, :, None], x_bmd + heard, 0.0).flatten(1)


class Graph(nn.Module):
    """Modalities are nodes of a complete graph; every edge has its weights and a gate that sees both ends.

    Per round `x_i <- x_i + ReLU(Σ_{j≠i} g_ij W_ij x_j / n_i)`, `g_ij = sigmoid(u·[x_i; x_j])`, over the n_i
    others that are there; the nodes side by side are `F_m`.
    """

    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__()
        self.tokens = _Tokens(widths)
        nodes = len(MODALITIES)
        self.edges = nn.Parameter(torch.empty(nodes, nodes, TOKEN_WIDTH, TOKEN_WIDTH))
        nn.init.uniform_(self.edges, -(TOKEN_WIDTH**-0.5), TOKEN_WIDTH**-0.5)
        self.here, self.there = nn.Linear(TOKEN_WIDTH, 1), nn.Linear(TOKEN_WIDTH, 1, bias=False)
        self.width = nodes * TOKEN_WIDTH

    def forward(self, encoded: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]) -> Tensor:
        """encoded[m]: (B, F_m), present[m]: (B,) bool -> (B, width)."""
        x_bmd, there_bm = self.tokens(encoded, present)
        others = _others(there_bm)
        share = others / others.sum(dim=-1, keepdim=True).clamp(min=1)
        for _ in range(GRAPH_ROUNDS):
            gates = torch.sigmoid(self.here(x_bmd) + self.there(x_bmd).transpose(1, 2))  # (B, i, j)
            said = torch.einsum("bjd,ijde->bije", x_bmd, self.edges)
            x_bmd = x_bmd + torch.relu(((gates * share)[..., None] * said).sum(dim=2))
        return torch.where(there_bm[:, :, None], x_bmd, 0.0).flatten(1)


class _Tokens(nn.Module):
    """Modalities mapped to one width, (B, m, TOKEN_WIDTH), zeros where missing; which are there, (B, m)."""

    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__()
        self.maps = nn.ModuleDict({m: nn.Linear(widths[m], TOKEN_WIDTH) for m in MODALITIES})

    def forward(
        self, encoded: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]
    ) -> tuple[Tensor, Tensor]:
        mapped = [_shown(self.maps[m](_shown(encoded[m], present[m])), present[m]) for m in MODALITIES]
        return torch.stack(mapped, dim=1), torch.stack([present[m] for m in MODALITIES], dim=1)


def _shown(x: Tensor, present: Tensor) -> Tensor:
    return torch.where(present[:, None], x, 0.0)


def _split(x_bmd: Tensor) -> Tensor:
    """(B, m, d) -> (B, heads, m, d / heads)."""
    return x_bmd.unflatten(2, (ATTENTION_HEADS, -1)).transpose(1, 2)


def _others(there_bm: Tensor) -> Tensor:
    """(B, i, j) bool: both i and j are there, and they are two."""
    alone = torch.eye(there_bm.shape[1], dtype=torch.bool, device=there_bm.device)
    return there_bm[:, :, None] & there_bm[:, None, :] & ~alone


FUSIONS = {"concatenation": Concatenation, "attention": CrossAttention, "graph": Graph}
