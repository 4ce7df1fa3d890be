"""What makes a trained network a model that may answer: calibrated intervals, scores on data it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import torch

from core.data.sources import DataSet
from core.diagnostics.reference import build_reference
from core.inference.calibration import LEVEL, coverage, half_width
from core.model import checkpoint
from core.model.checkpoint import Meta
from core.model.network import Network
from core.training.composites import Composite, compose
from core.training.evaluate import Judged, covered, judge, scores
from core.training.metrics import bootstrap
from core.training.settings import DataSettings
from core.training.stand import STOPPED, Work
from core.types import MODALITIES, Modality

SETS: tuple[tuple[Modality, ...], ...] = tuple(
    chosen for size in (1, 2, 3) for chosen in combinations(MODALITIES, size)
)
"""Every set of modalities that a clip may have."""

ENOUGH = 100
"""Rows of one set of modalities below which real ones are not enough and composites stand in."""


UNCALIBRATED = "too few rows to calibrate on: this model's estimates have no intervals"


def finish(work: Work, history: dict[str, Any], meta: Meta) -> dict[str, Any]:
    """Calibrate the best network, score it once on the test part, save the model and the report.

    One of the processes does it; the others return what went before.
    """
    if not work.processes.main:
        work.processes.wait()
        return history
    settings, run, found = work.settings, work.run, work.found
    work.progress("calibrating", 0.0)
    network = checkpoint.load(run.best).network
    judged = judge(network, work.tokenizer, found.part("calibration").samples, settings.data.max_tokens)
    calibration = calibrate(network, judged)
    recordings = found.recordings if set(network.alignment) >= {"audio", "visual"} else []
    name = f"{settings.data.name} recordings"
    reference = build_reference(network, recordings, name) if len(recordings) else None
    checkpoint.save(run.model, network, meta.model_copy(update={"calibration": calibration}), reference)
    work.progress("scoring", 0.0)
    report = {
        **history,
        "rows": counts(found),
        "notes": [*found.notes, *([] if calibrated(calibration) else [UNCALIBRATED])],
        "calibration": calibration,
        "valid": scores(
            judge(network, work.tokenizer, found.part("valid").samples, settings.data.max_tokens),
            settings.data.scheme,
        ),
        "test": final_scores(network, work.tokenizer, found, settings.data, calibration),
        "reference": {"name": reference.name, "count": len(reference)} if reference is not None else None,
    }
    run.report(report)
    run.event("done")
    state = "stopped" if history["ended"] == STOPPED else "finished"
    run.tell(now=True, state=state, share=1.0, left_s=0.0, reason=history["ended"])
    work.progress("scoring", 1.0)
    work.processes.wait()
    return report


def calibrated(calibration: Mapping[str, Any]) -> bool:
    """Whether any head has an interval."""
    return bool(calibration.get("multimodal")) or any(m in calibration for m in MODALITIES)


def calibrate(network: Network, judged: Judged) -> dict[str, Any]:
    """Half widths at LEVEL from the calibration part: of each head, of the fusion by what is present.

    A head, or a set, without enough rows has none: its estimates get no interval.
    """
    found: dict[str, Any] = {"level": LEVEL}
    for modality in MODALITIES:
        if width := half_width(*judged.labelled(modality)):
            found[modality] = width
    widths = {"+".join(chosen): half_width(*fused(network, judged, chosen)[:2]) for chosen in SETS}
    found["multimodal"] = {name: width for name, width in widths.items() if width}
    return found


def fused(
    network: Network, judged: Judged, chosen: Sequence[Modality]
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Estimates and labels (n,) of the fusion head on rows that show exactly `chosen`, and if they are real.

    Real rows have all of them (whatever else they have is hidden) and a multimodal label; for too few of
    these composites by label stand in where single modalities have labels. Empty without either.
    """
    labels = torch.from_numpy(judged.labels["multimodal"])
    rows = torch.stack([judged.present[m] for m in chosen]).all(dim=0) & ~labels.isnan()
    real = int(rows.sum()) >= ENOUGH
    known = {m: torch.from_numpy(judged.labels[m]) for m in MODALITIES}
    composite = None if real else compose(judged.encoded, judged.present, known, chosen)
    if composite is None:
        real = bool(rows.any())
        composite = Composite(
            {m: judged.encoded[m][rows] for m in MODALITIES},
            {m: torch.full((int(rows.sum()),), m in chosen) for m in MODALITIES},
            labels[rows],
        )
    if not len(composite.labels):
        return np.empty(0), np.empty(0), real
    with torch.inference_mode():
        _, estimates = network.fuse(composite.encoded, composite.present)
    return estimates.double().numpy(), composite.labels.double().numpy(), real


def final_scores(
    network: Network, tokenizer: Any, data: DataSet, settings: DataSettings, calibration: Mapping[str, Any]
) -> dict[str, Any]:
    """Scores on the test part, by source; of mixed sources also the fusion on composites of their rows."""
    part = data.part("test")
    found: dict[str, Any] = {"sources": {}}
    for index, source in enumerate(data.sources):
        samples = part.of(index)
        if not samples:
            continue
        judged = judge(network, tokenizer, samples, settings.max_tokens)
        scheme = "classes" if source.class_values else settings.scheme
        name = source.path or "test"
        if name in found["sources"]:  # another part of the same table
            name = f"{name} (source {index + 1})"
        found["sources"][name] = {
            "rows": len(samples),
            "groups": len(set(judged.groups.tolist())),
            "scheme": scheme,
            "metrics": scores(judged, scheme),
            "coverage": covered(judged, dict(calibration)),
        }
    if len(found["sources"]) > 1:
        judged = judge(network, tokenizer, part.samples, settings.max_tokens)
        found["composites"] = _composites(network, judged, calibration, settings.scheme)
    return found


def _composites(
    network: Network, judged: Judged, calibration: Mapping[str, Any], scheme: str
) -> dict[str, Any]:
    """By set of modalities: the fusion's figures on composites of the part, and its intervals' coverage."""
    found = {}
    for chosen in SETS:
        estimates, labels, _ = fused(network, judged, chosen)
        if not len(labels):
            continue
        name = "+".join(chosen)
        width = calibration.get("multimodal", {}).get(name)
        found[name] = {
            "metrics": {k: asdict(v) for k, v in bootstrap(estimates, labels, scheme).items()},
            "coverage": None if width is None else coverage(estimates, labels, width),
        }
    return found


def counts(data: DataSet) -> dict[str, dict[str, int]]:
    """Rows of each table by part, for the model card."""
    found: dict[str, dict[str, int]] = {}
    for index, source in enumerate(data.sources):
        rows = found.setdefault(source.path or "data", {})
        for name, part in data.parts.items():
            if number := len(part.of(index)):
                rows[name] = rows.get(name, 0) + number
    return found
