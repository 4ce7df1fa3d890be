"""What a model says of labelled samples, and how good that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.batches import BucketSampler, Sample, collate, row_index
from core.data.rows import Rows
from core.data.sources import DataSet, for_training, load
from core.data.tokens import all_tokenised
from core.errors import DataError
from core.inference.calibration import coverage
from core.model import checkpoint
from core.model.checkpoint import Checkpoint
from core.model.network import Network, Output
from core.training.metrics import bootstrap
from core.training.settings import DataSettings
from core.types import CLASS_VALUES, HEADS, MODALITIES, Head, Modality

MET = {
    "train": "the model was trained on these rows: the figures say nothing about others",
    "valid": "the model's best epoch was chosen by these rows",
    "calibration": "the model's intervals were made from these rows",
}
"""What the figures of a part are worth, on the very data of the model's run."""
ROWS = 64
"""Samples judged at once."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A model's word on N samples, beside their labels; rows in the samples' order.

    estimates, labels[head]: (N,) float64; NaN where the head's modality is missing, and for no label.
    decisions[head]: (N,) the value of the likeliest class for a head that judges classes, else the estimate.
    encoded[modality]: (N, F), zeros where missing. present[modality]: (N,) bool. groups: (N,) whose.
    """

    estimates: dict[Head, np.ndarray]
    decisions: dict[Head, np.ndarray]
    labels: dict[Head, np.ndarray]
    encoded: dict[Modality, Tensor]
    present: dict[Modality, Tensor]
    groups: np.ndarray

    def labelled(self, head: Head) -> tuple[np.ndarray, np.ndarray]:
        """Estimates and labels of the rows that have both."""
        known = self.known(head)
        return self.estimates[head][known], self.labels[head][known]

    def known(self, head: Head) -> np.ndarray:
        """(N,) bool: rows with an estimate and a label."""
        return np.isfinite(self.estimates[head]) & np.isfinite(self.labels[head])

    def diverged(self, head: Head) -> np.ndarray:
        """(N,) bool: labelled rows that show what the head judges, and yet their estimate is no number."""
        shown = [self.present[m].numpy() for m in MODALITIES if head in (m, "multimodal")]
        return np.any(shown, axis=0) & np.isfinite(self.labels[head]) & ~np.isfinite(self.estimates[head])


@torch.inference_mode()
def judge(
    network: Network,
    tokenizer: Any,
    samples: Sequence[Sample],
    max_tokens: int,
    on_progress: Callable[[float], None] | None = None,
) -> Judged:
    """Judge samples with a network as it is, batched by length; on_progress gets the share that is done."""
    network.eval()
    device = next(network.parameters()).device
    n = len(samples)
    known = all_tokenised(samples, tokenizer, max_tokens)
    index = row_index(samples)
    estimates: dict[Head, np.ndarray] = {head: np.full(n, np.nan) for head in HEADS}
    decisions: dict[Head, np.ndarray] = {head: np.full(n, np.nan) for head in HEADS}
    encoded: dict[Modality, Tensor] = {m: torch.zeros(n, network.widths[m]) for m in MODALITIES}
    done = 0
    for rows in BucketSampler(row_index(known).lengths, ROWS, seed=0).epoch(0) if n else ():
        output = network(collate([known[i] for i in rows], tokenizer, rows, max_tokens).to(device))
        for head in HEADS:
            estimates[head][rows] = output.estimates[head].double().cpu().numpy()
            decisions[head][rows] = _decided(output, head)
        for m in MODALITIES:
            encoded[m][rows] = output.encoded[m].float().cpu()
        done += len(rows)
        if on_progress is not None:
            on_progress(done / n)
    present = {m: torch.from_numpy(index.has(m)) for m in MODALITIES}
    for m in MODALITIES:
        estimates[m][~present[m].numpy()] = np.nan
    if n:
        estimates["multimodal"][~torch.stack([*present.values()]).any(dim=0).numpy()] = np.nan
    labels: dict[Head, np.ndarray] = {head: index.label(head) for head in HEADS}
    groups = samples.groups if isinstance(samples, Rows) else [sample.group for sample in samples]
    return Judged(estimates, decisions, labels, encoded, present, np.asarray(groups, dtype=str))


def _decided(output: Output, head: Head) -> np.ndarray:
    if head not in output.logits:
        return output.estimates[head].double().cpu().numpy()
    return np.array(CLASS_VALUES)[output.logits[head].argmax(dim=-1).cpu().numpy()]


def scores(judged: Judged, scheme: str) -> dict[str, dict[str, dict[str, Any]]]:
    """By head with at least one labelled row: each metric with its value, interval (by group) and count."""
    found = {}
    for head in HEADS:
        known = judged.known(head)
        if known.any():
            figures = bootstrap(
                *judged.labelled(head),
                scheme,
                decisions=judged.decisions[head][known],
                groups=judged.groups[known].tolist(),
            )
            found[head] = {name: asdict(figure) for name, figure in figures.items()}
    return found


def covered(judged: Judged, calibration: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By head: the share of labels within the model's intervals, the level these were made for, the count."""
    found = {}
    for head in HEADS:
        estimates, labels = judged.labelled(head)
        if not len(labels):
            continue
        widths = _widths(judged, head, calibration)
        inside = [
            coverage(e, y, w) for e, y, w in zip(estimates, labels, widths, strict=True) if w is not None
        ]
        if inside:
            found[head] = {
                "value": float(np.mean(inside)),
                "level": calibration["level"],
                "count": len(inside),
            }
    return found


def _widths(judged: Judged, head: Head, calibration: dict[str, Any]) -> list[float | None]:
    """Half width of the interval of each labelled row of a head; the fusion's goes by what is present."""
    known = judged.known(head)
    if head != "multimodal":
        return [calibration.get(head)] * int(known.sum())
    widths = calibration.get("multimodal", {})
    sets = ["+".join(m for m in MODALITIES if judged.present[m][i]) for i in np.flatnonzero(known)]
    return [widths.get(name) for name in sets]


def evaluate(
    model: str | Path | Checkpoint,
    data: Path,
    split: str | None = None,
    on_progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Score a model on a `.pkl`, a label folder or a CSV of `text, y`.

    model: `starter`, a folder of a model or run, or a checkpoint that is loaded.
    split: "train", "valid", "calibration" or "test"; left out: "test" where the data has parts, else all of
    it. The data that a run was made with is cut and read as the run did. The answer: model, data, split,
    rows, scheme, metrics (by head, see `scores`), coverage (see `covered`), notes (first of all whether the
    model has met these rows). Raises ModelError, AssetError, DataError.
    """
    if not isinstance(model, Checkpoint):
        model = checkpoint.load(model)
    meta = model.meta
    found, own = _read(model, data, on_progress)
    name = _split(found, split, data)
    samples = found.part(name).samples
    told = (lambda share: on_progress("judging", share)) if on_progress else None
    try:
        judged = judge(model.network, model.tokenizer, samples, meta.max_tokens, told)
    except (ValueError, RuntimeError) as error:
        raise DataError(f"{data}: the model “{meta.name}” cannot read these features: {error}") from error
    scheme = meta.data.get("scheme") or ("sims" if max(map(abs, meta.scale)) <= 1 else "mosi")
    return {
        "model": {"name": meta.name, "version": meta.version},
        "data": str(data),
        "split": name,
        "rows": len(samples),
        "groups": len(set(judged.groups.tolist())),
        "scheme": scheme,
        "metrics": scores(judged, scheme),
        "coverage": covered(judged, meta.calibration),
        "notes": [*([MET[name]] if own and name in MET else []), *found.notes],
    }


def _read(
    model: Checkpoint, data: Path, on_progress: Callable[[str, float], None] | None
) -> tuple[DataSet, bool]:
    """The data as the model's run read it, and whether it is the run's own: then cut as the run cut it."""
    meta = model.meta
    text = "auto" if model.tokenizer is not None else "vectors"
    settings = DataSettings(**meta.data) if meta.data else DataSettings(text=text, scale=meta.scale)
    found = load(settings, data, on_progress)
    own = bool(meta.fingerprint) and found.fingerprint == meta.fingerprint
    return (for_training(found) if own else found), own


def _split(found: DataSet, split: str | None, path: Path) -> str:
    """The part that is meant; DataError where the data does not have it."""
    there = [name for name, part in found.parts.items() if len(part)]
    name = split or ("test" if "test" in there else "all" if "all" in there else "valid")
    if name not in there:
        raise DataError(f"{path}: no rows in the part “{name}”; it has {', '.join(there) or 'none at all'}.")
    return name
