"""A splitter that keeps its proportions as the window grows, until somebody moves a handle."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget


class Panes(QSplitter):
    """`shares`: of the whole length, one for each pane, in any unit."""

    def __init__(self, orientation: Qt.Orientation, shares: Sequence[int]) -> None:
        super().__init__(orientation)
        self._shares = list(shares)
        self.moved = False
        self.setChildrenCollapsible(False)
        self.setHandleWidth(7)
        self.splitterMoved.connect(self._by_hand)

    def add(self, *panes: QWidget) -> None:
        """Put `panes` side by side, or one below the other."""
        for pane in panes:
            self.addWidget(pane)

    def restore(self, sizes: Sequence[int]) -> None:
        """Take up sizes of an earlier day, set by hand."""
        if len(sizes) == self.count():
            self.moved = True
            self.setSizes(list(sizes))

    def swap(self, place: int, pane: QWidget) -> None:
        """Put `pane` where another one was, at its size; the other one is deleted."""
        sizes = self.sizes()
        old = self.replaceWidget(place, pane)
        self.setSizes(sizes)
        if old is not None:
            old.deleteLater()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new length out."""
        super().resizeEvent(event)
        if not self.moved:
            length = self.width() if self.orientation() is Qt.Orientation.Horizontal else self.height()
            self.setSizes([share * length // sum(self._shares) for share in self._shares])

    @Slot(int, int)
    def _by_hand(self, position: int, index: int) -> None:
        self.moved = True
