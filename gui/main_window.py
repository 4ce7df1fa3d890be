"""The window: menu, rail, pages, banner, job strip. It decides nothing about clips; the session does."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QPaintEvent, QUndoStack
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core import paths
from gui import file_finder, icons, notices, preferences
from gui.actions import ActionSet
from gui.background import Background
from gui.banner import Banner, Notice
from gui.command_palette import CommandPalette
from gui.engine_process import EngineEnd, EngineProcess
from gui.job_strip import JobStrip
from gui.jobs import Job, Jobs
from gui.live_desk import LiveDesk
from gui.pages.review import ReviewPage
from gui.panes import Panes
from gui.preferences import Preferences
from gui.rail import Rail
from gui.recent_menu import RecentMenu
from gui.session import Session
from gui.shortcut_sheet import ShortcutSheet
from gui.start_card import StartCard
from gui.theme import Choice, Theme
from gui.training_desk import TrainingDesk
from gui.window_state import WindowState, clamp

SAMPLE = "synthetic-speaker.mp4"
REVIEW, LIVE, TRAINING = range(3)
"""Places of the pages on the rail."""


class MainWindow(QMainWindow):
    """Built light, completed by `complete` after its first paint."""

    painted = Signal()
    finished = Signal()

    def __init__(self, engine: EngineProcess, theme: Theme, chosen: Preferences, state: WindowState) -> None:
        super().__init__()
        self.setWindowTitle("Consonance")
        self.setAcceptDrops(True)
        self.engine, self.theme, self.preferences = engine, theme, chosen
        self.background = Background(self)
        self.state = state
        self.jobs = Jobs(engine, self)
        self.review = ReviewPage(Session(self.jobs, self.background, self))
        self.banner = Banner()
        self.live = LiveDesk(self)
        self.training = TrainingDesk(self)
        self.actions_by_id = ActionSet(self)
        self.start_card = StartCard(
            [self.actions_by_id.of[id] for id in ("open", "open-folder", "shortcuts")]
        )
        self.recent = RecentMenu(self)
        self.exit_code = 0
        self._open_parts = 4
        self._failures = 0
        self._silence: Notice | None = None
        self._was_painted = False
        self._refresh_soon = QTimer(self, singleShot=True, interval=0)
        self._refresh_soon.timeout.connect(self.actions_by_id.refresh)
        self._lay_out()
        self._wire()
        self._restore()
        self.actions_by_id.refresh()

    def _lay_out(self) -> None:
        pages = [
            (self.tr("Review"), "review", self.review),
            (self.tr("Live"), "live", self.live.page),
            (self.tr("Training"), "training", self.training.page),
        ]
        self.pages = QStackedWidget()
        for _words, _icon, page in pages:
            self.pages.addWidget(_scrollable(page))
        self.rail = rail = Rail([(words, icon) for words, icon, _page in pages])
        rail.chosen.connect(self.show_page)
        of = self.actions_by_id.of
        rail.add_foot(self.tr("Actions"), "search", of["palette"].trigger)
        rail.add_foot(self.tr("Keys"), "keyboard", of["shortcuts"].trigger)
        self.actions_by_id.fill_menus()
        self.recent.put_after(of["open-folder"])
        self.review.clips.add_card(self.start_card)
        self.review.transport.add_buttons(of)
        self.live.page.add_actions(of)
        self.training.page.add_actions(of)
        middle, right = QHBoxLayout(), QVBoxLayout()
        above = QHBoxLayout()
        above.setContentsMargins(4, 6, 8, 2)
        above.addWidget(self.banner)
        right.addLayout(above)
        right.addWidget(self.pages, 1)
        middle.addWidget(rail)
        middle.addLayout(right, 1)
        middle.setSpacing(0)
        right.setSpacing(0)
        whole = QVBoxLayout()
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(middle, 1)
        self.strip = JobStrip(self.jobs)
        self.strip.model_asked.connect(self.training.show_model)
        whole.addWidget(self.strip)
        centre = QWidget()
        centre.setLayout(whole)
        self.setCentralWidget(centre)
        self._leave_drops_to_the_window()

    def _wire(self) -> None:
        session, player = self.review.session, self.review.player
        self.theme.changed.connect(self._recolour)
        self.engine.closed.connect(self._part_closed)
        self.background.closed.connect(self._part_closed)
        self.training.reader.closed.connect(self._part_closed)
        self.live.capture.closed.connect(self._part_closed)
        self.jobs.engine_ended.connect(self._engine_ended)
        self.jobs.engine_failed.connect(self._engine_failed)
        self.jobs.engine_silent.connect(self._engine_silent)
        session.clip_failed.connect(self._clip_failed)
        session.not_kept.connect(self._not_kept)
        for signal in (self.jobs.done, self.jobs.failed, self.jobs.cancelled):
            signal.connect(self._end_of_silence)
        player.failed.connect(self._not_playable)
        for signal in (session.shown, session.answered, self.jobs.changed, session.undo_stack.indexChanged):
            signal.connect(self._look_again)
        player.changed.connect(self._look_again)
        self.training.page.changed.connect(self._look_again)
        self.live.page.changed.connect(self._look_again)

    def _restore(self) -> None:
        screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
        self.setGeometry(clamp(self.state.rectangle, screens))
        if self.state.maximised:
            self.setWindowState(Qt.WindowState.WindowMaximized)
        for name, splitter in self._splitters.items():
            splitter.restore(self.state.splitter(name))
        self.review.player.speed, self.review.player.looping = self.state.speed, self.state.looping

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell of the first paint: what is slow to load waits for it."""
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self, self.painted.emit)

    def load(self) -> None:
        """Import in the background what the first paint did not need, then put it in."""
        self.background.run(_imported(), lambda _loaded: self.complete())

    def complete(self) -> None:
        """Put in what the first paint did not need."""
        self.review.fill()
        self.review.watch_keys_of(self)
        self._leave_drops_to_the_window()
        self.review.clips.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.actions_by_id.refresh()

    def open_paths(self, found: Sequence[Path]) -> None:
        """Open files and folders; looking into folders happens in the background."""
        if not found:
            return
        self.state.remember([path.absolute() for path in found])
        self.recent.fill(self.state.recent)
        self.background.run(_saved(self.state), lambda saved: None)
        self.background.run(file_finder.find(found), lambda clips: self._found(clips, found))

    def open_sample(self) -> None:
        """Show the clip that came with the program."""
        sample = paths.resources() / "samples" / SAMPLE
        if sample.is_file():
            self.review.session.add([sample], sample=True)

    def ask_files(self) -> None:
        """Let the user choose clips."""
        known = " ".join(f"*{suffix}" for suffix in sorted(file_finder.MEDIA))
        filters = f"{self.tr('Clips')} ({known});;{self.tr('All files')} (*)"
        names, _kind = QFileDialog.getOpenFileNames(
            self, self.tr("Open clips"), self.state.last_folder, filters
        )
        self.open_paths([Path(name) for name in names])

    def ask_folder(self) -> None:
        """Let the user choose a folder of clips."""
        name = QFileDialog.getExistingDirectory(
            self, self.tr("Open a folder of clips"), self.state.last_folder
        )
        self.open_paths([Path(name)] if name else [])

    def ask_preferences(self) -> None:
        """Let the user change preferences."""
        from gui.preferences_dialog import PreferencesDialog

        dialog = PreferencesDialog(self.preferences, self)
        dialog.accepted.connect(lambda: self.use_preferences(dialog.chosen))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def use_preferences(self, chosen: Preferences) -> None:
        """Take over and store preferences; another model answers every clip again."""
        before, self.preferences = self.preferences, chosen
        self.background.run(_stored(chosen), self._preferences_stored)
        if chosen.theme != before.theme:
            self.theme.choose(chosen.theme)
        if (chosen.speech_model, chosen.model_folder) != (before.speech_model, before.model_folder):
            self.jobs.restart()
            self.review.session.analyse_all_again()
            self.training.page.set_in_use(chosen.model_folder)
        self.actions_by_id.refresh()

    def choose_theme(self, theme: Choice) -> None:
        """Switch between light, dark and the system's."""
        self.use_preferences(self.preferences.changed(theme=theme))

    @Slot(int)
    def show_page(self, place: int) -> None:
        """Show the page of this place on the rail."""
        self.pages.setCurrentIndex(place)
        self.rail.show_page(place)
        self.actions_by_id.refresh()

    @property
    def training_shown(self) -> bool:
        """Whether the Training page is what is seen."""
        return self.pages.currentIndex() == TRAINING

    @property
    def undo_stack(self) -> QUndoStack:
        """What Ctrl+Z undoes: the deeds of the page that is seen."""
        return self.training.page.deeds.undo_stack if self.training_shown else self.review.session.undo_stack

    def focus_filter(self) -> None:
        """Let the user filter the list of the page that is seen."""
        (self.training.page.list if self.training_shown else self.review.clips).focus_filter()

    @property
    def _splitters(self) -> dict[str, Panes]:
        return {**self.review.splitters, **self.training.page.splitters}

    def toggle_full_screen(self) -> None:
        """Full screen and back; on the Live page the presenter's view."""
        if self.pages.currentIndex() == LIVE or self.live.page.presenting:
            self.live.present()
            return
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def show_palette(self) -> None:
        """Find an action by its words."""
        self.actions_by_id.refresh()
        CommandPalette(self.actions_by_id, self).show()

    def show_shortcuts(self) -> None:
        """Show every shortcut."""
        ShortcutSheet(self.actions_by_id, self).open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self.open_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the window, end the engine; `finished` tells when it has ended."""
        splitters = {name: panes.sizes() for name, panes in self._splitters.items() if panes.moved}
        plain = self.normalGeometry() if self.isMaximized() else self.geometry()
        self.state.set_layout(plain, self.isMaximized(), splitters)
        self.state.set_playback(self.review.player.speed, self.review.player.looping)
        self.hide()
        self.review.shut_down()
        self.background.close()
        self.state.save()
        self.engine.close()
        self.live.close()
        self.training.page.deeds.finish()
        self.training.reader.close()
        event.accept()

    def _leave_drops_to_the_window(self) -> None:
        for widget in self.findChildren(QWidget):
            widget.setAcceptDrops(False)

    def _found(self, clips: list[Path], where: Sequence[Path]) -> None:
        if clips:
            self.start_card.hide()
            self.review.session.add(clips)
        else:
            self.banner.tell(notices.nothing_found(where))

    @Slot()
    def _part_closed(self) -> None:
        self._open_parts -= 1
        if self._open_parts == 0:
            self.finished.emit()

    @Slot()
    def _look_again(self) -> None:
        self._refresh_soon.start()

    @Slot()
    def _recolour(self) -> None:
        icons.refresh(self)

    def _preferences_stored(self, problem: str) -> None:
        if problem:
            self.banner.tell(notices.preferences_not_stored(str(preferences.file()), problem))

    @Slot(object, object)
    def _engine_ended(self, end: EngineEnd, job: Job | None) -> None:
        self.banner.tell(notices.engine_ended(end, job, self.jobs.restart))

    @Slot(dict)
    def _engine_failed(self, error: dict[str, Any]) -> None:
        self.banner.tell(notices.engine_failed(error, self.jobs.restart))

    @Slot(float)
    def _engine_silent(self, seconds: float) -> None:
        self._silence = notices.engine_silent(seconds, self.jobs.running, self.jobs.restart)
        self.banner.tell(self._silence)

    @Slot()
    def _end_of_silence(self) -> None:
        if self.banner.notice is self._silence:
            self.banner.dismiss()

    @Slot(object, dict)
    def _clip_failed(self, clip: Any, error: dict[str, Any]) -> None:
        self._failures = self._failures + 1 if self.banner.text else 1
        self.banner.tell(notices.clip_failed(clip.path, error, self._failures))

    @Slot(object, str)
    def _not_kept(self, path: Path, problem: str) -> None:
        self.banner.tell(notices.correction_not_kept(path, problem))

    @Slot(str)
    def _not_playable(self, message: str) -> None:
        clip = self.review.session.current
        if clip is not None and not self.banner.text:
            self.banner.tell(notices.not_playable(clip.path, message))


def _imported() -> Iterator[None]:
    """Import the libraries of video and plots, which take half a second and more."""
    for name in ("gui.widgets.video_view", "gui.widgets.timeline"):
        importlib.import_module(name)
    yield


def _scrollable(page: QWidget) -> QScrollArea:
    """The page as it is where it fits; on a small screen, or with large type, it scrolls and is not cut."""
    area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    return area


def _saved(state: WindowState) -> Any:
    yield state.save()


def _stored(chosen: Preferences) -> Any:
    """Store preferences; yields "" or why not."""
    try:
        preferences.save(chosen)
    except OSError as error:
        yield str(error)
    else:
        yield ""
