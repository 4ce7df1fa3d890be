"""New run: data, preset, name, seeds, what is varied, every setting, what is wrong, and the start.

The dialog decides nothing and starts nothing: `start_asked` tells what a person wants.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QTimer, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from core.errors import SettingsError
from core.files import write_whole
from core.training.preflight_report import Report
from core.training.settings import Settings, dump, load
from core.workers import command
from gui import new_run
from gui.background import Background
from gui.new_run import NewRun, Origin
from gui.preflight_client import PreflightClient
from gui.run_choices import RunChoices
from gui.settings_panel import SettingsPanel
from gui.widgets.alone import show_alone
from gui.widgets.preflight_view import PreflightView
from gui.widgets.problem_list import Line, ProblemList
from gui.widgets.tall_widget import SideArea

LULL_MS = 700
"""After the last change, until what is chosen is looked at."""


class NewRunDialog(QDialog):
    """`start_asked` carries a NewRun. origin: an earlier run's settings and data, to start from these. root:
    the folder of runs."""

    start_asked = Signal(object)

    def __init__(
        self,
        background: Background,
        parent: QWidget | None = None,
        origin: Origin | None = None,
        root: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("New run"))
        self.setAcceptDrops(True)
        self._background = background
        self.choices = RunChoices(background, new_run.preset_titles(), root)
        self.panel = SettingsPanel()
        self.form = self.panel.form
        self.problems = ProblemList()
        self.view = PreflightView()
        # Not the dialog's child: the process ends a moment after the dialog, which nobody waits for.
        self.preflight = PreflightClient(lambda: command("preflight-worker"), parent)
        self._looked_at: tuple[Settings, Path, Path, int] | None = None
        self._found: list[Line] = []
        self._lull = QTimer(self, singleShot=True, interval=LULL_MS)
        self.start = QPushButton(self.tr("Start"))
        self._lay_out()
        self._wire()
        self._leave_drops_to_the_dialog()
        if origin is not None:
            self.use(origin)
        else:
            self.choices.choose_first_preset()

    def _lay_out(self) -> None:
        self.choices.below.addWidget(self.view, 1)
        panes = QSplitter()
        panes.addWidget(SideArea(self.choices))
        panes.addWidget(self.panel)
        panes.setChildrenCollapsible(False)
        panes.setStretchFactor(0, 2)
        panes.setStretchFactor(1, 3)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        self.start.setDefault(True)
        self._read = QPushButton(self.tr("Import settings…"))
        self._write = QPushButton(self.tr("Export settings…"))
        foot = QHBoxLayout()
        for button in (self._read, self._write):
            button.setAutoDefault(False)
            foot.addWidget(button)
        foot.addStretch(1)
        foot.addWidget(self.buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 12)
        layout.addWidget(panes, 1)
        layout.addWidget(self.problems)
        layout.addLayout(foot)
        self.resize(1120, 720)

    def _wire(self) -> None:
        self.choices.preset_chosen.connect(self._read_preset)
        self.choices.changed.connect(self._look)
        self.choices.seed_chosen.connect(lambda seed: self.form.put("training.seed", seed))
        self.panel.went_back.connect(self.choices.take)
        self.form.changed.connect(self._look)
        self.form.completed.connect(self._look)
        self.form.completed.connect(self._leave_drops_to_the_dialog)
        self.problems.chosen.connect(self._go)
        self._lull.timeout.connect(self.check)
        self.view.asked.connect(self.check)
        self.view.cancelled.connect(self._cancel_check)
        self.preflight.progress.connect(self.view.progress)
        self.preflight.done.connect(self._checked)
        self.preflight.failed.connect(self._not_checked)
        self.preflight.closed.connect(self.preflight.deleteLater)
        self.finished.connect(self.preflight.close)
        self.buttons.accepted.connect(self._start)
        self.buttons.rejected.connect(self.reject)
        self._read.clicked.connect(self._ask_import)
        self._write.clicked.connect(self._ask_export)

    def use(self, origin: Origin) -> None:
        """Take over settings, and mark from now on what differs from them."""
        self.panel.use(origin)
        self.choices.take(origin)
        self._look()

    @property
    def wanted(self) -> NewRun | None:
        """What would be started now; None while something keeps it from starting."""
        settings, data, seeds = self.form.result, self.choices.data, self.choices.seeds
        if not isinstance(settings, Settings) or data is None or self.choices.problems():
            return None
        choices = self.choices
        return NewRun(settings, data, choices.name, choices.folder, seeds, choices.vary.lines)

    @Slot()
    def _look(self) -> None:
        lines = [Line("error", p.name, f"{p.title}: {p.message}") for p in self.form.problems]
        result = self.form.result
        self.choices.judge(result if isinstance(result, Settings) else None)
        self._keep_looking()
        self.problems.tell([*self.choices.problems(), *lines, *self._found])
        self.start.setEnabled(self.wanted is not None)
        self._write.setEnabled(self.form.result is not None)
        self._name_start()

    def _name_start(self) -> None:
        """What was found keeps nobody from starting, who then does so knowingly: it may be wrong itself."""
        count = self.choices.count
        doubtful = self.start.isEnabled() and bool(self.problems.errors)
        if count > 1:
            words = self.tr("Start %1 runs anyway") if doubtful else self.tr("Start %1 runs")
        else:
            words = self.tr("Start anyway") if doubtful else self.tr("Start")
        self.start.setText(words.replace("%1", str(count)))
        self.start.setDefault(not doubtful)

    def _question(self) -> tuple[Settings, Path, Path, int] | None:
        """What a preflight looks at; None while there is nothing to look at."""
        settings, data = self.form.result, self.choices.data
        if not isinstance(settings, Settings) or data is None:
            return None
        return settings, data, self.choices.folder, self.choices.count

    def _keep_looking(self) -> None:
        """Look again after a lull where something else is chosen; what was found before is in doubt then."""
        question = self._question()
        if question is None:
            self._lull.stop()
            self.preflight.cancel()
            self._looked_at = None
            self.view.wait(
                self.tr("Choose data, and it is looked at.")
                if self.choices.data is None
                else self.tr("It is looked at when the settings make sense.")
            )
        elif question != self._looked_at:
            self._found = [Line("warning", line.where, line.text) for line in self._found]
            self._lull.start()

    @Slot()
    def check(self) -> None:
        """Look now at what is chosen."""
        if (question := self._question()) is not None:
            self._looked_at = question
            self.view.progress("device", 0.0)
            self.preflight.ask(*question)

    @Slot()
    def _cancel_check(self) -> None:
        self.preflight.cancel()
        self.view.stop(self.tr("Not looked at."))

    @Slot(object)
    def _checked(self, report: Report) -> None:
        self.view.show_report(report)
        self._found = [
            Line(p.severity, p.where, f"{self.panel.title(p.where)}: {p.message} {p.remedy}".strip())
            for p in report.problems
            if p.severity != "note"
        ]
        self._look()

    @Slot(dict)
    def _not_checked(self, error: dict[str, Any]) -> None:
        self.view.stop(f"{error['message']} {error['remedy']}".strip())
        self._found = []
        self._look()

    @Slot(str)
    def _go(self, where: str) -> None:
        if not self.choices.show_choice(where):
            self.panel.show_setting(where)

    @Slot(str, str)
    def _read_preset(self, name: str, title: str) -> None:
        self._background.run(new_run.read_preset(name, title), self._take)

    def _take(self, found: Origin | SettingsError) -> None:
        if isinstance(found, Origin):
            self.use(found)
        else:
            self.panel.tell(f"{found.message} {found.remedy}")

    @Slot()
    def _start(self) -> None:
        if (wanted := self.wanted) is not None:
            self._background.run(new_run.remember_data(wanted.data), lambda _written: None)
            self.start_asked.emit(wanted)
            self.accept()

    @Slot()
    def _ask_import(self) -> None:
        name, _kind = QFileDialog.getOpenFileName(
            self, self.tr("Import settings"), "", f"{self.tr('Settings')} (*.toml)"
        )
        if name:
            self.read_settings(Path(name))

    def read_settings(self, path: Path) -> None:
        """Take over a file of settings; what is wrong with it is told."""
        self._background.run(new_run.read_preset(str(path), path.name), self._take)

    @Slot()
    def _ask_export(self) -> None:
        name, _kind = QFileDialog.getSaveFileName(
            self,
            self.tr("Export settings"),
            f"{self.choices.name or 'settings'}.toml",
            f"{self.tr('Settings')} (*.toml)",
        )
        if name:
            self.write_settings(Path(name))

    def write_settings(self, path: Path) -> None:
        """Write the settings, complete, as a file that the command line reads too."""
        if isinstance(self.form.result, Settings):
            self._background.run(_written(path, dump(self.form.result)), self.panel.tell)

    @Slot()
    def _leave_drops_to_the_dialog(self) -> None:
        for widget in self.findChildren(QWidget):
            widget.setAcceptDrops(False)  # a line would take a file's address for its text

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A file or folder may be dropped anywhere."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Data becomes the data, a settings file the settings."""
        dropped = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if dropped and dropped[0].suffix == ".toml":
            self.read_settings(dropped[0])
        elif dropped:
            self.choices.choose_data(dropped[0])
        event.acceptProposedAction()


def _written(path: Path, text: str) -> Iterator[str]:
    """Work for the background: write a file; what became of it, in words."""
    words = QCoreApplication.translate("NewRunDialog", "Written: %1")
    try:
        write_whole(path, text)
    except OSError as error:
        yield f"{path}: {error.strerror or error}"
    else:
        yield words.replace("%1", str(path))


def _example() -> NewRunDialog:
    """The preset of CMU-MOSI, one setting changed and one varied, on the data that the command line names."""
    data = next((Path(word) for word in sys.argv[1:] if not word.startswith("-")), None)
    dialog = NewRunDialog(Background(), origin=Origin("CMU-MOSI", load("mosi"), data))
    dialog.form.completed.connect(lambda: dialog.form.put("training.batch_size", 32))
    dialog.choices.vary.text.setPlainText("alignment.weight = 0, 0.1, 1")
    return dialog


if __name__ == "__main__":
    show_alone(_example, (1280, 800), ready=lambda dialog: dialog.preflight.done)
