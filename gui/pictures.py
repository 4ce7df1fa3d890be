"""Pictures of the window, drawn by the window: for machines without a display, and for the documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        draw(self._window, self._folder, "review", self._say)


class TrainingPhotographer(QObject):
    """Waits until the runs are listed and the latest is drawn, draws the window in both themes, closes it."""

    def __init__(self, window: MainWindow, folder: Path, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window, self._folder, self._say = window, folder, say
        self._listed = False
        self._looks = QTimer(self, interval=50)
        self._looks.timeout.connect(self._look)
        window.training.reader.listed.connect(self._begin)

    @Slot()
    def _begin(self) -> None:
        self._looks.start()

    @Slot()
    def _look(self) -> None:
        page = self._window.training.page
        curves = None if page.run is None else page.curves.get(page.run.folder)
        if page.run is None or (curves is not None and not curves.reading and not page.drawing):
            self._looks.stop()
            QTimer.singleShot(_LAST_LOOK_MS, self, self._draw)

    def _draw(self) -> None:
        draw(self._window, self._folder, "training", self._say)


class LivePhotographer(QObject):
    """Waits until an utterance, and the alignment after it, have been told, draws the window, closes it.

    Without a file to play as if live there is nothing to wait for.
    """

    def __init__(self, window: MainWindow, folder: Path, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window, self._folder, self._say = window, folder, say
        self._wanted = ["utterance", "alignment"]
        window.live.session.told.connect(self._look)
        window.live.session.failed.connect(self._give_up)
        QTimer.singleShot(_LAST_LOOK_MS, self, self._begin)

    @Slot()
    def _begin(self) -> None:
        if not self._window.live.can_watch and self._window.background.idle:
            self._draw()

    @Slot(object)
    def _look(self, message: Mapping[str, Any]) -> None:
        if self._wanted and message["event"] == self._wanted[0]:
            self._wanted.pop(0)
            if not self._wanted:
                QTimer.singleShot(_LAST_LOOK_MS, self, self._draw)

    @Slot(object)
    def _give_up(self, error: Mapping[str, Any]) -> None:
        self._say(f"{error.get('message', '')} {error.get('remedy', '')}".strip())
        self._window.exit_code = 1
        self._draw()

    def _draw(self) -> None:
        draw(self._window, self._folder, "live", self._say)


def draw(window: MainWindow, folder: Path, page: str, say: Callable[[str], None]) -> None:
    """Write `consonance-PAGE-light.png` and `-dark.png`, then close the window; exit code 1 if one fails."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        window.theme.choose(theme)
        file = folder / f"consonance-{page}-{theme}.png"
        if window.grab().save(str(file)):
            say(f"wrote {file}")
        else:
            say(f"could not write {file}")
            window.exit_code = 1
    window.close()
