"""The figures of one run while it trains: losses, validation, alignment, labels, weights, speed."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.types import HEADS, MODALITIES, Head
from gui.run_reader import Points, RunCurves
from gui.theme import HEAD_COLOURS
from gui.widgets.curve_plot import CurvePlot, Line
from gui.widgets.legend import Legend
from gui.widgets.markers import HEAD_DASHES

NEUTRAL = "#56B4E9"
"""Of figures that belong to no head (Okabe-Ito)."""
_POINTS_A_PIXEL = 1.0


def _N(text: str) -> str:
    """Marks a text for the translators; translated when shown."""
    return text


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing a card can show: its words, and its figures: name to the head it belongs to, if any."""

    words: str
    figures: dict[str, Head | None]


@dataclass(frozen=True, slots=True)
class Card:
    """A plot of the page: title, what it can show (the first is shown at first)."""

    title: str
    choices: tuple[Choice, ...]


def _of(pattern: str, heads: tuple[Head, ...] = HEADS) -> dict[str, Head | None]:
    return {pattern.format(head): head for head in heads}


CARDS = (
    Card(_N("Loss per task"), (Choice("", _of("loss_{}")),)),
    Card(
        _N("Validation"),
        (
            Choice(_N("error"), {"valid.mae": None, **_of("valid.mae_{}")}),
            Choice(_N("loss"), {"valid.loss": None}),
        ),
    ),
    Card(
        _N("Alignment of voice and face"),
        (Choice(_N("distance"), {"alignment": None}), Choice(_N("relative"), {"alignment_relative": None})),
    ),
    Card(
        _N("Generated labels"),
        (
            Choice(_N("spread"), _of("labels.{}.spread", MODALITIES)),
            Choice(_N("drift"), _of("labels.{}.drift", MODALITIES)),
        ),
    ),
    Card(_N("Task weights"), (Choice("", _of("weight_{}", MODALITIES)),)),
    Card(
        _N("Machine"),
        (
            Choice(_N("samples/s"), {"samples_s": None}),
            Choice(_N("memory, MB"), {"rss_mb": None}),
            Choice(_N("learning rate"), {"rate": None}),
        ),
    ),
)


def _tr(text: str) -> str:
    return QCoreApplication.translate("RunPlots", text) if text else ""


class PlotCard(QFrame):
    """Title, choices, log toggle and plot of one card."""

    def __init__(self, card: Card, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._card = card
        self._chosen = card.choices[0]
        self._known: dict[str, Points] = {}
        self.plot = CurvePlot(_tr("epochs") if card in CARDS[-2:] else "")  # the lowest row tells it for all
        self.plot.setAccessibleName(_tr(card.title))
        self.log = self._button(_tr("log"), _tr("Logarithmic: {title}").format(title=_tr(card.title)))
        self.log.toggled.connect(self.plot.set_log)
        self._choices = QButtonGroup(self, exclusive=True)
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(QLabel(_tr(card.title), objectName="heading"))
        head.addStretch(1)
        if len(card.choices) > 1:
            for place, choice in enumerate(card.choices):
                name = f"{_tr(card.title)}: {_tr(choice.words)}"
                button = self._button(_tr(choice.words), name)
                button.setChecked(place == 0)
                self._choices.addButton(button, place)
                head.addWidget(button)
            head.addSpacing(8)
        head.addWidget(self.log)
        self._choices.idClicked.connect(self.choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 5, 6, 4)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)
        self.choose(0)

    def _button(self, words: str, name: str) -> QToolButton:
        button = QToolButton(text=words, checkable=True)
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    @Slot(int)
    def choose(self, place: int) -> None:
        """Show another of the card's choices."""
        self._chosen = self._card.choices[place]
        self.plot.set_lines({key: _line(key, head) for key, head in self._chosen.figures.items()})
        self.draw(self._known)

    def draw(self, columns: dict[str, Points]) -> None:
        """Show the figures of a run that this card has chosen."""
        self._known = columns
        for key in self._chosen.figures:
            self.plot.draw(key, columns.get(key, NOTHING))

    def hide_head(self, head: Head, hidden: bool) -> None:
        """Take the lines of a head away, or bring them back."""
        for choice in self._card.choices:
            for key, belongs in choice.figures.items():
                if belongs == head:
                    self.plot.hide_line(key, hidden)


def _nothing() -> Points:
    import numpy as np

    none = np.empty(0, dtype=np.float32)
    return Points(none, none, none, none, none)


NOTHING = _nothing()


def _line(key: str, head: Head | None) -> Line:
    if head is None:
        return Line(key.rpartition(".")[2].replace("_", " "), NEUTRAL)
    return Line(
        QCoreApplication.translate("Legend", head.capitalize()), HEAD_COLOURS[head], HEAD_DASHES[head]
    )


class RunPlots(QWidget):
    """All cards of one run in a grid, with one legend for all."""

    points_wanted = Signal(int)
    """How many points of a curve there is room for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Curves of the run"))
        self.legend = Legend()
        self.legend.toggled.connect(self._show_head)
        self.cards = [PlotCard(card) for card in CARDS]
        self._curves = RunCurves("", {})
        self._due: list[PlotCard] = []
        # One card a turn of the event loop: all at once they would be a gap that one feels.
        self._turn = QTimer(self, singleShot=True, interval=0)
        self._turn.timeout.connect(self._draw_one)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        marks = QLabel(self.tr("dashed: best epoch · dotted: resumed · cross: no figure"), objectName="muted")
        grid.addWidget(marks, 0, 0)
        grid.addWidget(self.legend, 0, 1)
        for place, card in enumerate(self.cards):
            grid.addWidget(card, 1 + place // 2, place % 2)
            grid.setRowStretch(1 + place // 2, 1)
        self.cards[0].plot.resized.connect(self._tell_room)

    @property
    def points(self) -> int:
        """How many points of a curve there is room for, by steps, so that not every pixel is news."""
        return max(200, 200 * round(_POINTS_A_PIXEL * self.cards[0].plot.width() / 200))

    def draw(self, curves: RunCurves) -> None:
        """Show a run, or more of it, card by card."""
        self._curves, self._due = curves, list(self.cards)
        self._turn.start()

    @property
    def drawing(self) -> bool:
        """Whether a card has still to be drawn."""
        return bool(self._due)

    def draw_now(self) -> None:
        """Draw and paint every card without waiting for the event loop: for measuring."""
        for card in self.cards:
            self._draw_card(card)
            card.plot.repaint_now()
        self._due.clear()

    @Slot()
    def _draw_one(self) -> None:
        if self._due:
            self._draw_card(self._due.pop(0))
        if self._due:
            self._turn.start()

    def _draw_card(self, card: PlotCard) -> None:
        card.draw(self._curves.columns)
        card.plot.set_marks(self._curves.best, self._curves.segments)

    def clear(self) -> None:
        """Show nothing."""
        self.draw(RunCurves("", {}))

    @Slot(str, bool)
    def _show_head(self, head: Head, shown: bool) -> None:
        for card in self.cards:
            card.hide_head(head, not shown)

    @Slot()
    def _tell_room(self) -> None:
        self.points_wanted.emit(self.points)
