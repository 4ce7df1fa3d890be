"""Training, top to bottom: read the data, build the network, learn epoch by epoch, finish the model, report.

The multi-task training of arXiv 2305.08473 (losses in `losses.py`, generated labels in
`core.model.label_generation`), for fully labelled multimodal data and for mixed sources alike.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.data.batches import Sample, feature_widths, tokenised
from core.data.sources import DataSet, Part, load, standardisation
from core.diagnostics.reference import build_reference
from core.errors import DataError
from core.model import checkpoint
from core.model.checkpoint import Meta
from core.model.network import Network, load_tokenizer
from core.training.evaluate import judge
from core.training.finish import calibrate, counts, final_scores
from core.training.plan import Plan
from core.training.runs import Run, create
from core.training.settings import Settings, fitted
from core.training.step import Tally, Trainer
from core.types import HEADS

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]."""

SCALE_FLOOR = 0.05
"""Features that hardly vary are divided by this share of the typical deviation at least, not by nearly 0."""
REPORT_EVERY = 20
"""Batches between two events of an epoch."""


def train(
    settings: Settings,
    data: Path,
    run: Path,
    on_progress: Progress | None = None,
    version: str = "1",
) -> dict[str, Any]:
    """Train as the settings say on the data at a path, in a new run folder; returns what report.json holds.

    The finished model lies in `run/model`. A file `stop` in the run folder ends the run early and keeps its
    best. Raises SettingsError, DataError, AssetError before the first step; afterwards the folder tells why.
    """
    progress = on_progress or (lambda step, share: None)
    folder = create(run, settings)
    _prepare(settings)
    found = load(settings.data.model_copy(update={"text": settings.text_kind}), data, progress)
    _check(found, data)
    settings = fitted(settings, feature_widths(found.part("train").samples))
    tokenizer = load_tokenizer(settings.network)
    network = _build(settings, found.part("train"))
    history = _fit(settings, folder, found, network, tokenizer, progress)
    return _finish(settings, folder, found, tokenizer, history, progress, version)


def _prepare(settings: Settings) -> None:
    training = settings.training
    torch.set_num_threads(training.threads or max(1, (os.cpu_count() or 2) - 1))
    torch.manual_seed(training.seed)
    np.random.default_rng(training.seed)


def _check(found: DataSet, path: Path) -> None:
    if not any(sample.labels for sample in found.part("train").samples):
        raise DataError(f"{path}: no labelled rows to train on.", "Look at the settings' sources and labels.")


def _build(settings: Settings, part: Part) -> Network:
    """The network, its standardisation taken from the training part."""
    network = Network(settings.network)
    for modality, encoder in (("audio", network.audio_encoder), ("visual", network.visual_encoder)):
        if known := standardisation(part.samples, modality):
            mean, deviation = known
            floor = SCALE_FLOOR * float(np.median(deviation))
            encoder.standardise_by(
                torch.from_numpy(mean).float(), torch.from_numpy(np.maximum(deviation, floor)).float()
            )
    return network.to(_device(settings))


def _device(settings: Settings) -> torch.device:
    name = settings.training.device
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


@dataclass(slots=True)
class _Best:
    """The best epoch so far by the watched figure of the validation part (lower is better)."""

    figure: float = float("inf")
    epoch: int = 0

    def takes(self, figure: float, epoch: int) -> bool:
        if not figure < self.figure:
            return False
        self.figure, self.epoch = figure, epoch
        return True


def _fit(
    settings: Settings, folder: Run, found: DataSet, network: Network, tokenizer: Any, progress: Progress
) -> dict[str, Any]:
    """All epochs; the best network ends up in the run's checkpoints. Returns how it went."""
    training = settings.training
    part = found.part("train")
    if tokenizer is not None:
        limit = settings.data.max_tokens
        part = Part([tokenised(sample, tokenizer, limit) for sample in part.samples], part.sources)
    plan = Plan(part.samples, training, mixed=len(found.sources) > 1)
    trainer = Trainer(settings, network, tokenizer, part, found.sources, len(plan), _device(settings))
    valid = found.part("valid").samples
    folder.event("start", rows=len(part), batches=len(plan), epochs=training.epochs, notes=found.notes)
    _figures(settings, network, tokenizer, valid[: training.batch_size])  # a broken part fails now
    best, started, reason = _Best(), time.monotonic(), "all epochs done"
    for epoch in range(1, training.epochs + 1):
        stopped = _epoch(settings, folder, plan, trainer, epoch, started, progress)
        figures = _figures(settings, trainer.model, tokenizer, valid)
        watched = figures.get(training.monitor, float(-epoch))  # without a validation part: the latest
        if best.takes(watched, epoch):
            checkpoint.save(folder.best, trainer.model, _meta(settings, found, epoch))
        labels = trainer.labels.diagnostics() if trainer.labels is not None else {}
        folder.event(
            "epoch", epoch=epoch, best=best.epoch, valid=figures, train=trainer.tally.means(), labels=labels
        )
        trainer.tally = Tally()
        reason = stopped or (
            f"no better epoch in {training.patience}" if epoch - best.epoch >= training.patience else reason
        )
        if stopped or epoch - best.epoch >= training.patience:
            break
    history = {"best_epoch": best.epoch, "epochs": epoch, "ended": reason, "steps": trainer.steps}
    folder.event("fitted", **history, seconds=round(time.monotonic() - started, 1))
    return history


def _epoch(
    settings: Settings,
    folder: Run,
    plan: Plan,
    trainer: Trainer,
    epoch: int,
    started: float,
    progress: Progress,
) -> str:
    """One pass over the training part; why it was cut short, "" where it was not."""
    limit = settings.training.minutes * 60
    for number, rows in enumerate(plan.epoch(epoch)):
        trainer.step(epoch, number, rows)
        done = (epoch - 1 + (number + 1) / len(plan)) / settings.training.epochs
        progress("training", done)
        if (number + 1) % REPORT_EVERY == 0:
            folder.event("step", epoch=epoch, batch=number + 1, share=round(done, 5), **trainer.tally.means())
        if folder.stop_asked():
            return "stopped by the user"
        if limit and time.monotonic() - started > limit:
            return "time limit"
    return ""


def _figures(settings: Settings, network: Network, tokenizer: Any, samples: list[Sample]) -> dict[str, float]:
    """Of the validation part: the mean absolute error of each head, `mae` of the fusion (else of all heads'
    mean) and `loss`, their sum. Empty without labelled rows."""
    judged = judge(network, tokenizer, samples, settings.data.max_tokens)
    errors = {}
    for head in HEADS:
        estimates, labels = judged.labelled(head)
        if len(labels):
            errors[head] = float(np.abs(estimates - labels).mean())
    if not errors:
        return {}
    mae = errors.get("multimodal", sum(errors.values()) / len(errors))
    return {
        **{f"mae_{head}": error for head, error in errors.items()},
        "mae": mae,
        "loss": sum(errors.values()),
    }


def _meta(settings: Settings, found: DataSet, epoch: int, version: str = "unfinished") -> Meta:
    return Meta(
        name=settings.data.name or "unnamed",
        version=version,
        scale=settings.data.scale,
        languages=settings.data.languages,
        max_tokens=settings.data.max_tokens,
        trained={"epoch": epoch, "seed": settings.training.seed, "rows": counts(found)},
    )


def _finish(
    settings: Settings,
    folder: Run,
    found: DataSet,
    tokenizer: Any,
    history: dict[str, Any],
    progress: Progress,
    version: str,
) -> dict[str, Any]:
    """Calibrate the best network, score it once on the test part, save the model and the report."""
    progress("calibrating", 0.0)
    network = checkpoint.load(folder.best).network
    judged = judge(network, tokenizer, found.part("calibration").samples, settings.data.max_tokens)
    calibration = calibrate(network, judged)
    recordings = found.recordings if set(network.alignment) >= {"audio", "visual"} else []
    reference = (
        build_reference(network, recordings, f"{settings.data.name} recordings") if recordings else None
    )
    meta = _meta(settings, found, history["best_epoch"], version).model_copy(
        update={"calibration": calibration}
    )
    checkpoint.save(folder.model, network, meta, reference)
    progress("scoring", 0.0)
    report = {
        **history,
        "rows": counts(found),
        "notes": found.notes,
        "calibration": calibration,
        "test": final_scores(network, tokenizer, found, settings.data, calibration),
        "reference": {"name": reference.name, "count": len(reference)} if reference is not None else None,
    }
    folder.report(report)
    folder.event("done")
    progress("scoring", 1.0)
    return report
