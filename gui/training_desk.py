"""What a person asks for on the Training page: dialogs and decisions; `run_deeds` then does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog, QMessageBox

from core import paths
from core.errors import ModelError, SettingsError
from core.model.chosen import agree
from core.training import known_runs, run_reading
from core.types import Modality
from core.workers import command
from gui.banner import Notice
from gui.engine_process import EngineEnd
from gui.model_words import model_notice, read_model
from gui.pages.training import TrainingPage
from gui.run_list import Run
from gui.run_reader import RunReader

if TYPE_CHECKING:
    from gui.main_window import MainWindow
    from gui.new_run import NewRun, Origin

STARTER = "starter"


class TrainingDesk(QObject):
    """Belongs to one window; owns its Training page."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.reader = RunReader(lambda: command("run-reader"), self)
        self.page = TrainingPage(self.reader, window.background, self.root)
        self.page.set_in_use(window.preferences.model_folder)
        self.page.new_wanted.connect(self.new_run)
        self.page.deeds.failed.connect(self._failed)
        self.reader.failed.connect(self._reading_failed)
        self.reader.ended.connect(self._reader_ended)

    @property
    def root(self) -> Path:
        """The folder of runs."""
        chosen = self._window.preferences.runs_folder
        return Path(chosen) if chosen else paths.runs()

    @property
    def run(self) -> Run | None:
        """The run that deeds are for: the one shown, unless several are compared."""
        return None if self.page.comparing else self.page.run

    def can(self, wanted: Callable[[Run], bool]) -> bool:
        """Whether there is a run shown of which this is true."""
        return self.run is not None and wanted(self.run)

    @Slot()
    def new_run(self) -> None:
        """Ask for everything that a new run needs."""
        self._ask(None)

    def duplicate(self) -> None:
        """A new run from the settings of the one shown."""
        if self.run is not None:
            self._window.background.run(_origin(Path(self.run.folder), self.run), self._duplicated)

    def _duplicated(self, found: Origin | SettingsError) -> None:
        if isinstance(found, SettingsError):
            self._failed(found.message, found.remedy)
        else:
            self._ask(found)

    def _ask(self, origin: Origin | None) -> None:
        from gui.training_dialog import NewRunDialog

        dialog = NewRunDialog(self._window.background, self._window, origin, self.root)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.start_asked.connect(self.start)
        dialog.open()

    @Slot(object)
    def start(self, wanted: NewRun) -> None:
        """Start what the dialog was answered with; several runs wait for each other."""
        self.page.deeds.start(self.root, wanted.runs(), wanted.data)

    def open_run(self) -> None:
        """Let the user name the folder of a run that lies elsewhere."""
        name = QFileDialog.getExistingDirectory(
            self._window, self.tr("Open the folder of a run"), str(self.root)
        )
        if name:
            self.open_folder(Path(name))

    def open_folder(self, folder: Path) -> None:
        """Show the run in `folder`, and list it from now on."""
        self._window.background.run(_known(folder), lambda is_run: self._opened(folder, is_run))

    def _opened(self, folder: Path, is_run: bool) -> None:
        if is_run:
            self.page.open_run(folder)
            return
        self._failed(
            self.tr("There is no run in {folder}.").format(folder=folder),
            self.tr("Choose the folder that holds its settings.toml. Your list is as it was."),
        )

    def choose_root(self) -> None:
        """Let the user choose where runs are kept and looked for."""
        name = QFileDialog.getExistingDirectory(
            self._window, self.tr("Choose the folder of runs"), str(self.root)
        )
        if name:
            self._window.use_preferences(self._window.preferences.changed(runs_folder=name))
            self.page.look_in(self.root)

    def stop(self) -> None:
        """The run shown ends and keeps its best."""
        if self.run is not None:
            self.page.deeds.stop(self.run.folder)

    def resume(self) -> None:
        """The run shown goes on."""
        if self.run is not None:
            self.page.deeds.resume(self.run.folder)

    def ask_discard(self) -> None:
        """Ask once, then discard the run shown."""
        run = self.run
        if run is None:
            return
        if not run.begun:
            self.page.deeds.unqueue(str(run.told["entry"]))
            return
        box = QMessageBox(self._window)
        box.setWindowTitle(self.tr("Discard a run"))
        box.setText(self.tr("Discard {name}?").format(name=run.title))
        box.setInformativeText(
            self.tr(
                "It stops and leaves the list. Undo (Ctrl+Z) brings it back until the window closes; "
                "then its events, checkpoints and model are deleted from {folder}."
            ).format(folder=run.folder)
        )
        yes = box.addButton(self.tr("Discard"), QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton(self.tr("Keep"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        yes.clicked.connect(lambda: self.discard(run))
        box.open()

    def discard(self, run: Run) -> None:
        """Discard a run; Undo brings it back."""
        self.page.deeds.discard(run.folder, run.title, run.live)

    def use(self) -> None:
        """The run's model answers in Review and Live from now on."""
        if self.run is not None and self.page.can_use:
            self._use(self.run.folder)

    def ask_use_without(self) -> None:
        """Ask whether the run's model may be used without what it learned from foreign features."""
        run, foreign = self.run, list(self.page.foreign)
        if run is None or not foreign:
            return
        names = ", ".join(self.tr(name) for name in foreign)
        box = QMessageBox(self._window)
        box.setWindowTitle(self.tr("Use in Review and Live"))
        box.setText(self.tr("Use {name} without {modalities}?").format(name=run.title, modalities=names))
        why = self.page.usable["why"] if self.page.usable else ""
        more = self.tr("Estimates then come from the rest alone, and say what is left out.")
        box.setInformativeText(f"{why} {more}")
        yes = box.addButton(self.tr("Use without"), QMessageBox.ButtonRole.AcceptRole)
        no = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(no)
        box.setEscapeButton(no)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        yes.clicked.connect(lambda: self.use_without(run, foreign))
        box.open()

    def use_without(self, run: Run, modalities: list[Modality]) -> None:
        """The run's model answers without these modalities from now on."""
        work = _agreed(Path(run.folder), modalities)
        self._window.background.run(work, lambda problem: self._agreed(run, problem))

    def _agreed(self, run: Run, problem: str) -> None:
        if problem:
            self._failed(problem, self.tr("The model in use is the same as before."))
        else:
            self._use(run.folder)

    def show_model(self) -> None:
        """Tell what the model in use was trained on."""
        model = self._window.preferences.model_folder
        tell = self._window.banner.tell
        self._window.background.run(read_model(model), lambda told: tell(model_notice(told)))

    def use_starter(self) -> None:
        """The starter model answers again."""
        self._use(STARTER)

    def _use(self, model: str) -> None:
        self._window.use_preferences(self._window.preferences.changed(model_folder=model))
        self.page.set_in_use(model)

    @Slot(str, str)
    def _failed(self, what: str, next: str) -> None:
        self._window.banner.tell(Notice(what, next))

    @Slot(object)
    def _reading_failed(self, error: dict[str, Any]) -> None:
        self._window.banner.tell(Notice(str(error["message"]), str(error["remedy"]), str(error["details"])))

    @Slot(object)
    def _reader_ended(self, end: EngineEnd) -> None:
        what = self.tr("Reading the runs stopped: {reason}.").format(reason=end.reason)
        if end.retry_in is None:
            next = self.tr("The runs themselves go on. It stopped five times within a minute and stays off.")
            again = ((self.tr("Try again"), self.reader.restart),)
            self._window.banner.tell(Notice(what, next, end.last_words, again))
        else:
            next = self.tr("The runs themselves go on. Reading is being started again.")
            self._window.banner.tell(Notice(what, next, end.last_words))


def _agreed(folder: Path, modalities: list[Modality]) -> Iterator[str]:
    """Work for the background: remember that modalities are left out; "" or why that cannot be kept."""
    try:
        agree(folder, modalities)
    except (ModelError, OSError) as error:
        yield str(error)
    else:
        yield ""


def _known(folder: Path) -> Iterator[bool]:
    """Work for the background: whether a run lies there; if so it is remembered."""
    is_run = run_reading.is_run(folder)
    if is_run:
        known_runs.remember(folder)
    yield is_run


def _origin(folder: Path, run: Run) -> Iterator[Origin | SettingsError]:
    """Work for the background: the settings and data of a run, to start another from."""
    from core.training.settings import load
    from gui.new_run import Origin

    data = str(run.told.get("data") or "")
    try:
        yield Origin(run.title, load(folder / "settings.toml"), Path(data) if data else None, run.name)
    except SettingsError as error:
        yield error
