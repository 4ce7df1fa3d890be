"""What a run tells while it trains: events, the state, and the same curves for TensorBoard."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil

from core.training.plan import Plan
from core.training.stand import Stand, Work
from core.training.step import Trainer

REPORT_EVERY = 20
"""Batches between two "step" events of an epoch."""
MEGABYTE = 2**20


class RunLog:
    """Tells of one phase of a run; every process calls it, the main one writes."""

    def __init__(self, work: Work, plan: Plan, trainer: Trainer, stand: Stand) -> None:
        self._work, self._plan, self._trainer, self._stand = work, plan, trainer, stand
        self._board = Board(
            work.run.folder / "tensorboard" / stand.phase, None if stand.fresh else trainer.steps
        )
        self._process = psutil.Process()
        self._began = self._epoch_began = self._since = time.monotonic()
        self._first, self._rows = self._share, 0

    @property
    def _share(self) -> float:
        """Of this phase, how much is done."""
        done = self._stand.epoch - 1 + self._stand.batch / len(self._plan)
        return done / self._work.settings.training.epochs

    def step(self, rows: int) -> None:
        """A batch of so many rows was learned."""
        stand, run = self._stand, self._work.run
        self._rows += rows
        share = self._share
        self._work.progress("training", share)
        run.tell(
            epoch=stand.epoch,
            step=self._trainer.steps,
            share=round(self._overall(share), 5),
            left_s=self._left(share),
        )
        if stand.batch % REPORT_EVERY == 0:
            self._report(share)

    def _report(self, share: float) -> None:
        stand, trainer = self._stand, self._trainer
        trainer.tally.gather(self._work.processes)
        if not self._work.processes.main:
            return
        seconds, now = time.monotonic() - self._since, time.monotonic()
        figures = {
            **trainer.tally.means(),
            "samples_s": round(self._rows / seconds, 2),
            "rss_mb": round(self._process.memory_info().rss / MEGABYTE, 1),
            "rate": trainer.rate,
        }
        self._since, self._rows = now, 0
        self._work.run.event(
            "step", epoch=stand.epoch, batch=stand.batch, step=trainer.steps, share=round(share, 5), **figures
        )
        self._board.write("step", figures, trainer.steps)

    def epoch(self, valid: dict[str, float]) -> None:
        """An epoch is over, and this is what the validation part says of it."""
        stand, trainer, training = self._stand, self._trainer, self._work.settings.training
        trainer.tally.gather(self._work.processes)
        if not self._work.processes.main:
            return
        train, labels = trainer.tally.means(), trainer.labels.diagnostics()
        seconds = round(time.monotonic() - self._epoch_began, 3)
        self._epoch_began = time.monotonic()
        figure = stand.best if valid else None  # without a validation part the latest epoch counts as best
        best = {"epoch": stand.best_epoch, "figure": figure, "monitor": training.monitor}
        self._work.run.event(
            "epoch", epoch=stand.epoch, best=stand.best_epoch, valid=valid, train=train, labels=labels,
            seconds=seconds,
        )  # fmt: skip
        self._work.run.tell(now=True, best=best if stand.best_epoch else None, epoch=stand.epoch)
        self._board.write("valid", valid, trainer.steps)
        self._board.write("train", train, trainer.steps)
        for modality, figures in labels.items():
            self._board.write(f"labels/{modality}", figures, trainer.steps)

    def close(self) -> None:
        """The phase is over."""
        self._board.close()

    def _overall(self, share: float) -> float:
        """Of the run: where words come first, each of the two phases counts as half of it."""
        return {"words": share / 2, "beside": 0.5 + share / 2}.get(self._stand.phase, share)

    def _left(self, share: float) -> float | None:
        """Seconds that this phase still takes if none of its epochs is spared."""
        done = share - self._first
        if done <= 0:
            return None
        return round((time.monotonic() - self._began) / done * (1 - share), 1)


class Board:
    """TensorBoard's log beside events.jsonl. A resumed run adds a file that takes back what came after the
    step that it goes on from, `since`."""

    def __init__(self, folder: Path, since: int | None) -> None:
        self._folder = folder
        self._purge = None if since is None else since + 1
        self._writer: Any = None

    def write(self, group: str, figures: dict[str, float], step: int) -> None:
        """Scalars of a group at a step."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # slow to import

            self._writer = SummaryWriter(str(self._folder), purge_step=self._purge)
        for name, value in figures.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)
        self._writer.flush()  # its own thread would keep the latest two minutes to itself

    def close(self) -> None:
        """Bring everything to the disk."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
