"""Where a run stands: what its steps share, and the checkpoint that it goes on from."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from core.data.sources import DataSet, Progress
from core.files import clear_parts, standing, whole_folder
from core.training import snapshot
from core.training.processes import Processes
from core.training.runs import Run
from core.training.settings import Settings
from core.training.step import Trainer

NOT_TOLD = ("trainer", "since", "saved", "keeps")
"""Fields of a stand that are this process's own."""
STOPPED, LATE = "stopped by the user", "time limit"
"""Why a run ends before its last epoch."""


@dataclass(frozen=True, slots=True)
class Work:
    """What everything that a run does is done with."""

    settings: Settings
    run: Run
    found: DataSet
    tokenizer: Any
    processes: Processes
    progress: Progress
    version: str = "1"

    def over(self, **training: Any) -> Work:
        """The same with these settings of the training laid over."""
        changed = self.settings.training.model_copy(update=training)
        return replace(self, settings=self.settings.model_copy(update={"training": changed}))


@dataclass(slots=True)
class Stand:
    """What a checkpoint remembers beside the trainer's own state.

    phase: "" where all is learned at once; else "words", then "beside". epoch: the one being learned, from 1;
    batch: of it, how many are done. best: lowest watched figure so far. seconds: of training, over all
    segments. ended: why the phase is over. words: how the words went, once they are done.
    """

    phase: str = ""
    epoch: int = 1
    batch: int = 0
    best: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0
    ended: str = ""
    words: dict[str, Any] | None = None
    trainer: dict[str, Any] | None = None
    """The trainer's state, until a trainer has taken it over."""
    keeps: bool = True
    """Whether checkpoints are written: not of what a stopped run only does to end with a whole model."""
    since: float = field(default_factory=time.monotonic)
    saved: float = field(default_factory=time.monotonic)

    @property
    def fresh(self) -> bool:
        """Whether nothing of the phase has been learned yet."""
        return self.epoch == 1 and self.batch == 0

    @property
    def trained(self) -> float:
        """Seconds of training, over all segments."""
        return self.seconds + time.monotonic() - self.since

    def due(self, minutes: float) -> bool:
        """Whether the last checkpoint is so old."""
        return time.monotonic() - self.saved > minutes * 60

    def takes(self, figure: float) -> bool:
        """Whether this epoch is the best so far (a lower figure); remembers it if so."""
        if not figure < (math.inf if self.best is None else self.best):
            return False
        self.best, self.best_epoch = figure, self.epoch
        return True

    def hand_over(self, trainer: Trainer) -> None:
        """Put the trainer where the checkpoint left it, if there was one."""
        if self.trainer is not None:
            trainer.restore(self.trainer)
        self.trainer = None


def next_phase(stand: Stand, phase: str) -> Stand:
    """The stand at the beginning of a phase, or as it is if it is in that phase already."""
    if stand.phase == phase:
        return stand
    return Stand(phase, seconds=stand.seconds, since=stand.since, words=stand.words)


def keep(work: Work, stand: Stand, trainer: Trainer) -> None:
    """Write the last checkpoint; the one before stays beside it. All processes call it together."""
    if not stand.keeps:
        return
    trainer.tally.gather(work.processes)
    state = trainer.state()
    if work.processes.main:
        told = {f.name: getattr(stand, f.name) for f in fields(stand) if f.name not in NOT_TOLD}
        told["seconds"] = stand.trained
        saved = {"stand": told, "events": work.run.mark(), "trainer": state}
        snapshot.save(work.run.last, saved, keep=work.run.previous)
    stand.saved = time.monotonic()


def recall(run: Run, processes: Processes) -> Stand:
    """Where the run stands by its last checkpoint; events after it are cut off, for they happen again."""
    found = snapshot.load(run.last, run.previous)
    stand = Stand() if found is None else Stand(**found["stand"], trainer=found["trainer"])
    processes.wait()
    run.rewind(None if found is None else found["events"])
    if processes.main:
        for parent in (run.folder, run.last.parent):
            clear_parts(parent)
        _undo(run, stand)
    processes.wait()
    return stand


def set_aside(run: Run, processes: Processes) -> None:
    """Before a run that is cut short ends: keep the best of whole epochs, from which it may go on."""
    if processes.main and run.best.exists():
        copy_folder(run.best, run.aside)


def _undo(run: Run, stand: Stand) -> None:
    """Take back what a run that was cut short made only to end with a whole model."""
    if run.aside.exists():
        copy_folder(run.aside, run.best)
        shutil.rmtree(run.aside)
    if stand.phase != "beside" and not stand.ended:
        shutil.rmtree(run.words, ignore_errors=True)
        run.bank.unlink(missing_ok=True)


def copy_folder(source: Path, target: Path) -> None:
    """A folder's content under another name too, whole or not at all."""
    with whole_folder(target) as part:
        shutil.copytree(standing(source), part, dirs_exist_ok=True)
