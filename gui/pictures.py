"""Pictures of the window, drawn by the window: for machines without a display, and for the documentation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

if TYPE_CHECKING:
    from gui.engine_process import EngineEnd
    from gui.main_window import MainWindow
    from gui.theme import Choice

THEMES: tuple[Choice, ...] = ("light", "dark")
_LAST_LOOK_MS = 400
"""From the last answer to the picture: the first frame is decoded, progress is drawn."""


class Photographer(QObject):
    """Waits until the clip shown has its answer, draws the window in both themes, closes it."""

    def __init__(self, window: MainWindow, folder: Path, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window, self._folder, self._say = window, folder, say
        self._begun = False
        window.review.session.answered.connect(self._look)
        window.review.filled.connect(self._look)
        window.jobs.engine_failed.connect(self._give_up)
        window.jobs.engine_silent.connect(self._give_up_waiting)
        window.jobs.engine_ended.connect(self._give_up_for_good)

    @Slot()
    def _look(self) -> None:
        if self._window.review.full and self._window.review.session.settled() and not self._begun:
            self._begun = True
            self._fail(bool(self._window.banner.text))
            QTimer.singleShot(_LAST_LOOK_MS, self, self._draw)

    @Slot(dict)
    def _give_up(self, error: dict) -> None:
        self._say(
            f"The clip could not be analysed: {error.get('message', '')} {error.get('remedy', '')}".strip()
        )
        self._begun = True
        self._fail(True)
        QTimer.singleShot(_LAST_LOOK_MS, self, self._draw)

    @Slot(float)
    def _give_up_waiting(self, seconds: float) -> None:
        self._give_up({"message": f"the engine has said nothing for {seconds:.0f} s"})

    @Slot(object, object)
    def _give_up_for_good(self, end: EngineEnd, _job: object) -> None:
        if end.retry_in is None:
            self._give_up({"message": end.reason, "remedy": end.last_words})

    def _fail(self, failed: bool) -> None:
        self._window.exit_code = 1 if failed else self._window.exit_code

    def _draw(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for theme in THEMES:
            self._window.theme.choose(theme)
            file = self._folder / f"consonance-review-{theme}.png"
            if self._window.grab().save(str(file)):
                self._say(f"wrote {file}")
            else:
                self._say(f"could not write {file}")
                self._fail(True)
        self._window.close()
