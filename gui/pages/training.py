"""The Training page: runs | one run, or several compared.

Wiring only: the reader process tells what the run folders say, the widgets draw it, the deeds do what is
wanted. What needs the library of plots is put in by `fill`, when the page is first shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QAction, QDesktopServices, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from core.types import Modality
from gui.background import Background
from gui.panes import Panes
from gui.run_deeds import RunDeeds
from gui.run_list import Run, RunModel
from gui.run_list_panel import RunListPanel
from gui.run_reader import RunCurves, RunReader
from gui.start_card import StartCard

_EMPTY, _ONE, _SEVERAL = range(3)
_FIRST_POINTS = 600


class TrainingPage(QWidget):
    """One page, two columns. `changed`: what can be done may be something else now."""

    changed = Signal()
    new_wanted = Signal()

    def __init__(self, reader: RunReader, background: Background, root: Path) -> None:
        super().__init__()
        self.reader, self.root = reader, root
        self.runs = RunModel()
        self.list = RunListPanel(self.runs)
        self.deeds = RunDeeds(background, self.runs, self)
        self.run: Run | None = None
        self.usable: dict[str, Any] | None = None
        self.in_use = ""
        self.panel: Any = None
        self.comparison: Any = None
        self._wanted = ""
        self.curves: dict[str, RunCurves] = {}
        self._of: Mapping[str, QAction] = {}
        self.desk = QStackedWidget()
        self.splitters = {"training": Panes(Qt.Orientation.Horizontal, (24, 76))}
        self.splitters["training"].add(self.list, self.desk)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 8, 4)
        layout.addWidget(self.splitters["training"])
        # However fast events come, a run is drawn at most ten times a second.
        self._soon = QTimer(self, singleShot=True, interval=100)
        self._soon.timeout.connect(self._draw)
        self._wire()

    def _wire(self) -> None:
        self.list.chosen.connect(self.show_run)
        self.list.compare_wanted.connect(self.compare)
        self.list.new_wanted.connect(self.new_wanted)
        self.reader.runs_changed.connect(self._runs_changed)
        self.reader.curves.connect(self._take_curves)
        self.reader.details.connect(self._take_details)
        self.reader.compared.connect(self._take_comparison)
        self.runs.ticks_changed.connect(self._ticks_changed)
        self.deeds.started.connect(self._started)
        self.deeds.undo_stack.indexChanged.connect(self.changed)

    def add_actions(self, of: Mapping[str, QAction]) -> None:
        """Take over the actions that the page has buttons for."""
        self._of = of
        card = StartCard(
            [of["new-run"], of["open-run"], of["choose-runs"]],
            hint=self.tr("Runs started on the command line show here by themselves."),
        )
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addStretch(1)
        layout.addWidget(card, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(2)
        card.setMinimumWidth(420)
        self.start_card = card
        self.desk.addWidget(page)

    def fill(self) -> None:
        """Put in the plots, whose library takes a while to load."""
        if self.panel is not None:
            return
        from gui.run_panel import RunPanel

        self.panel = RunPanel()
        self.panel.add_buttons(self._of)
        self.panel.points_wanted.connect(self._follow)
        self.desk.addWidget(self.panel)

    def _fill_comparison(self) -> None:
        """Put in what compares, when it is first wanted."""
        if self.comparison is None:
            from gui.run_comparison import RunComparison

            self.comparison = RunComparison()
            self.comparison.closed.connect(self.stop_comparing)
            self.desk.addWidget(self.comparison)

    @property
    def drawing(self) -> bool:
        """Whether something was told that is not drawn yet."""
        return self._soon.isActive() or (self.panel is not None and self.panel.plots.drawing)

    @property
    def comparing(self) -> bool:
        """Whether several runs are shown."""
        return self.desk.currentIndex() == _SEVERAL

    def showEvent(self, event: QShowEvent) -> None:
        """Look for runs and follow the one shown."""
        super().showEvent(event)
        self.fill()
        self.reader.list_runs(self.root)
        self.deeds.keep_queue_going(self.root)
        self._follow()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: follow nothing."""
        super().hideEvent(event)
        if self.reader.process_id:
            self.reader.follow([], None, _FIRST_POINTS)

    def look_in(self, root: Path) -> None:
        """Show the runs of another folder."""
        self.root = root
        self.reader.list_runs(root)

    def open_run(self, folder: Path) -> None:
        """Show a run of any folder, and from now on list it."""
        self._wanted = str(folder)
        self.reader.list_runs(self.root, [folder])
        self._choose_wanted()

    @Slot(object)
    def show_run(self, run: Run | None) -> None:
        """Show one run."""
        self.run, self.usable = run, None
        if self.panel is None:
            return
        if run is None:
            self.desk.setCurrentIndex(_EMPTY)
        else:
            self.panel.show_run(run)
            self._show_use()
            if run.folder in self.curves:
                self.panel.draw(self.curves[run.folder])
            self.desk.setCurrentIndex(_ONE)
        self._follow()
        self.changed.emit()

    def compare(self) -> None:
        """Show the ticked runs beside each other."""
        ticked = self.runs.ticked
        if len(ticked) < 2 or self.panel is None:
            return
        self._fill_comparison()
        self.comparison.show_runs(ticked)
        self.desk.setCurrentIndex(_SEVERAL)
        self.reader.compare([run.folder for run in ticked])
        self._follow()
        self.changed.emit()

    def stop_comparing(self) -> None:
        """Back to one run; the ticks stay."""
        self.show_run(self.run)

    def show_folder(self) -> None:
        """Open the run's folder in the system's file manager."""
        if self.run is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self.run.folder))

    @Slot()
    def _follow(self) -> None:
        if not self.isVisible():
            return
        if self.comparing:
            folders = [run.folder for run in self.runs.ticked]
            self.reader.follow(folders, None, self.comparison.points)
        elif self.run is not None:
            self.reader.follow([self.run.folder], self.run.folder, self.panel.plots.points)

    @Slot(object, object)
    def _runs_changed(self, changed: Sequence[dict[str, Any]], gone: Sequence[str]) -> None:
        self.runs.update(changed, gone)
        folders = {told["folder"] for told in changed}
        if self.run is not None and self.run.folder in gone:
            self.show_run(None)
        elif self.run is not None and self.run.folder in folders and self.panel is not None:
            self.panel.show_run(self.run)
        if self.comparing and any(run.folder in folders for run in self.runs.ticked):
            self.reader.compare([run.folder for run in self.runs.ticked])
        self._choose_wanted()
        self.changed.emit()

    def _choose_wanted(self) -> None:
        """Show the run that was asked for once it is there; at first the latest."""
        if self._wanted and self.list.select(self._wanted):
            self._wanted = ""
        elif self.run is None and self.runs.rowCount():
            self.list.select(self.runs.at(0).folder)

    @Slot(list)
    def _started(self, folders: Sequence[str]) -> None:
        self._wanted = folders[0]
        self._choose_wanted()

    @Slot()
    def _ticks_changed(self) -> None:
        if self.comparing:
            if len(self.runs.ticked) >= 2:
                self.compare()
            else:
                self.stop_comparing()
        self.changed.emit()

    @Slot(object)
    def _take_curves(self, curves: RunCurves) -> None:
        followed = {run.folder for run in self.runs.ticked} | ({self.run.folder} if self.run else set())
        self.curves = {folder: known for folder, known in self.curves.items() if folder in followed}
        self.curves[curves.folder] = curves
        if not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _draw(self) -> None:
        if self.comparing:
            for curves in self.curves.values():
                self.comparison.draw(curves)
        elif self.run is not None and self.run.folder in self.curves:
            self.panel.draw(self.curves[self.run.folder])

    @Slot(object)
    def _take_details(self, told: Mapping[str, Any]) -> None:
        if self.run is None or told["folder"] != self.run.folder:
            return
        self.panel.set_details(told)
        if "usable" in told:
            self.usable = told["usable"]
            self._show_use()
            self.changed.emit()

    @property
    def can_use(self) -> bool:
        """Whether the model of the run shown may answer in Review and Live, and does not yet."""
        return self.usable is not None and not self.usable["why"] and not self._is_in_use

    @property
    def foreign(self) -> list[Modality]:
        """Modalities without which the model of the run shown could be used."""
        return [] if self.usable is None else self.usable["foreign"]

    @property
    def _is_in_use(self) -> bool:
        return self.run is not None and self.run.folder == self.in_use

    def set_in_use(self, model: str) -> None:
        """Take note of whose model answers in Review and Live."""
        self.in_use = model
        if self.panel is not None and self.run is not None:
            self._show_use()
        self.changed.emit()

    def _show_use(self) -> None:
        self.panel.set_usable(self.usable, self._is_in_use)

    @Slot(object)
    def _take_comparison(self, told: Mapping[str, Any]) -> None:
        if self.comparison is not None:
            self.comparison.set_comparison(told)
