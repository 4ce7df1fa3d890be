"""The runs in hand: rows in the order of their start, a filter, ticks for a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QModelIndex, Qt, Signal

from gui.clip_list import Index

LIVE = ("starting", "running", "stopping")
RESUMABLE = ("interrupted", "stopped", "failed")


def _tr(text: str, **values: object) -> str:
    return QCoreApplication.translate("RunList", text).format(**values)


@dataclass(slots=True, eq=False)
class Run:
    """One row: the summary that the reader told (see `core.training.run_reading.summary`)."""

    folder: str
    told: dict[str, Any] = field(default_factory=dict)
    ticked: bool = False

    @property
    def name(self) -> str:
        return str(self.told.get("name") or Path(self.folder).name)

    @property
    def state(self) -> str:
        return str(self.told.get("state") or "interrupted")

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def resumable(self) -> bool:
        return self.begun and self.state in RESUMABLE

    @property
    def begun(self) -> bool:
        """Whether it has a folder; what waits in the queue, or could not leave it, has none."""
        return not self.told.get("entry")

    @property
    def best(self) -> float | None:
        """Best figure of the validation part so far."""
        return self.told.get("best")

    @property
    def created(self) -> float:
        return float(self.told.get("created") or 0.0)

    @property
    def title(self) -> str:
        """Name and seed, as one reads it out."""
        seed = self.told.get("seed")
        return self.name if seed is None or str(seed) in self.name else f"{self.name} · {seed}"

    @property
    def state_words(self) -> str:
        """The state in words, with how far it has come or why it is over."""
        told = self.told
        if self.state == "running":
            percent = round(100 * float(told.get("share") or 0.0))
            return _tr("running · epoch {epoch} · {percent} %", epoch=told.get("epoch") or 1, percent=percent)
        if self.state == "failed":
            error = told.get("error") or {}
            return _tr(
                "failed · {why}", why=error.get("message") or told.get("reason") or _tr("no reason known")
            )
        if self.state == "interrupted":
            return _tr("interrupted · can be resumed")
        if self.state in ("finished", "stopped") and told.get("reason"):
            return f"{_tr(self.state)} · {told['reason']}"
        return _tr(self.state)

    @property
    def words(self) -> str:
        """All of it, for screen readers and the filter."""
        return ", ".join(filter(None, (self.title, self.state_words, self.told.get("data", ""))))


class RunModel(QAbstractListModel):
    """Runs, the latest first. What the reader tells is put in without disturbing the rest."""

    RunRole = Qt.ItemDataRole.UserRole
    ticks_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, Run] = {}
        self._shown: list[Run] = []
        self._filter: list[str] = []
        self._hidden: set[str] = set()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run = self._shown[index.row()]
        if role == self.RunRole:
            return run
        if role == Qt.ItemDataRole.DisplayRole:
            return run.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{run.title}\n{run.state_words}\n{run.folder}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return run.words
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if run.ticked else Qt.CheckState.Unchecked
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self._shown[index.row()].ticked = Qt.CheckState(value) == Qt.CheckState.Checked
        self.dataChanged.emit(index, index)
        self.ticks_changed.emit()
        return True

    def update(self, changed: Iterable[dict[str, Any]], gone: Iterable[str]) -> None:
        """Take over what the reader told."""
        for folder in gone:
            self._remove(folder)
        for told in changed:
            run = self.runs.get(told["folder"])
            if run is None:
                self._insert(Run(told["folder"], told))
            else:
                run.told = told
                self._touch(run)

    def set_filter(self, text: str) -> None:
        """Show the runs whose words hold every word of `text`."""
        self._filter = text.casefold().split()
        self._show_again()

    def hide(self, folder: str, hidden: bool) -> None:
        """Take a run off the list, or bring it back; the run itself does not change."""
        (self._hidden.add if hidden else self._hidden.discard)(folder)
        run = self.runs.get(folder)
        if run is not None and hidden and run.ticked:
            run.ticked = False
            self.ticks_changed.emit()
        self._show_again()

    def row_of(self, folder: str) -> int:
        """Its row among those shown, -1 if it is not."""
        return next((row for row, run in enumerate(self._shown) if run.folder == folder), -1)

    def at(self, row: int) -> Run:
        """The run of a shown row."""
        return self._shown[row]

    @property
    def ticked(self) -> list[Run]:
        """The runs to compare, in the order of their start."""
        found = [run for run in self.runs.values() if run.ticked]
        return sorted(found, key=lambda run: run.created)

    def _insert(self, run: Run) -> None:
        self.runs[run.folder] = run
        if not self._passes(run):
            return
        row = next(
            (row for row, other in enumerate(self._shown) if other.created < run.created), len(self._shown)
        )
        self.beginInsertRows(QModelIndex(), row, row)
        self._shown.insert(row, run)
        self.endInsertRows()

    def _remove(self, folder: str) -> None:
        run = self.runs.pop(folder, None)
        row = self.row_of(folder)
        if row >= 0:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._shown[row]
            self.endRemoveRows()
        if run is not None and run.ticked:
            self.ticks_changed.emit()

    def _touch(self, run: Run) -> None:
        row = self.row_of(run.folder)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def _show_again(self) -> None:
        self.beginResetModel()
        shown: Sequence[Run] = [run for run in self.runs.values() if self._passes(run)]
        self._shown = sorted(shown, key=lambda run: -run.created)
        self.endResetModel()

    def _passes(self, run: Run) -> bool:
        words = run.words.casefold()
        return run.folder not in self._hidden and all(word in words for word in self._filter)
