"""The losses of a batch: each head on what it has labels for, and the covariance alignment.

    L = mean |ŷ_m - y_m| + Σ_s mean(w_s |ŷ_s - y_s|) + λ L_align,    w_s = tanh|y_s - y_m|

(arXiv 2305.08473.) A head that judges classes has the cross entropy in place of its absolute error. A
missing modality or label leaves its row out of that term; a term without rows is 0. Means and covariances are
those of the whole batch, also where several processes share it (`core.training.processes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def judged_rows(output: Output, targets: Targets) -> dict[Head, Tensor]:
    """(B,) bool by head: the rows that have both its modality and a label."""
    there = {**output.present, "multimodal": torch.stack([*output.present.values()]).any(0)}
    return {head: ~targets.labels[head].isnan() & there[head] for head in HEADS}


def head_loss(head: Head, output: Output, targets: Targets, rows: Tensor, count: float) -> Tensor:
    """Mean loss of a head over its (B,) bool `rows` -> scalar.

    count: what the sum is divided by; more than these rows where the batch has others in other processes.
    """
    y = targets.labels[head]
    if head in output.logits:
        logits, classes = output.logits[head][rows].float(), nearest_class(y[rows])
        error = torch.nn.functional.cross_entropy(logits, classes, reduction="none")
    else:
        error = (output.estimates[head][rows].float() - y[rows]).abs()
    return (targets.share[rows] * targets.weights[head][rows] * error).sum() / count


def nearest_class(labels: Tensor) -> Tensor:
    """(n,) labels -> (n,) positions in CLASS_VALUES of the nearest class; half way goes to the lower one."""
    values = torch.tensor(CLASS_VALUES, dtype=labels.dtype, device=labels.device)
    return torch.bucketize(labels, (values[1:] + values[:-1]) / 2)


def aligned_pairs(
    output: Output, pairs: tuple[Pair, ...], gather: Callable[[Tensor], Tensor]
) -> list[tuple[Tensor, Tensor]]:
    """Projections (n, d) of the pairs that have at least two rows of one recording in the gathered batch."""
    found = []
    for pair in pairs:
        one, other = (m for m in MODALITIES if m in pair.split("-"))
        first, second = (gather(rows) for rows in output.pair(one, other))
        if len(first) >= 2:
            found.append((first, second))
    return found


def alignment_loss(found: list[tuple[Tensor, Tensor]], settings: AlignmentSettings) -> Tensor:
    """Mean covariance distance of the pairs, of which there must be one."""
    return torch.stack([DISTANCES[settings.form](first, second) for first, second in found]).mean()


def alignment_weight(settings: AlignmentSettings, epoch: int) -> float:
    """λ in epoch 1, 2, …, risen from 0 over the warm-up."""
    if not settings.warm_up_epochs:
        return settings.weight
    return settings.weight * min(1.0, (epoch - 1) / settings.warm_up_epochs)
