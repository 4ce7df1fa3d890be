"""The losses of a batch: each head on what it has labels for, and the covariance alignment.

    L = mean |ŷ_m - y_m| + Σ_s mean(w_s |ŷ_s - y_s|) + λ L_align,    w_s = tanh|y_s - y_m|

(arXiv 2305.08473.) A missing modality or label leaves its row out of that term; a term without rows is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from core.data.batches import Batch
from core.model.alignment import DISTANCES
from core.model.network import Output
from core.training.settings import AlignmentSettings, Pair
from core.types import HEADS, MODALITIES, Head

WIDTH = 1.0
"""Half the distance between classes at -2, 0 and 2: errors well beyond it cost the same, however large."""
PULL = 0.2
"""Share of the absolute error in the bounded loss, so that estimates far off are still drawn in."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the heads are to say of a batch of B rows.

    labels[head]: (B,), NaN = none. weights[head]: (B,), w_s. share: (B,), how much a row counts at all.
    classes: (B,) bool, rows whose labels are classes to be sought rather than values to be met.
    """

    labels: Mapping[Head, Tensor]
    weights: Mapping[Head, Tensor]
    share: Tensor
    classes: Tensor


def head_losses(output: Output, targets: Targets) -> dict[Head, Tensor]:
    """Loss of each head that has at least one row with both its modality and a label -> scalars."""
    return {head: loss for head in HEADS if (loss := _head_loss(head, output, targets)) is not None}


def _head_loss(head: Head, output: Output, targets: Targets) -> Tensor | None:
    y = targets.labels[head]
    rows = ~y.isnan()
    rows &= output.present[head] if head != "multimodal" else torch.stack([*output.present.values()]).any(0)
    if not rows.any():
        return None
    error = row_errors(output.estimates[head][rows].float(), y[rows], targets.classes[rows])
    share = targets.share[rows]
    return (share * targets.weights[head][rows] * error).sum() / share.sum().clamp(min=1e-8)


def row_errors(estimates: Tensor, labels: Tensor, classes: Tensor) -> Tensor:
    """(n,) absolute errors; of rows with classes Welsch's bounded loss and a little of the absolute error.

    A voice that is angry or happy, but surely not calm, is -2 or 2; the absolute error would settle in
    between, on calm. The bounded loss has its minimum at the likelier of the two.
    """
    error = (estimates - labels).abs()
    bounded = 2 * (1 - torch.exp(-(error**2) / (2 * WIDTH**2)))
    return torch.where(classes, bounded + PULL * error, error)


def alignment_loss(output: Output, settings: AlignmentSettings, pairs: tuple[Pair, ...]) -> Tensor | None:
    """Mean covariance distance over the pairs that have at least two rows of one recording; else None."""
    found = []
    for pair in pairs:
        one, other = (m for m in MODALITIES if m in pair.split("-"))
        first, second = output.pair(one, other)
        if len(first) >= 2:
            found.append(DISTANCES[settings.form](first, second))
    return torch.stack(found).mean() if found else None


def alignment_weight(settings: AlignmentSettings, epoch: int) -> float:
    """λ in epoch 1, 2, …, risen from 0 over the warm-up."""
    if not settings.warm_up_epochs:
        return settings.weight
    return settings.weight * min(1.0, (epoch - 1) / settings.warm_up_epochs)


def no_labels(batch: Batch) -> dict[Head, Tensor]:
    """Labels of heads that are not to be trained."""
    return {head: torch.full_like(batch.labels[head], float("nan")) for head in HEADS}
