"""The right side of Live: curves of the last minute, utterances, the covariance of voice and face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.types import HEADS
from gui.panes import Panes
from gui.widgets.covariance_view import CovarianceView
from gui.widgets.legend import Legend
from gui.widgets.rolling_plot import DistancePlot, RollingPlot
from gui.widgets.utterance_list import UtteranceList

_WIDE = 3
"""Pixels of the curves for a room."""


class LivePanel(QWidget):
    """Takes what the engine tells about a stream and draws it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves, self.utterances = RollingPlot(), UtteranceList()
        self.covariance, self.distance = CovarianceView(), DistancePlot()
        self.legend = Legend()
        self.legend.toggled.connect(self._show_head)
        self.panes = Panes(Qt.Orientation.Vertical, (34, 17, 49))
        above = QVBoxLayout()
        above.setContentsMargins(0, 0, 0, 0)
        above.addWidget(self.legend)
        above.addWidget(self.curves, 1)
        below = QHBoxLayout()
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.covariance, 62)
        beside = QVBoxLayout()
        beside.addWidget(QLabel(self.tr("Distance of voice and face"), objectName="muted", wordWrap=True))
        beside.addWidget(self.distance, 1)
        self._band = QLabel(objectName="muted", wordWrap=True)
        beside.addWidget(self._band)
        below.addLayout(beside, 38)
        self._cards = [
            _card(above, self.tr("The last minute")),
            _card(_around(self.utterances), self.tr("Utterances")),
            _card(below, self.tr("Voice and face")),
        ]
        self.panes.add(*self._cards)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panes)
        self.clear()

    @property
    def drawing(self) -> bool:
        """Whether something was told that is not drawn yet."""
        return self.curves.drawing or self.distance.drawing

    def clear(self) -> None:
        """Begin anew."""
        self.curves.clear()
        self.distance.clear()
        self.utterances.setRowCount(0)
        self.covariance.set_alignment(None, None, self.tr("The alignment of voice and face appears here"))

    def take(self, message: Mapping[str, Any]) -> None:
        """One message of a live job."""
        match message["event"]:
            case "started":
                self.clear()
                self.curves.set_scale(message["scale"])
                self.distance.set_band(message["band"])
                self._say_band(message["band"])
            case "curve":
                self.curves.add(message)
            case "utterance":
                self.curves.add_utterance(message["number"], message["start"], message["end"])
                self.utterances.add(message)
            case "alignment":
                alignment = message["alignment"]
                self.distance.add(message["time"], None if alignment is None else alignment["distance"])
                self.covariance.set_alignment(alignment, message["covariance"], message["alignment_reason"])

    def set_presenting(self, presenting: bool) -> None:
        """For a room: the curves alone, in large."""
        for card in self._cards[1:]:
            card.setVisible(not presenting)
        self.setStyleSheet("QWidget { font-size: 16px; }" if presenting else "")
        self.curves.set_width(_WIDE if presenting else 0)

    def _show_head(self, head: Any, shown: bool) -> None:
        if head in HEADS:
            self.curves.show_head(head, shown)

    def _say_band(self, band: Mapping[str, Any] | None) -> None:
        told = self.tr("No band: the model has no reference recordings.")
        if band is not None:
            told = self.tr("Band: the middle 80 % of {count} recordings ({name}).").format(**band)
        self._band.setText(told)


def _around(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(widget)
    return layout


def _card(content: Any, title: str) -> QFrame:
    card = QFrame(objectName="card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(10, 8, 10, 8)
    layout.addWidget(QLabel(title, objectName="heading"))
    layout.addLayout(content, 1)
    return card
