"""The losses of a batch: each head on what it has labels for, and the covariance alignment.

    L = mean |ŷ_m - y_m| + Σ_s mean(w_s |ŷ_s - y_s|) + λ L_align,    w_s = tanh|y_s - y_m|

(arXiv 2305.08473.) A head that judges classes has the cross entropy in place of its absolute error. A
missing modality or label leaves its row out of that term; a term without rows is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from core.model.alignment import DISTANCES
from core.model.network import Output
from core.training.settings import AlignmentSettings, Pair
from core.types import CLASS_VALUES, HEADS, MODALITIES, Head


@dataclass(frozen=True, slots=True)
class Targets:
    """What the heads are to say of a batch of B rows.

    labels[head]: (B,), NaN = none. weights[head]: (B,), w_s. share: (B,), how much a row counts at all.
    """

    labels: Mapping[Head, Tensor]
    weights: Mapping[Head, Tensor]
    share: Tensor


def head_losses(output: Output, targets: Targets) -> dict[Head, Tensor]:
    """Loss of each head that has at least one row with both its modality and a label -> scalars."""
    return {head: loss for head in HEADS if (loss := _head_loss(head, output, targets)) is not None}


def _head_loss(head: Head, output: Output, targets: Targets) -> Tensor | None:
    y = targets.labels[head]
    rows = ~y.isnan()
    rows &= output.present[head] if head != "multimodal" else torch.stack([*output.present.values()]).any(0)
    if not rows.any():
        return None
    if head in output.logits:
        logits, classes = output.logits[head][rows].float(), nearest_class(y[rows])
        error = torch.nn.functional.cross_entropy(logits, classes, reduction="none")
    else:
        error = (output.estimates[head][rows].float() - y[rows]).abs()
    return (targets.share[rows] * targets.weights[head][rows] * error).mean()


def nearest_class(labels: Tensor) -> Tensor:
    """(n,) labels -> (n,) positions in CLASS_VALUES of the nearest class; half way goes to the lower one."""
    values = torch.tensor(CLASS_VALUES, dtype=labels.dtype, device=labels.device)
    return torch.bucketize(labels, (values[1:] + values[:-1]) / 2)


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
