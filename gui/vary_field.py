"""What a queue of runs varies, one line a setting; below it what is wrong, or how many runs that makes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from core.errors import SettingsError
from core.training.grid import Planned, expand, sizes, varied
from core.training.settings import Settings

LINES = 2


class VaryField(QWidget):
    """`edited`: another text; what it makes of settings and seeds is found by `judge`."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.problem = ""
        self.planned: list[Planned] = []
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setPlaceholderText("alignment.weight = 0, 0.1, 1")
        self.text.setToolTip(
            self.tr("One line a setting, by its name in the settings file, with its values.")
        )
        self.text.setAccessibleDescription(self.text.toolTip())
        margins = 2 * int(self.text.document().documentMargin()) + 4
        self.text.setFixedHeight(LINES * self.text.fontMetrics().lineSpacing() + margins)
        self.wrong, self.told = QLabel(objectName="problem"), QLabel(objectName="muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        for label in (self.wrong, self.told):
            label.setWordWrap(True)
            layout.addWidget(label)
        self.wrong.hide()
        self.setFocusProxy(self.text)
        self.text.textChanged.connect(self.edited)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is varied; empty for seeds alone."""
        return tuple(line.strip() for line in self.text.toPlainText().splitlines() if line.strip())

    def judge(self, settings: Settings | None, seeds: Sequence[int]) -> None:
        """Find the runs, or say why there are none; without valid settings or seeds only what is typed."""
        self.planned, self.problem, words = [], "", self.tr("One run for each seed.")
        try:
            axes = varied(self.lines)
            if settings is not None and seeds:
                self.planned = expand(settings, self.lines, seeds)
            if self.lines:
                words = self._counted(sizes(axes), len(seeds))
        except SettingsError as error:
            self.problem, words = error.message, ""
        self.wrong.setText(self.problem)
        self.wrong.setVisible(bool(self.problem))
        self.told.setText(words)
        self.told.setVisible(bool(words))

    def _counted(self, values: Sequence[int], seeds: int) -> str:
        if not self.planned:
            return ""
        if seeds == 1:
            words = self.tr("%1 values × 1 seed = %3 runs")  # noqa: RUF001 - true times signs
        else:
            words = self.tr("%1 values × %2 seeds = %3 runs")  # noqa: RUF001
        times = " × ".join(str(count) for count in values)  # noqa: RUF001
        parts = (times, str(seeds), str(len(self.planned)))
        for number, part in enumerate(parts, 1):
            words = words.replace(f"%{number}", part)
        return words
