"""Short work off the GUI thread: looking for files, asking whether they exist, writing small files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal, Slot
from shiboken6 import isValid


class Background(QObject):
    """Runs a generator in a thread and hands each value it yields to a callback on the GUI thread.

    Work must handle its own expected errors; it stops between two values once the window closes.
    """

    closed = Signal()
    _yielded = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(2)
        self._closing = False
        self._yielded.connect(self._deliver)
        self._poll = QTimer(self, interval=20)
        self._poll.timeout.connect(self._look)

    def run(self, work: Iterable[Any], then: Callable[[Any], None]) -> None:
        """Iterate `work` in a thread; `then` is called with each value on the GUI thread."""

        def consume() -> None:
            for value in work:
                if self._closing:
                    return
                self._yielded.emit(then, value)

        self._pool.start(consume)

    @Slot(object, object)
    def _deliver(self, then: Callable[[Any], None], value: Any) -> None:
        if not self._closing and _is_there(getattr(then, "__self__", None)):
            then(value)

    def close(self) -> None:
        """Stop what runs; `closed` tells when the last step has ended."""
        self._closing = True
        self._pool.clear()
        self._poll.start()

    @property
    def idle(self) -> bool:
        """Whether nothing runs."""
        return self._pool.activeThreadCount() == 0

    @Slot()
    def _look(self) -> None:
        if self.idle:
            self._poll.stop()
            self.closed.emit()


def _is_there(owner: object) -> bool:
    """Whether who is to be told still exists: a dialog may have been closed meanwhile."""
    return not isinstance(owner, QObject) or isValid(owner)
