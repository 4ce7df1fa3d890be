"""Several runs beside each other: curves, settings that differ, test figures, a paired test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.run_list import Run
from gui.run_reader import RunCurves
from gui.run_words import figure_words, tr
from gui.widgets.curve_plot import CurvePlot, Line

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
_FIRST_FIGURES = ("valid.mae", "loss_multimodal", "alignment_relative", "alignment")


_KEY_COLUMNS = 4


def style(number: int, words: str) -> Line:
    """Colour and dash of a run: both differ from its neighbours', and twelve runs differ in the pair."""
    return Line(words, _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)])


class RunComparison(QWidget):
    """Shows runs that were ticked; `closed` when the user has seen enough."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs: list[Run] = []
        self._curves: dict[str, RunCurves] = {}
        self._told: Mapping[str, Any] = {}
        self.title = QLabel(objectName="title")
        self.back = QPushButton(self.tr("Back to one run"))
        self.back.clicked.connect(self.closed)
        self.key = QGridLayout()
        self.overlays = [Overlay(self.tr("First figure")), Overlay(self.tr("Second figure"))]
        self.settings = _table(self.tr("Settings that differ"))
        self.figures = _table(self.tr("Test figures of each group"))
        self.pair = QComboBox()
        self.pair.setAccessibleName(self.tr("Groups that are tested against each other"))
        self.pair.currentIndexChanged.connect(self._fill_figures)
        self.note = QLabel(objectName="muted")
        self.note.setWordWrap(True)
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.back)
        grid = QGridLayout()
        grid.setSpacing(6)
        for column, overlay in enumerate(self.overlays):
            overlay.wanted.connect(self._draw)
            grid.addWidget(overlay, 0, column)
        grid.addWidget(_card(self.tr("Settings that differ"), self.settings), 1, 0)
        grid.addWidget(_card(self.tr("Test figures"), self.figures, self.pair, self.note), 1, 1)
        for place in (0, 1):
            grid.setRowStretch(place, 1)
            grid.setColumnStretch(place, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 0, 0)
        layout.addLayout(head)
        layout.addLayout(self.key)
        layout.addLayout(grid, 1)

    @property
    def points(self) -> int:
        """How many points of a curve there is room for."""
        return max(200, 200 * round(self.overlays[0].plot.width() / 200))

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Compare these runs."""
        self.runs = list(runs)
        self._curves = {run.folder: self._curves.get(run.folder, RunCurves(run.folder, {})) for run in runs}
        self._told = {}
        self.title.setText(self.tr("{count} runs compared").format(count=len(runs)))
        while (item := self.key.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for number, run in enumerate(runs):
            self.key.addWidget(_KeyEntry(style(number, run.title)), *divmod(number, _KEY_COLUMNS))
        self.key.setColumnStretch(_KEY_COLUMNS, 1)
        lines = {run.folder: style(number, run.title) for number, run in enumerate(runs)}
        for overlay in self.overlays:
            overlay.plot.set_lines(lines)
        self._draw()
        self._fill()

    def draw(self, curves: RunCurves) -> None:
        """Take over the curves of one of the runs."""
        if curves.folder in self._curves:
            self._curves[curves.folder] = curves
            self._draw()

    def set_comparison(self, told: Mapping[str, Any]) -> None:
        """Take over what `core.training.comparison.compare` found of these runs."""
        if told["folders"] == [run.folder for run in self.runs]:
            self._told = told
            self._fill()

    @Slot()
    def _draw(self) -> None:
        names = list(dict.fromkeys(name for curves in self._curves.values() for name in curves.columns))
        for place, overlay in enumerate(self.overlays):
            overlay.offer(names, place)
            for folder, curves in self._curves.items():
                if (points := curves.columns.get(overlay.figure)) is not None:
                    overlay.plot.draw(folder, points)

    def _fill(self) -> None:
        settings = self._told.get("settings") or []
        groups = self._told.get("groups") or []
        heads = [tr("Setting"), *(_group_words(group) for group in groups)]
        rows = [[row["title"], *(self._values(row, group) for group in groups)] for row in settings]
        _fill_table(self.settings, heads, rows or [[tr("no setting differs")]])
        self.pair.blockSignals(True)
        self.pair.clear()
        for test in self._told.get("tests") or []:
            words = self.tr("{first} against {second}, paired by seed")
            self.pair.addItem(words.format(first=test["first"], second=test["second"]), test)
        self.pair.blockSignals(False)
        self.pair.setVisible(self.pair.count() > 0)
        self._fill_figures()

    def _values(self, row: Mapping[str, Any], group: Mapping[str, Any]) -> str:
        """The values of a setting in a group: one, or of the seed one for each run."""
        pairs = zip(self._told["folders"], row["values"], strict=True)
        return ", ".join(dict.fromkeys(value for folder, value in pairs if folder in group["folders"]))

    @Slot()
    def _fill_figures(self) -> None:
        groups = self._told.get("groups") or []
        test = self.pair.currentData() or {}
        heads = [
            tr("Figure"),
            *(tr("{label}, mean ± sd", label=g["label"]) for g in groups),
        ]
        if test:
            heads += [f"{test['first']} − {test['second']}", "p"]  # noqa: RUF001 - a true minus
        rows = []
        for name in self._told.get("figures") or []:
            row = [figure_words(name), *(spread_words(group["figures"][name]) for group in groups)]
            if test:
                row += paired_words(test["figures"][name])
            rows.append(row)
        _fill_table(self.figures, heads, rows or [[tr("no run has scored its test part")]])
        self.note.setText(self._reasons(groups, test))
        self.note.setVisible(bool(self.note.text()))

    def _reasons(self, groups: Sequence[Any], test: Mapping[str, Any]) -> str:
        """Why something is undefined or weak, each reason once."""
        found = [
            f"{group['label']}: {figure['why']}"
            for group in groups
            for figure in group["figures"].values()
            if figure["why"]
        ]
        found += [figure["why"] for figure in test.get("figures", {}).values() if figure["why"]]
        told = ". ".join(dict.fromkeys(found))
        return told + tr(". Runs of one group differ in their seed alone.") if told else ""


def _group_words(group: Mapping[str, Any]) -> str:
    """A group's letter, its first run, and how many more it has."""
    more = len(group["names"]) - 1
    name = f"{group['label']} · {group['names'][0]}"
    return name + (tr(" and {more} more", more=more) if more else "")


def spread_words(told: Mapping[str, Any]) -> str:
    """Mean ± sd, or that there is none."""
    if told["mean"] is None:
        return "–"  # noqa: RUF001 - the sign for nothing
    return f"{told['mean']:.3f}" + (f" ± {told['sd']:.3f}" if told["sd"] is not None else "")


def paired_words(told: Mapping[str, Any]) -> list[str]:
    """Mean difference and p, or that there is none."""
    difference = "–" if told["difference"] is None else f"{told['difference']:+.3f}"  # noqa: RUF001
    return [difference.replace("-", "−"), "–" if told["p"] is None else f"{told['p']:.3g}"]  # noqa: RUF001


class Overlay(QFrame):
    """One figure of all runs over one another; which one can be chosen."""

    wanted = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.choice = QComboBox()
        self.choice.setAccessibleName(name)
        self.choice.activated.connect(self.wanted)
        self.plot = CurvePlot(tr("epochs"))
        self.plot.setAccessibleName(name)
        log = QToolButton(text=tr("log"), checkable=True)
        log.setAccessibleName(tr("Logarithmic: {title}", title=name))
        log.toggled.connect(self.plot.set_log)
        head = QHBoxLayout()
        head.addWidget(self.choice)
        head.addStretch(1)
        head.addWidget(log)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 4)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)

    @property
    def figure(self) -> str:
        """The name of the figure that is shown."""
        return str(self.choice.currentData() or "")

    def offer(self, names: Sequence[str], place: int) -> None:
        """Let the user choose among these figures; at first the `place`-th of the most telling ones."""
        if names == [self.choice.itemData(row) for row in range(self.choice.count())]:
            return
        before = self.figure
        self.choice.clear()
        for name in names:
            self.choice.addItem(figure_words(name), name)
        telling = [name for name in _FIRST_FIGURES if name in names] or list(names)
        first = before if before in names else (telling[min(place, len(telling) - 1)] if telling else "")
        self.choice.setCurrentIndex(self.choice.findData(first))


class _KeyEntry(QWidget):
    """A piece of a run's line and its name."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line
        self.setAccessibleName(line.words)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self.font())
        return QSize(int(46 + metrics.horizontalAdvance(self._line.words)), int(1.4 * metrics.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(QColor(self._line.colour), 2, self._line.dash))
        middle = self.height() / 2
        painter.drawLine(QPointF(2, middle), QPointF(28, middle))
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.rect().adjusted(34, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._line.words)


def _card(title: str, *widgets: QWidget) -> QFrame:
    card = QFrame(objectName="card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(10, 8, 10, 8)
    layout.addWidget(QLabel(title, objectName="heading"))
    for place, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if place == 0 else 0)
    return card


def _table(name: str) -> QTableWidget:
    table = QTableWidget()
    table.setAccessibleName(name)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.setFrameShape(QFrame.Shape.NoFrame)
    table.setWordWrap(False)
    table.setShowGrid(False)
    table.setAlternatingRowColors(True)
    table.verticalHeader().setDefaultSectionSize(round(1.7 * table.fontMetrics().height()))
    return table


def _fill_table(table: QTableWidget, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table.clear()
    table.setColumnCount(len(heads))
    table.setRowCount(len(rows))
    table.setHorizontalHeaderLabels(list(heads))
    for row, cells in enumerate(rows):
        for column, words in enumerate(cells):
            item = QTableWidgetItem(words)
            item.setToolTip(words)
            table.setItem(row, column, item)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setStretchLastSection(True)
