"""What can be done to runs: start, stop, resume, discard, erase. Nothing here asks or draws.

Every deed runs off the GUI thread; what waits for a run's end (a stop that must escalate) is a process of its
own, so that it does not end with the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from core.errors import UserError
from core.training.runs import ask_stop
from core.workers import command, run_queue, training
from gui.background import Background
from gui.run_list import RunModel


class RunDeeds(QObject):
    """Does what the page is told to. `failed` carries what happened and what to do next."""

    failed = Signal(str, str)
    started = Signal(list)
    """Folders of runs that begin now, or wait for their turn."""

    def __init__(self, background: Background, runs: RunModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background, self._runs = background, runs
        self.undo_stack = QUndoStack(self)
        self.discarded: list[str] = []

    def start(self, root: Path, runs: Sequence[tuple[Path, Any]], data: Path) -> None:
        """Start one run at once; several wait in the queue and begin one after another."""
        folders = [str(folder) for folder, _settings in runs]
        work = _enqueued(root, runs, data) if len(runs) > 1 else _started(*runs[0], data)
        self._background.run(work, lambda problem: self._then(problem, lambda: self.started.emit(folders)))

    def keep_queue_going(self, root: Path) -> None:
        """Runs that wait since an earlier day begin."""
        self._background.run(_ensured(root), self._then)

    def stop(self, folder: str) -> None:
        """Let a run end and keep its best; if it does not answer it is ended by a helper."""
        self._background.run(_asked(ask_stop, Path(folder)), self._then)
        _leave_to_helper("runs", "stop", folder)

    def resume(self, folder: str) -> None:
        """Go on with a run."""
        self._background.run(_resumed(Path(folder)), self._then)

    def unqueue(self, entry: str) -> None:
        """Take a waiting run out of the queue."""
        self._background.run(_unqueued(Path(entry)), self._then)

    def discard(self, folder: str, title: str, live: bool) -> None:
        """Take a run off the list and stop it; until the window closes Undo brings it back, to be resumed."""
        if live:
            self.stop(folder)
        self.undo_stack.push(_Discard(self, folder, title))

    def hide(self, folder: str, hidden: bool) -> None:
        """Put a run among the discarded ones, or take it from there."""
        if hidden:
            self.discarded.append(folder)
        elif folder in self.discarded:
            self.discarded.remove(folder)
        self._runs.hide(folder, hidden)

    def finish(self) -> None:
        """The window closes: what was discarded goes for good, however long that takes."""
        if self.discarded:
            _leave_to_helper("run-eraser", *self.discarded)
        self.discarded.clear()

    def _then(self, problem: UserError | None, done: Callable[[], object] = lambda: None) -> None:
        if problem is None:
            done()
        else:
            self.failed.emit(problem.message, problem.remedy)


class _Discard(QUndoCommand):
    def __init__(self, deeds: RunDeeds, folder: str, title: str) -> None:
        super().__init__(deeds.tr("discard {name}").format(name=title))
        self._deeds, self._folder = deeds, folder

    def redo(self) -> None:
        self._deeds.hide(self._folder, True)

    def undo(self) -> None:
        self._deeds.hide(self._folder, False)


def _leave_to_helper(*arguments: str) -> None:
    """Let a process of its own do it, which goes on when the window is gone."""
    program, *more = command(*arguments)
    helper = QProcess()
    helper.setProgram(program)
    helper.setArguments(more)
    helper.setStandardOutputFile(QProcess.nullDevice())
    helper.startDetached()


def _told(work: Callable[[], object], about: Path) -> UserError | None:
    """Do it; the user's error if it could not be done."""
    try:
        work()
    except UserError as error:
        return error
    except OSError as error:
        return UserError(
            f"{about}: {error.strerror or error}", "Check that the folder is there and writable."
        )
    return None


def _started(folder: Path, settings: Any, data: Path) -> Iterator[UserError | None]:
    yield _told(lambda: training.start(folder, settings, data), folder)


def _enqueued(root: Path, runs: Sequence[tuple[Path, Any]], data: Path) -> Iterator[UserError | None]:
    yield _told(lambda: run_queue.enqueue(root, runs, data), root)


def _ensured(root: Path) -> Iterator[UserError | None]:
    yield _told(lambda: run_queue.ensure(root), root)


def _resumed(folder: Path) -> Iterator[UserError | None]:
    yield _told(lambda: training.resume(folder), folder)


def _asked(ask: Callable[[Path], object], folder: Path) -> Iterator[UserError | None]:
    yield _told(lambda: ask(folder), folder)


def _unqueued(entry: Path) -> Iterator[UserError | None]:
    yield _told(lambda: entry.unlink(missing_ok=True), entry)
