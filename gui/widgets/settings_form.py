"""A form for any settings model of pydantic: what the model declares is all that the form knows.

A field whose value is a model becomes a section (at the top) or a row of several controls (below); fields
declared basic come first, the others under "Advanced". Every change is judged by the model itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import QCoreApplication, QEvent, QTimer, Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui.widgets import field_facts
from gui.widgets.setting_row import SettingRow
from gui.widgets.tall_widget import TallWidget

SLICE_S = 0.008
"""Longest time that a form built in slices keeps the window waiting."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a setting: its dotted name ("" for the whole), its title, pydantic's message."""

    name: str
    title: str
    message: str


class _Section(QWidget):
    """Rows under a heading, gone when none of them is to be seen."""

    def __init__(self, title: str, description: str) -> None:
        super().__init__()
        self.rows: list[SettingRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 8, 0, 4)
        self._layout.setSpacing(0)
        if title:
            heading = QLabel(self.tr(title), objectName="heading")
            heading.setToolTip(self.tr(description))
            self._layout.addWidget(heading)

    def add(self, row: SettingRow) -> None:
        self.rows.append(row)
        self._layout.addWidget(row)


class SettingsForm(QScrollArea):
    """All settings of a model. `changed`: something was typed, chosen, set or reset.

    at_once: whether it is complete when made; else it is made in slices, and `completed` tells when it is.
    What is set before that is shown then.
    """

    changed = Signal()
    completed = Signal()

    def __init__(self, model: type[BaseModel], parent: QWidget | None = None, at_once: bool = True) -> None:
        super().__init__(parent)
        self._model = model
        self.setAccessibleName(self.tr("Settings"))
        self.rows: dict[str, SettingRow] = {}
        self._models: dict[str, type[BaseModel]] = {}
        self._sections: list[_Section] = []
        self._reference, self._reference_name = model(), self.tr("the defaults")
        self._shown: BaseModel = self._reference
        self._words, self._only_differing = "", False
        self.problems: list[Problem] = []
        self.result: BaseModel | None = None
        self.complete = False
        self.fold = QPushButton(checkable=True)
        self.fold.setAutoDefault(False)
        self.fold.hide()
        self.fold.toggled.connect(self._filter)
        self.nothing = QLabel(objectName="muted")
        self._inside = TallWidget()
        self._building = self._build()
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._slice)
        if at_once:
            self._finish()
        else:
            self._next.start()

    @Slot()
    def _slice(self) -> None:
        until = perf_counter() + SLICE_S
        for _row in self._building:
            if perf_counter() > until:
                self._next.start()
                return
        self._finish()

    def _finish(self) -> None:
        for _row in self._building:
            pass
        self.complete = True
        self.compare_with(self._reference, self._reference_name)
        self.set(self._shown)
        self._filter()
        self._inside.show()
        self.completed.emit()

    def _build(self) -> Iterator[SettingRow]:
        inside = self._inside
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(4, 0, 12, 12)
        layout.setSpacing(0)
        self.setWidget(inside)
        inside.hide()  # else every row that is added lays out all rows before it again
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        fields = list(_fields(self._model))
        basics = [bool(field_facts.extra(f.model.model_fields[f.key], "basic")) for f in fields]
        if not any(basics):  # none is more basic than the others
            basics = [True] * len(fields)
        for basic in (True, False):
            made: dict[str, _Section] = {}
            for field in (f for f, is_basic in zip(fields, basics, strict=True) if is_basic == basic):
                if field.section not in made:
                    made[field.section] = _Section(field.title, field.description)
                    layout.addWidget(made[field.section])
                    self._sections.append(made[field.section])
                made[field.section].add(row := self._row(field, basic))
                yield row
            if basic:
                layout.addWidget(self.fold)
        layout.addWidget(self.nothing)
        layout.addStretch(1)
        self.fold.setText(self.tr("Advanced: %1 more settings").replace("%1", str(basics.count(False))))

    def _row(self, field: _Field, basic: bool) -> SettingRow:
        row = self.rows[field.name] = SettingRow(
            field.name, field.title, field.model.model_fields[field.key], basic
        )
        self._models[field.name] = field.model
        row.edited.connect(self._edited)
        return row

    def set(self, settings: BaseModel) -> None:
        """Show these settings."""
        self._shown = settings
        if not self.complete:
            return
        for name, row in self.rows.items():
            row.set(_at(settings, name))
        self._edited()

    def compare_with(self, settings: BaseModel, name: str) -> None:
        """Mark what differs from these settings from now on; `name` is what they are called."""
        self._reference, self._reference_name = settings, name
        if not self.complete:
            return
        for key, row in self.rows.items():
            row.compare_with(_at(settings, key), name)
        self._edited()

    def put(self, name: str, value: Any) -> None:
        """Set one setting to a valid value."""
        self.rows[name].set(value)
        self._edited()

    def values(self) -> dict[str, Any]:
        """What is shown, valid or not, as the tree that the model is made of."""
        tree: dict[str, Any] = {}
        for name, row in self.rows.items():
            *sections, key = name.split(".")
            branch = tree
            for section in sections:
                branch = branch.setdefault(section, {})
            branch[key] = row.editor.value()
        return tree

    @property
    def differing(self) -> list[str]:
        """Names of the settings that are not the preset's."""
        return [name for name, row in self.rows.items() if row.differs]

    def filter(self, words: str, only_differing: bool = False) -> None:
        """Show only rows in which all words occur, and, if asked for, only those that differ."""
        self._words, self._only_differing = words.casefold(), only_differing
        self._filter()

    def show_setting(self, name: str) -> None:
        """Bring a setting (by its dotted name, or that of a part of it) into view and give it the focus."""
        row = self.rows.get(self._owner(name))
        if row is None:
            return
        if not row.basic:
            self.fold.setChecked(True)
        self.filter("")
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # it is where it is only then
        self.ensureWidgetVisible(row)
        row.editor.parts[0].setFocus()

    @Slot()
    def _edited(self) -> None:
        if not self.complete:
            return
        values = self.values()
        try:
            self.result, errors = self._model.model_validate(values), []
        except ValidationError as error:
            self.result, errors = None, error.errors(include_url=False)
        self.problems = [self._problem(error) for error in errors]
        for name, row in self.rows.items():
            told = "\n".join(p.message for p in self.problems if self._owner(p.name) == name)
            row.tell(told, self._valid(name, values) if not told else None)
        if self._only_differing:
            self._filter()
        self.changed.emit()

    def _valid(self, name: str, values: dict[str, Any]) -> Any:
        """The value as the model takes it; beside an error elsewhere only its own section is looked at."""
        if self.result is not None:
            return _at(self.result, name)
        *sections, key = name.split(".")
        owner = _at(self._reference, ".".join(sections)) if sections else self._reference
        others = {field: getattr(owner, field) for field in type(owner).model_fields}
        for section in sections:
            values = values[section]
        try:
            return getattr(self._models[name].model_validate({**others, key: values[key]}), key)
        except ValidationError:
            return None  # right alone, wrong beside the preset's other values: it differs, that is all

    def _problem(self, error: Any) -> Problem:
        name = ".".join(str(part) for part in error["loc"])
        row = self.rows.get(self._owner(name))
        message = error["msg"].removeprefix("Value error, ")
        inner = name[len(row.name) + 1 :] if row is not None else ""
        model = field_facts.nested(row.field) if row is not None else None
        if model is not None and inner in model.model_fields:
            message = f"{self.tr(model.model_fields[inner].title or inner)}: {message}"
        return Problem(name, row.title if row is not None else name, message)

    def _owner(self, name: str) -> str:
        """The row that a dotted name, perhaps of a part of its value, belongs to."""
        while name and name not in self.rows:
            name = name.rpartition(".")[0]
        return name

    @Slot()
    def _filter(self) -> None:
        narrowed = bool(self._words) or self._only_differing
        unfolded = self.fold.isChecked()
        count = 0
        for section in self._sections:
            seen = 0
            for row in section.rows:
                fits = row.matches(self._words) and (row.differs or not self._only_differing)
                shown = fits and (row.basic or unfolded or narrowed)
                row.setVisible(shown)
                seen += shown
            section.setVisible(seen > 0)
            count += seen
        self.fold.setVisible(not narrowed and any(not row.basic for row in self.rows.values()))
        self.nothing.setVisible(count == 0)
        self.nothing.setText(
            self.tr("No setting is like that.") if self._words else self.tr("Nothing differs.")
        )


@dataclass(frozen=True, slots=True)
class _Field:
    """Section with title and help, dotted name, the model that has the field, and its name there."""

    section: str
    title: str
    description: str
    name: str
    model: type[BaseModel]
    key: str


def _fields(model: type[BaseModel]) -> Iterator[_Field]:
    for key, field in model.model_fields.items():
        inner = field_facts.nested(field)
        if inner is None:
            yield _Field("", "", "", key, model, key)
            continue
        for name in inner.model_fields:
            yield _Field(key, field.title or key, field.description or "", f"{key}.{name}", inner, name)


def _at(settings: BaseModel, name: str) -> Any:
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value
