"""Training, top to bottom: read the data, build the network, learn epoch by epoch, finish the model, report.

The multi-task training of arXiv 2305.08473 (losses in `losses.py`, generated labels in
`core.model.label_generation`), for fully labelled multimodal data and for mixed sources alike.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.data.batches import Sample, feature_widths, has, tokenised
from core.data.sources import DataSet, Part, for_training, load, standardisation
from core.diagnostics.reference import build_reference
from core.errors import DataError
from core.model import checkpoint
from core.model.checkpoint import Meta
from core.model.network import Network, load_tokenizer
from core.training.evaluate import judge
from core.training.finish import calibrate, counts, final_scores
from core.training.plan import Plan
from core.training.run_state import started_at
from core.training.runs import SETTINGS, Run, create, open_run
from core.training.settings import Settings, fitted
from core.training.settings import load as load_settings
from core.training.step import Bank, Tally, Trainer
from core.types import HEADS
from core.workers import torch_threads

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
    create(run, settings, data)
    return carry_on(run, on_progress, version)


def carry_on(run: Path, on_progress: Progress | None = None, version: str = "1") -> dict[str, Any]:
    """Train what a run folder asks for; returns what report.json holds.

    Whatever ends it early is told by the folder's state and its last event, and raised.
    """
    folder = open_run(run)
    try:
        return _run(load_settings(run / SETTINGS), folder, on_progress or (lambda step, share: None), version)
    except Exception as error:
        folder.fail(error)
        raise


def _run(settings: Settings, folder: Run, progress: Progress, version: str) -> dict[str, Any]:
    data = Path(folder.about["data"])
    pid = os.getpid()
    folder.tell(now=True, state="running", pid=pid, started=started_at(pid), segment=1)
    _prepare(settings)
    found = for_training(load(settings.data.model_copy(update={"text": settings.text_kind}), data, progress))
    folder.event("data", rows=counts(found), notes=found.notes)
    _check(found, data)
    settings = fitted(settings, feature_widths(found.part("train").samples))
    tokenizer = load_tokenizer(settings.network)
    network = _build(settings, found.part("train"))
    history = _fit(settings, folder, found, network, tokenizer, progress)
    return _finish(settings, folder, found, tokenizer, history, progress, version)


def _prepare(settings: Settings) -> None:
    training = settings.training
    torch.set_num_threads(training.threads or torch_threads())
    torch.manual_seed(training.seed)


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
    """Everything that is learned; the best network ends up in the run's checkpoints. Returns how it went."""
    part = found.part("train")
    if tokenizer is not None:
        limit = settings.data.max_tokens
        part = Part([tokenised(sample, tokenizer, limit) for sample in part.samples], part.sources)
    valid = found.part("valid").samples
    _figures(settings, network, tokenizer, valid[: settings.training.batch_size])  # a broken part fails now
    if not settings.training.words_first:
        plan = Plan(part.samples, settings.training, mixed=len(found.sources) > 1)
        trainer = Trainer(settings, network, tokenizer, part, found.sources, len(plan))
        return _epochs(settings, folder, found, plan, trainer, progress)
    return _words_first(settings, folder, found, part, network, tokenizer, progress)


def _words_first(
    settings: Settings,
    folder: Run,
    found: DataSet,
    part: Part,
    network: Network,
    tokenizer: Any,
    progress: Progress,
) -> dict[str, Any]:
    """First the branch of the words alone, then all others beside what it makes of the words."""
    words, rest = _apart(part)
    alone = _laid_over(settings, composites=False)
    plan = Plan(words.samples, alone.training)
    trainer = Trainer(alone, network, tokenizer, words, found.sources, len(plan))
    first = _epochs(alone, folder, found, plan, trainer, progress)
    shutil.copytree(folder.best, folder.words)
    return {"words": first, **_beside(settings, folder, found, words, rest, tokenizer, progress)}


def _beside(
    settings: Settings,
    folder: Run,
    found: DataSet,
    words: Part,
    rest: Part,
    tokenizer: Any,
    progress: Progress,
) -> dict[str, Any]:
    """Everything but the words, from the checkpoint that holds these."""
    torch.manual_seed(settings.training.seed)  # however many random numbers the words took
    network = checkpoint.load(folder.words).network.to(_device(settings))
    for name, parameter in network.named_parameters():
        if name.startswith("text_encoder."):
            parameter.requires_grad_(False)
    training = settings.training
    apart = _laid_over(settings, epochs=training.epochs_beside, batch_size=training.batch_beside)
    plan = Plan(rest.samples, apart.training, mixed=True)
    bank = _bank(settings, network, tokenizer, words)
    trainer = Trainer(apart, network, tokenizer, rest, found.sources, len(plan), bank)
    unwatched = replace(found, parts={**found.parts, "valid": Part()})
    return _epochs(apart, folder, unwatched, plan, trainer, progress)


def _apart(part: Part) -> tuple[Part, Part]:
    """The rows of words alone, and all others."""
    words, rest = Part(), Part()
    for sample, source in zip(part.samples, part.sources, strict=True):
        alone = has(sample, "text") and not has(sample, "audio") and not has(sample, "visual")
        (words if alone else rest).add([sample], source)
    return words, rest


def _bank(settings: Settings, network: Network, tokenizer: Any, words: Part) -> Bank:
    judged = judge(network, tokenizer, words.samples, settings.data.max_tokens)
    labels = torch.from_numpy(judged.labels["text"]).float()
    known = ~labels.isnan()
    return Bank(judged.encoded["text"][known].to(_device(settings)), labels[known].to(_device(settings)))


def _laid_over(settings: Settings, **training: Any) -> Settings:
    return settings.model_copy(update={"training": settings.training.model_copy(update=training)})


def _epochs(
    settings: Settings, folder: Run, found: DataSet, plan: Plan, trainer: Trainer, progress: Progress
) -> dict[str, Any]:
    """Epoch after epoch until the last, until none gets better, or until somebody or the clock says stop."""
    training = settings.training
    valid = found.part("valid").samples
    folder.event(
        "start", rows=len(trainer.samples), batches=len(plan), epochs=training.epochs, notes=found.notes
    )
    best, started, reason = _Best(), time.monotonic(), "all epochs done"
    for epoch in range(1, training.epochs + 1):
        stopped = _epoch(settings, folder, plan, trainer, epoch, started, progress)
        figures = _figures(settings, trainer.model, trainer.tokenizer, valid)
        watched = figures.get(training.monitor, float(-epoch))  # without a validation part: the latest
        last = stopped or epoch == training.epochs
        if best.takes(watched, epoch) and (valid or last):
            checkpoint.save(folder.best, trainer.model, _meta(settings, found, epoch))
        labels = trainer.labels.diagnostics()
        means = trainer.tally.means()
        folder.event("epoch", epoch=epoch, best=best.epoch, valid=figures, train=means, labels=labels)
        trainer.tally = Tally()
        if stopped:
            reason = stopped
            break
        if epoch - best.epoch >= training.patience:
            reason = f"no better epoch in {training.patience}"
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
    folder.tell(now=True, state="finished", share=1.0, reason=history["ended"])
    progress("scoring", 1.0)
    return report
