"""One setting in a form: title, control, unit, help, what it is by default, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from gui.widgets import field_facts
from gui.widgets.field_editors import editor_for, large_type

TITLE_CHARACTERS, LARGE_TITLE_CHARACTERS = 18, 14
MARK = "●"


class SettingRow(QWidget):
    """A field of a model. It knows what the preset has there, and marks itself where it differs."""

    edited = Signal()

    def __init__(self, name: str, section: str, field: FieldInfo, basic: bool) -> None:
        """name: dotted, as in the settings file; section: title of the model that it is a field of;
        basic: whether it is seen without unfolding the advanced ones."""
        super().__init__()
        self.name, self.field = name, field
        self.title = self.tr(field.title or name)
        self.basic = basic
        self.description = self.tr(field.description or "")
        self._words = " ".join((name, section, self.title, self.description)).casefold()
        self._reference: Any = None
        self._reference_name = ""
        self.differs = False
        self.problem = ""
        self.editor = editor_for(field)
        unit = self.tr(field_facts.unit(field))
        if unit:
            self.editor.put_unit(unit)
        self.editor.name(f"{self.title}, {unit}" if unit else self.title, self.description)
        self.editor.edited.connect(self.edited)
        self._mark = QLabel(objectName="mark")
        self._reset = QToolButton()
        self._reset.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._reset.clicked.connect(self.reset)
        self._reset.hide()
        self._help = QLabel(self._help_text(), objectName="muted")
        self._wrong = QLabel(objectName="problem")
        self._lay_out()

    def _lay_out(self) -> None:
        letter = self.fontMetrics().averageCharWidth()
        title = QLabel(self.title)
        title.setWordWrap(True)
        title.setBuddy(self.editor.parts[0])
        title.setFixedWidth((LARGE_TITLE_CHARACTERS if large_type(self) else TITLE_CHARACTERS) * letter)
        self._mark.setFixedWidth(2 * letter)
        self._mark.setAlignment(Qt.AlignmentFlag.AlignTop)
        for label in (self._help, self._wrong):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._wrong.hide()
        top = Qt.AlignmentFlag.AlignTop
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 4, 0, 6)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._mark, 0, 0)
        grid.addWidget(title, 0, 1, top)
        grid.addWidget(self.editor, 0, 2)
        grid.addWidget(self._reset, 0, 3)
        grid.addWidget(self._wrong, 1, 2, 1, 2)
        grid.addWidget(self._help, 2, 2, 1, 2)
        grid.setColumnStretch(2, 1)

    def _help_text(self) -> str:
        facts = field_facts.facts(self.field)
        return f"{self.description} ({facts})" if facts else self.description

    def set(self, value: Any) -> None:
        """Show a valid value, as if it had always been there."""
        blocked = self.editor.blockSignals(True)
        self.editor.set(value)
        self.editor.blockSignals(blocked)

    def compare_with(self, value: Any, name: str) -> None:
        """What this setting is in the preset of this name."""
        self._reference, self._reference_name = value, name
        shown = field_facts.shown(value)
        short = "" if large_type(self) else shown if len(shown) <= 14 else shown[:13] + "…"
        self._reset.setText(f"↺ {short}".strip())
        told = self.tr("Back to %1 (%2)").replace("%1", shown).replace("%2", name)
        self._reset.setToolTip(told)
        self._reset.setAccessibleName(f"{self.title}: {told}")

    @Slot()
    def reset(self) -> None:
        """Take the preset's value again."""
        self.set(self._reference)
        self.editor.parts[0].setFocus()
        self.edited.emit()

    def tell(self, problem: str, value: Any) -> None:
        """What is wrong with what is shown, "" and its validated value where nothing is."""
        self.problem = problem
        self.differs = bool(problem) or value != self._reference
        self._wrong.setText(problem)
        self._wrong.setVisible(bool(problem))
        self._reset.setVisible(self.differs)
        self._mark.setText(MARK if self.differs else "")
        self._mark.setToolTip(self.tr("Differs from %1").replace("%1", self._reference_name))
        self.setAccessibleName(f"{self.title}, {self._mark.toolTip()}" if self.differs else self.title)

    def matches(self, words: str) -> bool:
        """Whether every one of these words (casefolded) occurs in name, title or help."""
        return all(word in self._words for word in words.split())
