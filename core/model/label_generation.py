"""Self-supervised labels of the single modalities (arXiv 2305.08473, after Self-MM, arXiv 2102.04830).

Only the multimodal label is given. A modality whose representation lies nearer to the positive centre than
the fusion's does gets a higher label than the fusion's, and the other way round; labels settle as epochs
pass. Of row i in epoch e > 1, with D_p, D_n its distances to the centres of its head:

    δ_s = (D_n - D_p) / (D_p + ε)
    y'  = ½ δ_s / (δ_m + ε) y_m + ½ (y_m + δ_s - δ_m), clipped to ±H
    y_s <- (e - 1) / (e + 1) y_s + 2 / (e + 1) y'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from core.types import HEADS, MODALITIES, Head, Modality

EPSILON = 1e-8


class UnimodalLabels:
    """Labels of a training set of N rows, with the representations and class centres they come from.

    labels: (N,) multimodal labels; rows of NaN have none and stay out. widths: of h_s, by head.
    limit: H, labels stay within ±H. zero_is_positive: a label of 0 belongs to the positive class, else to
    neither. distance: "euclidean", or "scaled": its square divided by √width. present: (N,) bool by modality,
    rows that have it (all, if left out): others keep their label and stay out of the centres.

    Centres are running sums, so an update costs the batch whatever N is; the sums are made anew each epoch
    against drift. `skipped` counts the labels left as they were because a class had no member.
    """

    def __init__(
        self,
        labels: Tensor,
        widths: Mapping[Head, int],
        limit: float,
        zero_is_positive: bool = False,
        *,
        distance: str = "euclidean",
        present: Mapping[Modality, Tensor] | None = None,
    ) -> None:
        labels = torch.as_tensor(labels)
        labels = labels.detach().to("cpu", labels.dtype if labels.is_floating_point() else torch.float32)
        self.limit, self.zero_is_positive, self.distance = limit, zero_is_positive, distance
        self.epoch = 0
        self.skipped: dict[Modality, int] = dict.fromkeys(MODALITIES, 0)
        self.labels: dict[Head, Tensor] = {head: labels.clone() for head in HEADS}
        self._members: dict[Head, Tensor] = {head: ~labels.isnan() for head in HEADS}
        for modality, rows in (present or {}).items():
            self._members[modality] &= rows.cpu()
        self.representations = {h: torch.zeros(len(labels), widths[h], dtype=labels.dtype) for h in HEADS}
        self.sums: dict[Head, Tensor] = {}
        self.counts: dict[Head, Tensor] = {}
        self.add_up()

    @property
    def centres(self) -> dict[Head, tuple[Tensor, Tensor]]:
        """(positive, negative) centre of each head, (width,) each; NaN where the class has no member."""
        return {head: tuple(self._centres(head).to(self._dtype)) for head in HEADS}

    def update(
        self,
        epoch: int,
        index: Tensor,
        representations: Mapping[Head, Tensor],
        present: Mapping[Modality, Tensor] | None = None,
    ) -> None:
        """Take in a batch: move its labels (not in epoch 1), store its representations, move the centres.

        epoch: from 1. index: (B,) rows; where one is named twice the later counts. representations:
        h_s (B, width) by head; rows that are not finite are left out. present: (B,) bool by modality, rows
        whose representation means something in this batch.
        Raises ValueError for an epoch below 1, IndexError for rows that do not exist.
        """
        index = torch.as_tensor(index).cpu()
        if epoch < 1:
            raise ValueError(f"epochs count from 1, not {epoch}")
        low, high = (int(end) for end in index.aminmax()) if len(index) else (0, 0)
        if not 0 <= low <= high < max(1, len(self.labels["multimodal"])):
            raise IndexError(f"rows {low} to {high} of {len(self.labels['multimodal'])}")
        if epoch != self.epoch:
            self.epoch = epoch
            self.add_up()
        last = _last_of_each(index)
        rows = index[last]
        h = {head: representations[head].detach().cpu()[last].to(self._dtype) for head in HEADS}
        usable = {head: self._members[head][rows] & h[head].isfinite().all(dim=1) for head in HEADS}
        for modality, mask in (present or {}).items():
            usable[modality] = usable[modality] & mask.cpu()[last]
        moved = self._moved_labels(epoch, rows, h, usable) if epoch > 1 else {}
        for head in HEADS:
            self._store(head, rows[usable[head]], h[head][usable[head]], moved.get(head))

    def weights(self, modality: Head, index: Tensor) -> Tensor:
        """w_s = tanh|y_s - y_m| of rows `index` -> (B,); 1 for the multimodal head; 0 without a label."""
        index = torch.as_tensor(index).cpu()
        y_m, y_s = self.labels["multimodal"][index], self.labels[modality][index]
        if modality == "multimodal":
            return (~y_m.isnan()).to(y_m.dtype)
        return torch.tanh((y_s - y_m).abs()).nan_to_num(0.0)

    def diagnostics(self) -> dict[str, dict[str, float]]:
        """For the log: spread (standard deviation) of the labels, their drift (mean distance from the given
        ones), mean norm of h_s, labels skipped so far.

        A modality that no row has is left out.
        """
        return {
            modality: {
                "spread": float(self.labels[modality][members].std(correction=0)),
                "drift": float(self._apart(modality, members).mean()),
                "norm": float(self.representations[modality][members].norm(dim=1).mean()),
                "skipped": float(self.skipped[modality]),
            }
            for modality in MODALITIES
            if (members := self._members[modality]).any()
        }

    def _apart(self, modality: Modality, rows: Tensor) -> Tensor:
        return (self.labels[modality][rows] - self.labels["multimodal"][rows]).abs()

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs to go on with the same numbers, sums included (copies)."""
        copies = {name: {k: v.clone() for k, v in getattr(self, name).items()} for name in _STATE}
        return {"epoch": self.epoch, "skipped": dict(self.skipped), **copies}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state of the same N and widths; raises ValueError for another."""
        for name in _STATE:
            for key, own in getattr(self, name).items():
                if state[name][key].shape != own.shape:
                    raise ValueError(
                        f"{name} of {key}: {tuple(state[name][key].shape)}, not {tuple(own.shape)}"
                    )
        for name in _STATE:
            own = getattr(self, name)
            setattr(self, name, {key: state[name][key].clone().to(own[key].dtype) for key in own})
        self.epoch, self.skipped = int(state["epoch"]), dict(state["skipped"])

    @property
    def _dtype(self) -> torch.dtype:
        return self.labels["multimodal"].dtype

    def _moved_labels(
        self, epoch: int, rows: Tensor, h: Mapping[Head, Tensor], usable: Mapping[Head, Tensor]
    ) -> dict[Head, Tensor]:
        """Step 1: labels of each modality's usable rows, by the centres as they were before the batch."""
        y_m = self.labels["multimodal"][rows].double()
        delta_m = self._delta("multimodal", h["multimodal"])
        moved: dict[Head, Tensor] = {}
        for modality in MODALITIES:
            delta = self._delta(modality, h[modality])
            fresh = 0.5 * delta / (delta_m + EPSILON) * y_m + 0.5 * (y_m + delta - delta_m)
            fresh = fresh.clamp(-self.limit, self.limit)
            old = self.labels[modality][rows]
            new = (epoch - 1) / (epoch + 1) * old + 2 / (epoch + 1) * fresh
            # Without a centre, or where a quotient is 0/0, there is nothing to go by: the label stays.
            self.skipped[modality] += int((new.isnan() & usable[modality]).sum())
            moved[modality] = torch.where(new.isnan(), old, new.to(self._dtype))[usable[modality]]
        return moved

    def _delta(self, head: Head, h: Tensor) -> Tensor:
        """How much nearer to the positive than to the negative centre: (D_n - D_p) / (D_p + ε), (B,)."""
        to_positive, to_negative = (self._distance(h.double(), centre) for centre in self._centres(head))
        return (to_negative - to_positive) / (to_positive + EPSILON)

    def _distance(self, h: Tensor, centre: Tensor) -> Tensor:
        distance = (h - centre).norm(dim=1)
        return distance.square() / h.shape[1] ** 0.5 if self.distance == "scaled" else distance

    def _store(self, head: Head, rows: Tensor, h: Tensor, labels: Tensor | None) -> None:
        """Steps 2 and 3: the rows leave the sums as they were and enter them as they are now."""
        self._count(head, rows, -1)
        self.representations[head][rows] = h
        if labels is not None:
            self.labels[head][rows] = labels
        self._count(head, rows, +1)

    def _count(self, head: Head, rows: Tensor, sign: int) -> None:
        classes = self._classes(self.labels[head][rows])  # (2, B)
        self.sums[head] += sign * (classes @ self.representations[head][rows].double())
        self.counts[head] += sign * classes.sum(dim=1)

    def _classes(self, labels: Tensor) -> Tensor:
        positive = labels >= 0 if self.zero_is_positive else labels > 0
        return torch.stack([positive, labels < 0]).double()

    def _centres(self, head: Head) -> Tensor:
        """Positive and negative centre, (2, width) float64; NaN where there is none."""
        counts = self.counts[head][:, None]
        # An emptied class leaves a rounding residue in its sum, and residue / 0 is inf, not NaN.
        return torch.where(counts > 0, self.sums[head] / counts, torch.nan)

    def add_up(self) -> None:
        """The sums from scratch; O(N), once an epoch."""
        for head in HEADS:
            self.sums[head] = torch.zeros(2, self.representations[head].shape[1], dtype=torch.float64)
            self.counts[head] = torch.zeros(2, dtype=torch.float64)
            for rows in self._members[head].nonzero().squeeze(1).split(65536):  # bounds the memory it takes
                self._count(head, rows, +1)


_STATE = ("labels", "representations", "sums", "counts")


def _last_of_each(index: Tensor) -> Tensor:
    """Positions (ascending) of the last occurrence of each value of `index`."""
    values, inverse = index.unique(return_inverse=True)
    if len(values) == len(index):
        return torch.arange(len(index))
    positions = torch.arange(len(index))
    last = torch.zeros(len(values), dtype=torch.int64)
    return last.scatter_reduce(0, inverse, positions, "amax", include_self=False).sort().values
