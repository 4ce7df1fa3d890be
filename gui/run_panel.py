"""One run: how it stands, what can be done with it, its curves, log, settings and report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from gui.run_list import Run
from gui.run_reader import RunCurves
from gui.run_report import report_html
from gui.run_words import state_line
from gui.widgets.run_plots import RunPlots

DEEDS = (
    "stop-run",
    "discard-run",
    "resume-run",
    "duplicate-run",
    "show-run-folder",
    "use-run",
    "use-run-without",
)
"""Actions with a button here, by id."""


class RunPanel(QWidget):
    """Shows the run it is given; what is to be done with it is the page's business."""

    points_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run: Run | None = None
        self._epoch_seconds: float | None = None
        self._report: dict[str, Any] = {}
        self._about: dict[str, Any] = {}
        self._lines: Mapping[str, str] = {}
        self._warnings: list[str] = []
        self.title, self.state = QLabel(objectName="title"), QLabel()
        self.trouble, self.use_words = QLabel(objectName="problem"), QLabel(objectName="muted")
        for label in (self.title, self.state, self.trouble, self.use_words):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in (self.state, self.trouble, self.use_words):
            label.setWordWrap(True)
        self.state.setAccessibleName(self.tr("How the run stands"))
        # Made first: Tab comes to what can be done before what can be looked at.
        self.buttons = {id: QPushButton(self) for id in DEEDS}
        self._row = QHBoxLayout()
        self.plots = RunPlots()
        self.plots.points_wanted.connect(self.points_wanted)
        self.log = QPlainTextEdit(readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        self.log.setAccessibleName(self.tr("Log of the run"))
        self.settings = SettingsTable()
        self.report = QTextBrowser(openLinks=False)
        self.report.setAccessibleName(self.tr("Report of the run"))
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.tabBar().setAccessibleName(self.tr("Views of the run"))
        self._lay_out()

    def _lay_out(self) -> None:
        for widget, words in (
            (self.plots, self.tr("Curves")),
            (self.log, self.tr("Log")),
            (self.settings, self.tr("Settings")),
            (self.report, self.tr("Report")),
        ):
            self.tabs.addTab(widget, words)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addLayout(self._row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.state)
        layout.addWidget(self.trouble)
        layout.addWidget(self.use_words)
        layout.addWidget(self.tabs, 1)

    def add_buttons(self, of: Mapping[str, QAction]) -> None:
        """Give each button its deed."""
        for id, button in self.buttons.items():
            action = of[id]
            button.clicked.connect(action.trigger)
            action.changed.connect(lambda id=id, action=action: self._follow_action(id, action))
            self._follow_action(id, action)
            self._row.addWidget(button)

    def _follow_action(self, id: str, action: QAction) -> None:
        button = self.buttons[id]
        button.setText(action.text())
        button.setEnabled(action.isEnabled())
        # What cannot be done with this run only takes room, but where the reason is told.
        button.setVisible(action.isEnabled() or id == "use-run")

    def show_run(self, run: Run) -> None:
        """Show a run, or what is new about the one shown."""
        if self.run is None or run.folder != self.run.folder:
            self._begin(run)
        self.title.setText(run.title)
        self.state.setText(state_line(run, self._epoch_seconds))
        self._show_trouble(run)

    def _begin(self, run: Run) -> None:
        self.run = run
        self._epoch_seconds = None
        self._report, self._about, self._lines, self._warnings = {}, {}, {}, []
        self.plots.clear()
        self.log.clear()
        self.settings.show_settings({"preset": "", "rows": []})
        self.report.clear()
        self.set_usable(None, False)

    def _show_trouble(self, run: Run) -> None:
        error = run.told.get("error") or {}
        words = " ".join(filter(None, (error.get("message"), error.get("remedy"))))
        if run.state == "interrupted":
            words = self.tr(
                "The process of this run is gone: the machine stopped, or somebody ended it. "
                "Resume goes on from the last checkpoint as if nothing had happened."
            )
        self.trouble.setText(words)
        self.trouble.setVisible(bool(words))

    def draw(self, curves: RunCurves) -> None:
        """Show the curves of the run shown."""
        self._epoch_seconds = curves.epoch_seconds
        self.plots.draw(curves)
        if self.run is not None:
            self.state.setText(state_line(self.run, self._epoch_seconds))

    def set_details(self, told: Mapping[str, Any]) -> None:
        """Take over what the reader told of the run shown: the parts that are new."""
        if "settings" in told:
            self.settings.show_settings(told["settings"])
            self._about = told["settings"].get("run") or {}
        if "report" in told:
            self._report = told["report"]
        if "settings" in told or "report" in told:
            self.report.setHtml(report_html(self._report, self._about))
        if "log" in told or "warnings" in told:
            self._show_log(told.get("log"), told.get("warnings"))

    def set_usable(self, told: Mapping[str, Any] | None, in_use: bool = False) -> None:
        """Say why the model cannot be used (None: not known yet), or that it is in use."""
        words = told["why"] if told is not None else ""
        if in_use:
            words = self.tr("This run's model answers in Review and Live.")
        elif told is not None and told["foreign"]:
            words += " " + self.tr("Without that it can be used: see the button above.")
        ended = self.run is not None and not self.run.live
        self.use_words.setText(words)
        self.use_words.setVisible(bool(words) and ended)
        self.buttons["use-run"].setToolTip(words)
        self.buttons["use-run"].setAccessibleDescription(words)

    def _show_log(self, log: Mapping[str, str] | None, warnings: list[str] | None) -> None:
        self._lines = self._lines if log is None else log
        self._warnings = self._warnings if warnings is None else warnings
        parts = [self.tr("Warning: {text}").format(text=text) for text in self._warnings]
        for name, text in self._lines.items():
            if text.strip():
                parts.append(f"── {name}\n{text.rstrip()}")
        at_end = self.log.verticalScrollBar().value() == self.log.verticalScrollBar().maximum()
        self.log.setPlainText("\n".join(parts) or self.tr("The run has written nothing beside its events."))
        if at_end:
            self.log.verticalScrollBar().setValue(self.log.verticalScrollBar().maximum())


class SettingsTable(QWidget):
    """Settings of a run beside those of the preset nearest to them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told: Mapping[str, Any] = {"preset": "", "rows": []}
        self.only = QCheckBox(checked=True)
        self.only.toggled.connect(self._fill)
        self.table = QTableWidget(0, 3)
        self.table.setAccessibleName(self.tr("Settings of the run"))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.setWordWrap(False)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.verticalHeader().setDefaultSectionSize(round(1.7 * self.fontMetrics().height()))
        heads = self.table.horizontalHeader()
        heads.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        heads.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.addWidget(self.only)
        layout.addWidget(self.table, 1)

    def show_settings(self, told: Mapping[str, Any]) -> None:
        """Show what `core.training.run_reading.settings_table` found."""
        self._told = told
        self._fill()

    def _fill(self) -> None:
        preset, rows = self._told["preset"], self._told["rows"]
        self.only.setText(self.tr("Only what differs from the preset {name}").format(name=preset))
        shown = [row for row in rows if row["differs"] or not self.only.isChecked()]
        usual = preset or self.tr("Preset")
        self.table.setHorizontalHeaderLabels([self.tr("Setting"), self.tr("This run"), usual])
        self.table.setRowCount(len(shown))
        for place, row in enumerate(shown):
            for column, key in enumerate(("title", "value", "usual")):
                item = QTableWidgetItem(row[key])
                item.setToolTip(row["name"])
                self.table.setItem(place, column, item)
