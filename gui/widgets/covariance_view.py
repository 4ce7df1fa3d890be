"""Do voice and face move together: two correlation matrices, their difference, and what that means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from gui.widgets.heat_map import ColourBar, HeatMap
from gui.widgets.tall_widget import TallWidget

_LIMIT = 1.0
"""Correlations lie in [-1, 1]; their difference is drawn on the same scale, so that the three compare."""


class CovarianceView(QWidget):
    """Audio, visual and their difference, on one colour scale and in one order; the distance in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._order = np.arange(0)
        self.maps = [
            HeatMap(self.tr(title))
            for title in (
                "Audio correlation",
                "Visual correlation",
                "Audio \N{MINUS SIGN} visual",
            )
        ]
        self._bar = ColourBar(_LIMIT, self.maps[0])
        self._reading = QLabel()
        self._summary = QLabel()
        self._meaning = QLabel()
        self._message = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        for label in (self._reading, self._summary, self._meaning, self._message):
            label.setWordWrap(True)
        self._summary.setAccessibleName(self.tr("Alignment of voice and face"))
        for heat_map in self.maps:
            heat_map.hovered.connect(self._read)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._message)
        self._pages.addWidget(self._lay_out())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._pages)
        self.set_alignment(None, None, self.tr("The alignment of voice and face appears here"))

    def _lay_out(self) -> QWidget:
        page = QWidget()
        self._words = TallWidget()
        words = QVBoxLayout(self._words)
        words.setContentsMargins(0, 2, 0, 0)
        for label in (self._summary, self._meaning, self._reading):
            words.addWidget(label)
        words.addStretch(1)
        self.maps[2].setToolTip(self.tr("Audio minus visual"))
        self._grid = QGridLayout(page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._tall: bool | None = None
        self._arrange(tall=False)
        return page

    def _arrange(self, tall: bool) -> None:
        """Three maps in a row over the words; in a tall room two over one, with the words beside it."""
        if tall == self._tall:
            return
        self._tall = tall
        places = [(0, 0), (0, 1), (1, 0)] if tall else [(0, 0), (0, 1), (0, 2)]
        for heat_map, (row, column) in zip(self.maps, places, strict=True):
            self._grid.addWidget(heat_map, row, column)
        self._grid.addWidget(self._bar, 0, 2 if tall else 3)
        if tall:
            self._grid.addWidget(self._words, 1, 1, 1, 2)
        else:
            self._grid.addWidget(self._words, 1, 0, 1, 4)
        for column in range(3):
            self._grid.setColumnStretch(column, 0 if tall and column == 2 else 1)
        self._grid.setRowStretch(0, 1)
        self._grid.setRowStretch(1, 1 if tall else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the room for maps that are as large as can be."""
        super().resizeEvent(event)
        line = QFontMetricsF(self.font()).height()
        self._arrange(tall=self.height() > 0.72 * self.width() + 2 * line)

    def set_alignment(
        self, alignment: Mapping[str, Any] | None, covariance: Mapping[str, Any] | None, reason: str = ""
    ) -> None:
        """Show {"distance", "percentile", "windows", …} and {"audio", "visual"}, both d x d.

        Without an alignment the `reason` is shown in words. Without matrices the numbers stand alone.
        """
        if alignment is None:
            self._message.setText(reason or self.tr("No alignment for this clip"))
            self._pages.setCurrentIndex(0)
            return
        for heat_map in self.maps:
            heat_map.setVisible(covariance is not None)
        self._bar.setVisible(covariance is not None)
        if covariance is not None:
            self._set_matrices(np.asarray(covariance["audio"]), np.asarray(covariance["visual"]))
        self._summary.setText(summary(alignment))
        self._meaning.setText(str(alignment.get("meaning") or meaning(alignment)))
        self._read(None, None)
        self._pages.setCurrentIndex(1)

    def _set_matrices(self, audio: np.ndarray, visual: np.ndarray) -> None:
        self._order = seriate(audio)
        for heat_map, matrix in zip(self.maps, (audio, visual, audio - visual), strict=True):
            heat_map.set_matrix(matrix[np.ix_(self._order, self._order)], _LIMIT)

    def _read(self, row: int | None, column: int | None) -> None:
        """Say the pair under the pointer (or the keyboard's cross) in all three maps."""
        if row is None or column is None or not len(self._order):
            self._reading.setText(self.tr("Point at a cell, or use the arrow keys, to read a pair."))
            for heat_map in self.maps:
                heat_map.set_cross(None)
            return
        for heat_map in self.maps:
            heat_map.set_cross((row, column))
        audio, visual, difference = (heat_map.value(row, column) for heat_map in self.maps)
        self._reading.setText(
            self.tr("Dimensions {i} and {j}: audio {a:+.2f}, visual {v:+.2f}, difference {d:+.2f}")
            .format(i=self._order[row] + 1, j=self._order[column] + 1, a=audio, v=visual, d=difference)
            .replace("-", "\N{MINUS SIGN}")
        )


def seriate(matrix: np.ndarray) -> np.ndarray:
    """(d,) order that puts what correlates side by side.

    Rows are sorted by the angle of their coordinates on the two leading eigenvectors, starting at the widest
    empty arc, so that the circle is cut where it tears no group apart (the "correlation ellipse" order of
    Friendly, The American Statistician 56(4), 2002). A matrix that is not finite keeps its order.
    """
    if matrix.shape[0] < 3 or not np.isfinite(matrix).all():
        return np.arange(matrix.shape[0])
    second, first = _leading(matrix).T
    angle = np.arctan2(second, first)
    order = np.argsort(angle, kind="stable")
    arcs = np.diff(angle[order], append=angle[order[0]] + 2 * np.pi)
    return np.roll(order, -int(np.argmax(arcs)) - 1)


def _leading(matrix: np.ndarray, rounds: int = 60) -> np.ndarray:
    """(d, 2) eigenvectors of the second largest and the largest eigenvalue, by subspace iteration.

    A picture needs no more digits, and all of them (numpy.linalg.eigh) took 160 ms of the window's thread
    for 256 dimensions on a busy machine.
    """
    width = min(4, matrix.shape[0])
    basis = np.random.default_rng(0).normal(size=(matrix.shape[0], width))
    for _ in range(rounds):
        basis, _ = np.linalg.qr(matrix @ basis)
    _, turns = np.linalg.eigh(basis.T @ matrix @ basis)
    return basis @ turns[:, -2:]


def summary(alignment: Mapping[str, Any]) -> str:
    """The figures in one line: distance, its place among the reference, shuffled faces, windows."""
    parts = [f"Distance {alignment['distance']:.3g}", _place(alignment)]
    if alignment.get("shuffled") is not None:
        parts.append(f"{alignment['shuffled']:.3g} with other people's faces")
    parts.append(f"{int(alignment['windows'])} windows of 1 s")
    return " · ".join(part for part in parts if part)


def _place(alignment: Mapping[str, Any]) -> str:
    """Percentile among the reference's recordings, or why there is none ("" where the meaning says it)."""
    reference = alignment.get("reference") or {}
    count, name = int(reference.get("count") or 0), reference.get("name") or "the reference"
    if alignment.get("percentile") is not None:
        return f"percentile {alignment['percentile']:.0f} of {count} recordings ({name})"
    if alignment.get("meaning"):
        return ""
    if count:
        return f"no percentile: {count} recordings in {name}, 30 are needed"
    return "no percentile: the model has no reference recordings"


def meaning(alignment: Mapping[str, Any]) -> str:
    """What the figures say, in words, without claiming more than they do."""
    percentile = alignment.get("percentile")
    if percentile is None:
        return "There is nothing yet to compare this distance with."
    if percentile <= 25:
        return "Voice and face vary more alike here than in most recordings of the reference."
    if percentile < 75:
        return "Voice and face vary about as much alike as in the recordings of the reference."
    return "Voice and face vary less alike here than in most recordings of the reference."


if __name__ == "__main__":
    from gui.widgets import example
    from gui.widgets.alone import show_alone

    def _make() -> QWidget:
        view = CovarianceView()
        view.set_alignment(example.alignment(), example.covariance())
        return view

    show_alone(_make, (900, 380))
