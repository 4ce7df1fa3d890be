"""Utterances that have ended, the newest first: when, what was said, four estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from core.types import HEADS
from gui.widgets.sentiment_plot import REASONS, signed

_KEPT = 200


class UtteranceList(QTableWidget):
    """One row each; the estimate's interval and why one is missing are its tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 2 + len(HEADS), parent)
        names = [head.capitalize() for head in HEADS]
        self.setHorizontalHeaderLabels([self.tr("Time"), self.tr("Words"), *(self.tr(n) for n in names)])
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Utterances"))
        self._fit()

    def add(self, utterance: Mapping[str, Any]) -> None:
        """{"number", "start", "end", "answer"} of the engine."""
        answer = utterance["answer"]
        transcript = answer.get("transcript") or {}
        missing = {row["modality"]: row["reason"] for row in answer.get("missing") or []}
        self.insertRow(0)
        words = str(transcript.get("text") or self.tr("(no words)"))
        self._put(0, clock(float(utterance["start"])), self.tr("Utterance {n}").format(n=utterance["number"]))
        self._put(1, words, words)
        for place, head in enumerate(HEADS):
            estimate = answer["estimates"].get(head)
            if estimate is None:
                why = missing.get(head, self.tr("missing"))
                self._put(2 + place, "\N{EN DASH}", REASONS.get(why, why))
            else:
                self._put(2 + place, signed(estimate["value"]), _interval(estimate))
        while self.rowCount() > _KEPT:
            self.removeRow(self.rowCount() - 1)

    def changeEvent(self, event: Any) -> None:
        """Columns as wide as the type wants."""
        super().changeEvent(event)
        if event.type() in (event.Type.FontChange, event.Type.StyleChange) and self.columnCount() > 2:
            self._fit()

    def _put(self, column: int, text: str, tip: str) -> None:
        item = QTableWidgetItem(text)
        item.setToolTip(tip)
        if column > 1:
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setItem(0, column, item)

    def _fit(self) -> None:
        metrics = self.fontMetrics()
        self.verticalHeader().setDefaultSectionSize(int(metrics.height() * 1.6))
        self.setColumnWidth(0, metrics.horizontalAdvance("00:00:00") + 12)
        for place, head in enumerate(HEADS):
            self.setColumnWidth(2 + place, metrics.horizontalAdvance(head.capitalize()) + 18)


def clock(seconds: float) -> str:
    """ "1:05"; with hours from the first one on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _interval(estimate: Mapping[str, Any]) -> str:
    if estimate.get("low") is None:
        return ""
    return f"{signed(estimate['low'])} … {signed(estimate['high'])}"
