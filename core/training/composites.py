"""What the fusion head learns from where no recording has words, voice and face with a label.

Rows that are labelled alike are put together, not as clips but as representations, which are detached: the
encoders learn nothing from it, and such a row never enters the alignment or its reference. In training a part
of the rows gets a voice and a face at random, because an encoder knows its training rows too well, and a
fusion that only ever saw it right would trust it blindly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.model.network import Network
from core.types import MODALITIES, Modality

CLASS_BOUNDS = (-0.5, 0.5)
"""Labels below, between and above count as alike: negative, neutral, positive."""
MISMATCHED = 0.25
"""Share of partners drawn without regard to the label in training."""


@dataclass(frozen=True, slots=True)
class Composite:
    """Representations of different recordings side by side, by modality (n, F), present (n,); labels (n,)."""

    encoded: dict[Modality, Tensor]
    present: dict[Modality, Tensor]
    labels: Tensor


def composite_loss(
    network: Network,
    encoded: Mapping[Modality, Tensor],
    present: Mapping[Modality, Tensor],
    labels: Mapping[Modality, Tensor],
    hide: float,
    random: torch.Generator,
) -> Tensor | None:
    """Mean absolute error of the fusion head on composites of this batch; None without two modalities.

    encoded[modality]: (B, F); present, labels: (B,), NaN = none. hide: chance that a modality of a composite
    is left out; at least one stays.
    """
    there = [m for m in MODALITIES if (present[m] & ~labels[m].isnan()).any()]
    if len(there) < 2:
        return None
    made = compose(encoded, present, labels, there, hide, MISMATCHED, random)
    if made is None:
        return None
    _, estimate = network.fuse(made.encoded, made.present)
    return (estimate.float() - made.labels).abs().mean()


def compose(
    encoded: Mapping[Modality, Tensor],
    present: Mapping[Modality, Tensor],
    labels: Mapping[Modality, Tensor],
    chosen: Sequence[Modality],
    hide: float = 0.0,
    mismatched: float = 0.0,
    random: torch.Generator | None = None,
) -> Composite | None:
    """Composites of the `chosen` modalities, as many as the commonest of them has labelled rows.

    Everything is (B, …) by modality; rows without a label of their modality are not used. A composite's label
    is that of its text; without text, the mean of those of its voice and face. None where one has no rows.
    """
    random = random or torch.Generator().manual_seed(0)
    pools = {m: (present[m] & ~labels[m].isnan()).nonzero().squeeze(1) for m in chosen}
    if not pools or not all(len(pool) for pool in pools.values()):
        return None
    lead = max(pools, key=lambda m: len(pools[m]))
    classes = _classes(labels[lead][pools[lead]])
    rows = {
        m: pool if m == lead else _partners(classes, pool, labels[m][pool], mismatched, random)
        for m, pool in pools.items()
    }
    shown = _shown(list(pools), len(classes), hide, random, classes.device)
    nothing = {
        m: torch.zeros(len(classes), encoded[m].shape[1], dtype=encoded[m].dtype, device=classes.device)
        for m in MODALITIES
    }
    return Composite(
        {m: encoded[m].detach()[rows[m]] if m in rows else nothing[m] for m in MODALITIES},
        shown,
        _labels({m: labels[m][rows[m]] for m in rows}, shown),
    )


def _classes(labels: Tensor) -> Tensor:
    return torch.bucketize(labels, torch.tensor(CLASS_BOUNDS, dtype=labels.dtype, device=labels.device))


def _partners(
    classes: Tensor, pool: Tensor, labels: Tensor, mismatched: float, random: torch.Generator
) -> Tensor:
    """For each of the (n,) classes a row of the pool of that class; any row where none is, or by chance."""
    alike = (classes[:, None] == _classes(labels)[None, :]).float().cpu()
    chance = torch.rand(len(classes), generator=random) < mismatched
    alike[chance | (alike.sum(dim=1) == 0)] = 1.0
    return pool[torch.multinomial(alike, 1, generator=random).squeeze(1).to(pool.device)]


def _shown(
    chosen: list[Modality], count: int, hide: float, random: torch.Generator, device: torch.device
) -> dict[Modality, Tensor]:
    """Which modalities each composite shows: (count,) bool each; all where all would be hidden."""
    shown = torch.rand(count, len(chosen), generator=random) >= hide
    shown[~shown.any(dim=1)] = True
    hidden = torch.zeros(count, dtype=torch.bool)
    return {m: (shown[:, chosen.index(m)] if m in chosen else hidden).to(device) for m in MODALITIES}


def _labels(labels: Mapping[Modality, Tensor], shown: Mapping[Modality, Tensor]) -> Tensor:
    """(n,) label of each composite by what it shows."""
    total, seen = torch.zeros_like(next(iter(labels.values()))), 0.0
    for m in labels:
        if m != "text":
            total = total + torch.where(shown[m], labels[m], 0.0)
            seen = seen + shown[m].to(total.dtype)
    if "text" not in labels:
        return total / seen
    return torch.where(shown["text"], labels["text"], total / torch.as_tensor(seen).clamp(min=1))
