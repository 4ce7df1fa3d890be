"""Training, top to bottom: read the data, build the network, learn epoch by epoch, finish the model, report.

The multi-task training of arXiv 2305.08473 (losses in `losses.py`, labels in `core.model.label_sources`), for
fully labelled multimodal data and for mixed sources alike. A run that was interrupted goes on from its last
checkpoint with the numbers it would have had; several processes that torchrun starts share each batch.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from core.data.batches import Sample, feature_widths, row_index
from core.data.sources import DataSet, Part, Progress, for_training, load, standardisation
from core.errors import Cancelled, DataError, SettingsError, UserError
from core.model import checkpoint
from core.model.checkpoint import Meta
from core.model.chosen import ABSENT
from core.model.network import Network, load_tokenizer
from core.sole import sole, worker
from core.training import texts
from core.training.bank import Bank
from core.training.environment import code_version, environment
from core.training.evaluate import judge
from core.training.finish import counts, finish
from core.training.plan import Plan
from core.training.processes import Processes
from core.training.run_log import RunLog
from core.training.run_state import read_state, started_at
from core.training.runs import SETTINGS, TRIAL, Run, clear_flags, create, open_run, put_aside, resumable
from core.training.settings import Settings, fitted
from core.training.settings import load as load_settings
from core.training.stand import LATE, STOPPED, Stand, Work, copy_folder, keep, next_phase, recall, set_aside
from core.training.step import Trainer
from core.training.tally import Tally
from core.types import HEADS, MODALITIES
from core.workers import torch_threads

SCALE_FLOOR = 0.05
"""Features that hardly vary are divided by this share of the typical deviation at least, not by nearly 0."""


def train(
    settings: Settings,
    data: Path,
    run: Path,
    on_progress: Progress | None = None,
    version: str = "1",
) -> dict[str, Any]:
    """Train as the settings say on the data at a path, in a new run folder; returns what report.json holds.

    The finished model lies in `run/model`. A file `stop` in the run folder ends the run early and keeps its
    best; `discard` puts the folder aside (Cancelled). Raises SettingsError, DataError, AssetError before the
    first step; afterwards the folder tells why.
    """
    processes = Processes(settings.training)
    if processes.main:
        create(run, settings, data)
    processes.wait()
    return carry_on(run, on_progress, version)


def carry_on(folder: Path, on_progress: Progress | None = None, version: str = "1") -> dict[str, Any]:
    """Train what a run folder asks for, from its last checkpoint if it has one; returns its report.

    Whatever ends it is told by the folder's state and its last event, and raised.
    """
    run = open_run(folder)
    try:
        settings = load_settings(folder / SETTINGS)
        processes = Processes(settings.training)
    except UserError as error:
        run.fail(error)
        raise
    with ExitStack() as held:
        _take(run, processes, held)
        try:
            return _run(settings, run, processes, on_progress or (lambda step, share: None), version)
        except Cancelled:
            run.tell(now=True, state="discarded", left_s=None)
            if processes.main:
                held.close()  # a folder with an open file does not move everywhere
                put_aside(folder)
            raise
        except Exception as error:
            run.fail(error)
            raise


def _take(run: Run, processes: Processes, held: ExitStack) -> None:
    """Make the run this process's. Raises DataError where another is training it, or it is finished."""
    mine = held.enter_context(sole(run.folder)) if processes.main else True
    if not processes.agreed(mine):
        raise DataError(f"{run.folder} is being trained by process {worker(run.folder)} already.")
    state, pid = read_state(run.folder), os.getpid()
    others = processes.collected(pid)
    handed_over = state.live and state.pid in others
    if not handed_over:
        resumable(run.folder, state)
    run.quiet = not processes.main
    processes.wait()  # all have looked
    if processes.main and not handed_over:  # else somebody may want the end of what has just been started
        clear_flags(run.folder)
    run.tell(
        now=True, state="running", pid=pid, started=started_at(pid), segment=state.segment + 1,
        reason=None, error=None, left_s=None,
    )  # fmt: skip


def _run(
    settings: Settings, run: Run, processes: Processes, progress: Progress, version: str
) -> dict[str, Any]:
    prepare(settings, processes)
    stand = recall(run, processes)
    run.event("segment", number=run.state.segment, step=_steps(stand), epoch=stand.epoch, pid=os.getpid())
    found = _data(settings, run, processes, progress)
    if stand.trainer is None:
        run.event("data", rows=counts(found), notes=found.notes)
        if settings.training.precision == "bfloat16" and not processes.bfloat16:
            run.event("warning", code="precision", message=f"{processes.device} has no bfloat16: float32")
    settings = fitted(settings, feature_widths(found.part("train").samples))
    tokenizer = load_tokenizer(settings.network)
    network = build(settings, found.part("train"), processes)
    work = Work(settings, run, found, tokenizer, processes, progress, version)
    history = _fit(work, network, stand)
    return finish(work, history, meta(work, history["best_epoch"], version))


def _steps(stand: Stand) -> int:
    return stand.trainer["steps"] if stand.trainer else 0


def prepare(settings: Settings, processes: Processes) -> None:
    training = settings.training
    torch.set_num_threads(training.threads or torch_threads())
    torch.manual_seed(training.seed)
    if processes.several and settings.labels.kind == "adversarial":
        raise SettingsError("labels.kind: adversarial: its discriminator learns in one process only.")


def _data(settings: Settings, run: Run, processes: Processes, progress: Progress) -> DataSet:
    """What is learned from; run.json remembers its fingerprint, and a resumed run must find the same."""
    path = Path(run.about["data"])
    if not processes.main:
        processes.wait()  # the main process converts it once
    found = for_training(load(settings.read, path, progress))
    if processes.main:
        processes.wait()
    if run.about.get("purpose") == TRIAL:
        found.parts.pop("test", None)  # what a search chooses by must not be what its choice is judged by
    if np.isnan(row_index(found.part("train").samples).labels).all():
        raise DataError(f"{path}: no labelled rows to train on.", "Look at the settings' sources and labels.")
    known = run.about.get("fingerprint")
    if known and known != found.fingerprint:
        raise DataError(f"{path} is not the data that this run began with.", "Start a new run on it.")
    run.describe(
        fingerprint=found.fingerprint,
        code=code_version(),
        environment=environment(processes.device, processes.count),
    )
    return found


def build(settings: Settings, part: Part, processes: Processes) -> Network:
    """The network, its standardisation taken from the training part."""
    network = Network(settings.network)
    for modality, encoder in (("audio", network.audio_encoder), ("visual", network.visual_encoder)):
        known = standardisation(part.samples, modality) if settings.network.standardise else None
        if known is not None:
            mean, deviation = known
            floor = SCALE_FLOOR * float(np.median(deviation))
            encoder.standardise_by(
                torch.from_numpy(mean).float(), torch.from_numpy(np.maximum(deviation, floor)).float()
            )
    if processes.rank:
        torch.manual_seed(settings.training.seed + processes.rank)  # of dropout: other rows, other masks
    return network.to(processes.device)


def _fit(work: Work, network: Network, stand: Stand) -> dict[str, Any]:
    """Everything that is learned; the best network ends up in the run's checkpoints. Returns how it went."""
    part, valid = texts.read(work, network)
    training = work.settings.training
    figures(work, network, valid[: training.batch_size])  # a broken part fails now
    if training.words_first:
        return _words_first(work, network, part, valid, stand)
    plan = Plan(part.samples, training, mixed=len(work.found.sources) > 1)
    trainer = _trainer(work, network, part, plan)
    return epochs(work, plan, trainer, valid, next_phase(stand, ""))


def _words_first(
    work: Work, network: Network, part: Part, valid: Sequence[Sample], stand: Stand
) -> dict[str, Any]:
    """First the branch of the words alone, then all others beside what it makes of the words."""
    words, rest = _apart(part)
    if stand.phase != "beside":
        alone = work.over(composites=False)
        plan = Plan(words.samples, alone.settings.training)
        trainer = _trainer(alone, network, words, plan)
        stand = next_phase(stand, "words")
        stand.words = epochs(alone, plan, trainer, valid, stand)
        if work.processes.main and not work.run.words.exists():
            copy_folder(work.run.best, work.run.words)
        work.processes.wait()
    beside = next_phase(stand, "beside")
    beside.keeps = bool(stand.ended) or stand.phase == "beside"
    return {"words": stand.words, **_beside(work, words, rest, beside)}


def _beside(work: Work, words: Part, rest: Part, stand: Stand) -> dict[str, Any]:
    """Everything but the words, from the checkpoint that holds these."""
    training = work.settings.training
    torch.manual_seed(training.seed + work.processes.rank)  # however many random numbers the words took
    network = checkpoint.load(work.run.words).network.to(work.processes.device)
    for name, parameter in network.named_parameters():
        if name.startswith("text_encoder."):
            parameter.requires_grad_(False)
    apart = work.over(epochs=training.epochs_beside, batch_size=training.batch_beside)
    plan = Plan(rest.samples, apart.settings.training, mixed=True)
    trainer = _trainer(apart, network, rest, plan, _bank(work, network, words))
    return epochs(apart, plan, trainer, [], stand)


def _bank(work: Work, network: Network, words: Part) -> Bank:
    """The bank of a training part's words; computed once a run, for that takes long."""
    device = work.processes.device
    if not work.run.bank.exists():
        if work.processes.main:
            judged = judge(network, work.tokenizer, words.samples, work.settings.data.max_tokens)
            labels = torch.from_numpy(judged.labels["text"]).float()
            known = ~labels.isnan()
            part = work.run.bank.with_suffix(".part")
            save_file({"encoded": judged.encoded["text"][known], "labels": labels[known]}, part)
            part.replace(work.run.bank)
        work.processes.wait()
    held = load_file(work.run.bank)
    return Bank(held["encoded"].to(device), held["labels"].to(device))


def _apart(part: Part) -> tuple[Part, Part]:
    """The rows of words alone, and all others."""
    known = row_index(part.samples)
    alone = known.has("text") & ~known.has("audio") & ~known.has("visual")
    return part.take(np.flatnonzero(alone)), part.take(np.flatnonzero(~alone))


def _trainer(work: Work, network: Network, part: Part, plan: Plan, bank: Bank | None = None) -> Trainer:
    return Trainer(
        work.settings, network, work.tokenizer, part, work.found.sources, len(plan), work.processes, bank
    )


def epochs(work: Work, plan: Plan, trainer: Trainer, valid: Sequence[Sample], stand: Stand) -> dict[str, Any]:
    """Epoch after epoch until the last, until none gets better, or until somebody or the clock says stop."""
    training, run = work.settings.training, work.run
    stand.hand_over(trainer)
    log = RunLog(work, plan, trainer, stand)
    if stand.fresh:
        run.event("start", rows=len(trainer.samples), batches=len(plan), epochs=training.epochs)
    ended = stand.ended
    while not ended:
        cut = _epoch(work, plan, trainer, stand, log)
        if cut:
            keep(work, stand, trainer)  # who resumes goes on from here, as if nothing had been
            set_aside(run, work.processes)
        if cut == STOPPED and stand.best_epoch:
            ended = cut
            break
        judged = work.processes.agreed(figures(work, trainer.model, valid) if work.processes.main else None)
        watched = judged[training.monitor] if judged else float(-stand.epoch)  # nothing to watch: the latest
        if watched == math.inf:
            raise _diverged(stand)
        last = bool(cut) or stand.epoch == training.epochs
        if stand.takes(watched) and (len(valid) or last) and work.processes.main:
            checkpoint.save(run.best, trainer.model, meta(work, stand.epoch))
        log.epoch(judged)
        trainer.tally = Tally()
        ended = cut or _end(stand, training.epochs, training.patience)
        if not cut:
            stand.ended, stand.epoch, stand.batch = ended, stand.epoch + 1, 0
            keep(work, stand, trainer)
    log.close()
    history = {
        "best_epoch": stand.best_epoch,
        "epochs": stand.epoch - (not stand.batch),
        "ended": ended,
        "steps": trainer.steps,
    }
    run.event("fitted", **history, seconds=round(stand.trained, 1))
    return history


def _end(stand: Stand, most: int, patience: int) -> str:
    """Why this epoch was the last one; "" where it was not."""
    if stand.epoch - stand.best_epoch >= patience:
        return f"no better epoch in {patience}"
    return "all epochs done" if stand.epoch >= most else ""


def _epoch(work: Work, plan: Plan, trainer: Trainer, stand: Stand, log: RunLog) -> str:
    """One pass over the training part, or the rest of it; why it was cut short, "" where it was not."""
    for number, rows in enumerate(plan.epoch(stand.epoch)):
        if number < stand.batch:
            continue  # done before the run was interrupted
        trainer.step(stand.epoch, number, rows)
        stand.batch = number + 1
        log.step(len(rows))
        match work.processes.agreed(_wish(work, stand, trainer)):
            case "diverged":
                raise _diverged(stand)
            case "checkpoint":
                keep(work, stand, trainer)
            case "discard":
                keep(work, stand, trainer)  # until the folder is gone it can be taken back
                raise Cancelled
            case "":
                continue
            case cut:
                return cut
    return ""


def _wish(work: Work, stand: Stand, trainer: Trainer) -> str:
    """What is to happen after this batch: "discard", "diverged", "checkpoint", the reason to end, or "" for
    nothing."""
    training = work.settings.training
    if work.run.discard_asked():
        return "discard"
    if not math.isfinite(trainer.tally.sums.get("loss", 0.0)):  # once it is no number, the sum never is again
        return "diverged"
    if work.run.stop_asked():
        return STOPPED
    if training.minutes and stand.trained > training.minutes * 60:
        return LATE
    return "checkpoint" if stand.due(training.checkpoint_minutes) else ""


def _diverged(stand: Stand) -> UserError:
    return UserError(
        f"The loss is no number any more in epoch {stand.epoch}.",
        "Lower the learning rate, or set a gradient limit, in a new run."
        + (f" The best network, of epoch {stand.best_epoch}, is kept." if stand.best_epoch else ""),
    )


def figures(work: Work, network: Network, samples: Sequence[Sample]) -> dict[str, float]:
    """Of the validation part: the mean absolute error of each head, `mae` of the fusion (else of all heads'
    mean) and `loss`, their sum. Empty without labelled rows; infinite where an estimate is no number."""
    judged = judge(network, work.tokenizer, samples, work.settings.data.max_tokens)
    errors = {}
    for head in HEADS:
        estimates, labels = judged.labelled(head)
        if judged.diverged(head).any():
            errors[head] = math.inf
        elif len(labels):
            errors[head] = float(np.abs(estimates - labels).mean())
    if not errors:
        return {}
    mae = errors.get("multimodal", sum(errors.values()) / len(errors))
    return {
        **{f"mae_{head}": error for head, error in errors.items()},
        "mae": mae,
        "loss": sum(errors.values()),
    }


def meta(work: Work, epoch: int, version: str = "unfinished") -> Meta:
    """What the model says of itself after so many epochs."""
    data = work.settings.data
    return Meta(
        name=data.name or "unnamed",
        version=version,
        scale=data.scale,
        languages=data.languages,
        max_tokens=data.max_tokens,
        features=_features(work.found),
        data={} if data.sources else work.settings.read.model_dump(mode="json"),
        fingerprint="" if data.sources else work.found.fingerprint,
        trained={"epoch": epoch, "seed": work.settings.training.seed, "rows": counts(work.found)},
    )


def _features(found: DataSet) -> dict[str, str]:
    """What made each modality of the training part: the extractor's version, the data itself, or nothing."""
    known = row_index(found.part("train").samples)
    return {m: found.features.get(m, "foreign") if known.has(m).any() else ABSENT for m in MODALITIES}
