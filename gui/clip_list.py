"""The clips in hand: a model that holds 10,000 rows without effort, a view, a filter, a count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QModelIndex, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex


class ClipState(Enum):
    """Where a clip is on its way, in the words of the list."""

    WAITING = "waiting"
    ANALYSING = "analysing…"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True, eq=False)
class Clip:
    """One row. `job`: the request that is to answer it; `typed`: a corrected transcript, if any; `language`:
    the last one recognised, as ISO 639-1 code; whoever corrects words does not change it."""

    path: Path
    state: ClipState = ClipState.WAITING
    why: str = ""
    value: float | None = None
    job: int = 0
    typed: str | None = None
    language: str = ""
    sample: bool = False

    @property
    def words(self) -> str:
        """The state in words."""
        if self.state is ClipState.FAILED and self.why:
            return self.why
        if self.state is ClipState.DONE and self.value is None:
            return QCoreApplication.translate("ClipList", "done · nothing to estimate")
        if self.state is ClipState.DONE and self.typed is not None:
            return QCoreApplication.translate("ClipList", "done · words corrected")
        return QCoreApplication.translate("ClipList", self.state.value)


class ClipModel(QAbstractListModel):
    """Clips in the order they came; a filter shows some of them. Filtering walks a list, nothing else."""

    ClipRole = Qt.ItemDataRole.UserRole

    def __init__(self) -> None:
        super().__init__()
        self.clips: list[Clip] = []
        self._shown: list[Clip] = []
        self._filter: list[str] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        clip = self._shown[index.row()]
        if role == self.ClipRole:
            return clip
        if role == Qt.ItemDataRole.DisplayRole:
            return clip.path.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{clip.path}\n{clip.words}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{clip.path.name}, {clip.words}"
        return None

    def add(self, clips: Sequence[Clip]) -> None:
        """Append clips."""
        self.clips.extend(clips)
        shown = [clip for clip in clips if self._passes(clip)]
        if shown:
            self.beginInsertRows(QModelIndex(), len(self._shown), len(self._shown) + len(shown) - 1)
            self._shown.extend(shown)
            self.endInsertRows()

    def insert(self, place: int, clip: Clip) -> None:
        """Put a clip at `place` of all clips, seen where the filter lets it through."""
        self.clips.insert(place, clip)
        if self._passes(clip):
            shown = set(self._shown)
            row = sum(other in shown for other in self.clips[:place])
            self.beginInsertRows(QModelIndex(), row, row)
            self._shown.insert(row, clip)
            self.endInsertRows()

    def remove(self, clip: Clip) -> None:
        """Take a clip off the list."""
        self.clips.remove(clip)
        row = self.row_of(clip)
        if row >= 0:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._shown[row]
            self.endRemoveRows()

    def touch(self, clip: Clip) -> None:
        """Say that a clip changed. It stays where it is even if the filter would now drop it."""
        row = self.row_of(clip)
        if row >= 0:
            index = self.index(row)
            self.dataChanged.emit(index, index)

    def touch_all(self) -> None:
        """Say that every clip may have changed."""
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def set_filter(self, text: str) -> None:
        """Show clips whose name or state holds every word of `text`."""
        self._filter = text.casefold().split()
        self.beginResetModel()
        self._shown = [clip for clip in self.clips if self._passes(clip)]
        self.endResetModel()

    def row_of(self, clip: Clip) -> int:
        """Its row among those shown, -1 if the filter hides it."""
        try:
            return self._shown.index(clip)
        except ValueError:
            return -1

    def at(self, row: int) -> Clip:
        """The clip of a shown row."""
        return self._shown[row]

    def counts(self) -> dict[ClipState, int]:
        """How many clips are in each state."""
        counted = dict.fromkeys(ClipState, 0)
        for clip in self.clips:
            counted[clip.state] += 1
        return counted

    def _passes(self, clip: Clip) -> bool:
        if not self._filter:
            return True
        name = clip.path.name.casefold()
        # The state is put into words only where the name alone does not decide.
        missing = [word for word in self._filter if word not in name]
        return not missing or all(word in clip.words.casefold() for word in missing)
