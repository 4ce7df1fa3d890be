"""File > Open recent: the newest first, those that are gone greyed, not dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from gui.file_finder import existing

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class RecentMenu(QMenu):
    """Asks the disk in the background each time it opens, so that a sleeping drive stalls nothing."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setTitle(self.tr("Open recent"))
        self._window = window
        self.fill(window.state.recent)
        self.aboutToShow.connect(self._look)

    def put_after(self, action: QAction) -> None:
        """Take a place in the menu that holds `action`."""
        for menu in self._window.menuBar().findChildren(QMenu):
            actions = menu.actions()
            if action in actions:
                after = actions.index(action) + 1
                if after < len(actions):
                    menu.insertMenu(actions[after], self)
                else:
                    menu.addMenu(self)

    def fill(self, recent: Sequence[Path]) -> None:
        """List `recent`."""
        self.clear()
        for path in recent:
            entry = self.addAction(f"{path.name}   ({path.parent})")
            entry.setData(path)
            entry.triggered.connect(lambda _=False, path=path: self._window.open_paths([path]))
        self.setEnabled(bool(recent))

    def _look(self) -> None:
        recent = [action.data() for action in self.actions()]
        self._window.background.run(_existing(recent), self._grey)

    def _grey(self, there: set[Path]) -> None:
        for action in self.actions():
            action.setEnabled(action.data() in there)


def _existing(paths: Sequence[Path]) -> Iterator[set[Path]]:
    yield existing(paths)
