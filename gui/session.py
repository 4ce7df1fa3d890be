"""What is under review: the clips, their answers, which one is shown, and undo. Knows no widget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from gui.background import Background
from gui.clip_list import Clip, ClipModel, ClipState
from gui.corrections import Correction, Corrections
from gui.jobs import Jobs

KEPT = 200
"""Answers held in memory; an older one is asked for again when its clip is shown (the engine has a cache)."""
SETTLE_MS = 200
"""How long a clip must stay shown before it overtakes the one being analysed."""


@dataclass(slots=True)
class Answer:
    """What is known of a clip so far. `partial`: audio and visual are there, the words are not."""

    waveform: dict[str, Any] | None = None
    analysis: dict[str, Any] | None = None
    partial: bool = False
    error: dict[str, Any] = field(default_factory=dict)


class Session(QObject):
    """Clips in, answers out. A result is taken only if its id is the last one asked for its clip."""

    leaving = Signal(object)
    """The clip shown, before another one is, or none: what is being typed for it is to be handed in now."""
    shown = Signal(object)
    answered = Signal(object)
    clip_failed = Signal(object, dict)
    not_kept = Signal(object, str)
    """A clip whose corrected words the disk did not take, and why. They are tried again with the next."""

    def __init__(self, jobs: Jobs, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.clips = ClipModel()
        self.current: Clip | None = None
        self.undo_stack = QUndoStack(self)
        self._jobs, self._background = jobs, background
        self._corrections = Corrections()
        self._answers: OrderedDict[Clip, Answer] = OrderedDict()
        self._taken_off: dict[Clip, Answer] = {}
        self._by_job: dict[int, Clip] = {}
        self._by_path: dict[Path, Clip] = {}
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self._overtake)
        jobs.started.connect(self._job_started)
        jobs.waveform.connect(self._job_waveform)
        jobs.partial.connect(self._job_partial)
        jobs.done.connect(self._job_done)
        jobs.failed.connect(self._job_failed)
        jobs.cancelled.connect(self._job_cancelled)

    def add(self, paths: Sequence[Path], sample: bool = False) -> None:
        """Put files on the list and queue them; those already there are not doubled. Shows the first."""
        fresh = [Clip(path, sample=sample) for path in dict.fromkeys(paths) if path not in self._by_path]
        if not sample:
            self._drop_sample()
        for clip in fresh:
            self._by_path[clip.path] = clip
            self._ask(clip)
        self.clips.add(fresh)
        self._background.run(self._corrections.find([clip.path for clip in fresh]), self._recall)
        if paths and (self.current is None or len(paths) == 1):
            self.show(self._by_path[paths[0]])

    def show(self, clip: Clip | None) -> None:
        """Make `clip` the one shown; its analysis goes to the front."""
        if clip is self.current:
            return
        if self.current is not None:
            self.leaving.emit(self.current)
        self.current = clip
        if clip is not None:
            if clip.state is ClipState.DONE and clip not in self._answers:
                self._ask_again(clip)
            self._jobs.hurry(clip.job)
            self._settle.start()
        self.shown.emit(clip)

    def answer(self, clip: Clip) -> Answer:
        """What is known of `clip` so far."""
        return self._answers.get(clip, Answer())

    def correct(self, clip: Clip, text: str | None) -> None:
        """Estimate again with a typed transcript, or with what is recognised (undoable)."""
        self.undo_stack.push(_Correction(self, clip, text))

    def retype(self, clip: Clip, typed: str | None) -> None:
        """Use `typed` (None: what is recognised) as the transcript of `clip`, if it is still on the list."""
        if self._by_path.get(clip.path) is not clip:
            return
        clip.typed = typed
        self._corrections.put(clip.path, None if typed is None else Correction(typed, clip.language))
        self._background.run(self._corrections.write(), self._tell_not_kept)
        self.show(clip)
        self._ask_again(clip)

    def save(self) -> None:
        """Wait until every correction is on the disk, or has failed to get there: the window closes."""
        for _failed in self._corrections.write():
            pass

    def analyse_again(self) -> None:
        """Ask once more for the clip shown."""
        if self.current is not None:
            self._ask_again(self.current)

    def analyse_all_again(self) -> None:
        """Ask once more for every clip: another model answers now."""
        self._jobs.cancel_all()
        self._answers.clear()
        self._taken_off.clear()
        for clip in self.clips.clips:
            self._ask(clip, first=clip is self.current)
        self.clips.touch_all()

    def remove_current(self) -> None:
        """Take the clip shown off the list and show its neighbour (undoable)."""
        if self.current is not None:
            self.leaving.emit(self.current)
            self.undo_stack.push(_Removal(self, self.current))

    def take_off(self, clip: Clip) -> None:
        """Take `clip` off the list; if it is shown, its neighbour is shown instead."""
        if self._by_path.get(clip.path) is not clip:
            return
        row, shown = self.clips.row_of(clip), clip is self.current
        if clip.state is ClipState.DONE and clip in self._answers:
            self._taken_off[clip] = self._answers[clip]
        self._forget(clip)
        left = self.clips.rowCount()
        if shown:
            self.show(self.clips.at(min(row, left - 1)) if left and row >= 0 else None)

    def put_back(self, clip: Clip, place: int) -> None:
        """Put `clip` on the list again, at `place`, with what was known of it, and show it.

        One that was opened again meanwhile is only shown.
        """
        if clip.path not in self._by_path:
            self._by_path[clip.path] = clip
            self.clips.insert(min(place, len(self.clips.clips)), clip)
            if clip in self._taken_off:
                self._answers[clip] = self._taken_off.pop(clip)
            elif clip.state is not ClipState.FAILED:
                self._ask(clip)
        self.show(self._by_path[clip.path])

    def settled(self) -> bool:
        """Whether the clip shown has its whole answer, or has failed."""
        clip = self.current
        return clip is not None and clip.state in (ClipState.DONE, ClipState.FAILED, ClipState.CANCELLED)

    def _recall(self, found: tuple[Path, Correction]) -> None:
        """Use words of an earlier day, unless somebody was quicker."""
        path, correction = found
        clip = self._by_path.get(path)
        if clip is not None and clip.typed is None:
            clip.typed, clip.language = correction.text, correction.language
            self._ask_again(clip, first=clip is self.current)

    def _tell_not_kept(self, failed: tuple[Path, str]) -> None:
        self.not_kept.emit(*failed)

    def _drop_sample(self) -> None:
        for clip in [clip for clip in self.clips.clips if clip.sample]:
            if clip is self.current:
                self.leaving.emit(clip)
                self.current = None
            self._forget(clip)

    def _forget(self, clip: Clip) -> None:
        self.clips.remove(clip)
        del self._by_path[clip.path]
        self._by_job.pop(clip.job, None)
        self._jobs.cancel(clip.job)
        self._answers.pop(clip, None)

    def _ask_again(self, clip: Clip, first: bool = True) -> None:
        self._ask(clip, first)
        self.clips.touch(clip)
        self.answered.emit(clip)

    def _ask(self, clip: Clip, first: bool = False) -> None:
        """Queue a request for `clip`; one still under way for it is no longer wanted."""
        if clip.job in self._by_job:
            del self._by_job[clip.job]
            self._jobs.cancel(clip.job)
        clip.state, clip.why = ClipState.WAITING, ""
        clip.job = self._jobs.analyse(str(clip.path), clip.typed, first)
        self._by_job[clip.job] = clip

    @Slot()
    def _overtake(self) -> None:
        """The clip shown goes first: what runs for another one goes back into the queue."""
        running = self._jobs.running
        other = None if running is None else self._by_job.get(running.id)
        shown = self.current
        if other is not None and shown is not None and other is not shown and shown.job in self._by_job:
            self._ask_again(other)
            self._jobs.hurry(shown.job)

    def _wanted(self, job: int) -> Clip | None:
        """The clip that waits for this request, None if the result comes too late for anything."""
        return self._by_job.get(job)

    def _kept(self, clip: Clip) -> Answer:
        answer = self._answers.setdefault(clip, Answer())
        self._answers.move_to_end(clip)
        if len(self._answers) > KEPT:
            oldest = next(iter(self._answers))
            if oldest is not self.current:
                del self._answers[oldest]
        return answer

    @Slot(int)
    def _job_started(self, job: int) -> None:
        if (clip := self._wanted(job)) is not None:
            clip.state = ClipState.ANALYSING
            self.clips.touch(clip)
            self.answered.emit(clip)

    @Slot(int, dict)
    def _job_waveform(self, job: int, message: dict[str, Any]) -> None:
        if (clip := self._wanted(job)) is not None:
            self._kept(clip).waveform = message
            self.answered.emit(clip)

    @Slot(int, dict)
    def _job_partial(self, job: int, analysis: dict[str, Any]) -> None:
        if (clip := self._wanted(job)) is not None:
            answer = self._kept(clip)
            answer.analysis, answer.partial = analysis, True
            self.answered.emit(clip)

    @Slot(int, dict)
    def _job_done(self, job: int, analysis: dict[str, Any]) -> None:
        if (clip := self._by_job.pop(job, None)) is not None:
            answer = self._kept(clip)
            answer.analysis, answer.partial, answer.error = analysis, False, {}
            clip.language = (analysis.get("transcript") or {}).get("language") or clip.language
            overall = analysis["estimates"].get("multimodal")
            clip.state, clip.value = ClipState.DONE, None if overall is None else overall["value"]
            self.clips.touch(clip)
            self.answered.emit(clip)

    @Slot(int, dict)
    def _job_failed(self, job: int, error: dict[str, Any]) -> None:
        if (clip := self._by_job.pop(job, None)) is not None:
            self._kept(clip).error = error
            # In the list the file's name stands above already.
            clip.state = ClipState.FAILED
            clip.why = str(error.get("message", "")).removeprefix(f"{clip.path.name}: ")
            self.clips.touch(clip)
            self.answered.emit(clip)
            self.clip_failed.emit(clip, error)

    @Slot(int)
    def _job_cancelled(self, job: int) -> None:
        if (clip := self._by_job.pop(job, None)) is not None:
            clip.state = ClipState.CANCELLED
            self.clips.touch(clip)
            self.answered.emit(clip)


class _Removal(QUndoCommand):
    """One clip taken off the list."""

    def __init__(self, session: Session, clip: Clip) -> None:
        super().__init__(session.tr("take {name} off the list").format(name=clip.path.name))
        self._session, self._clip = session, clip
        self._place = session.clips.clips.index(clip)

    def redo(self) -> None:
        self._session.take_off(self._clip)

    def undo(self) -> None:
        self._session.put_back(self._clip, self._place)


class _Correction(QUndoCommand):
    """One correction of one transcript."""

    def __init__(self, session: Session, clip: Clip, text: str | None) -> None:
        super().__init__(session.tr("correct the words of {name}").format(name=clip.path.name))
        self._session, self._clip = session, clip
        self._before, self._after = clip.typed, text

    def redo(self) -> None:
        self._session.retype(self._clip, self._after)

    def undo(self) -> None:
        self._session.retype(self._clip, self._before)
