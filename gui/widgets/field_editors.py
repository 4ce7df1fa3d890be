"""One small control for each kind of value that a settings model may hold.

An editor shows a value (`set`) and gives back what was typed (`value`), which pydantic then judges: a number
is given back as its text, so that nothing is rounded and the message about it is pydantic's own.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator, QWheelEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.widgets import field_facts
from gui.widgets.value_text import list_of, list_text, number_text, table_of, table_text

NUMBER_CHARACTERS = 12
TABLE_LINES = 3
LARGE_LETTER = 11
"""Pixels, mean width; usual type has 6 to 8."""


def large_type(widget: QWidget) -> bool:
    """Whether letters are so large that controls belong below each other."""
    return widget.fontMetrics().averageCharWidth() > LARGE_LETTER


class Editor(QWidget):
    """What every editor does. `parts`: the controls that take the focus, the first one first."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[QWidget] = []

    def _holds(self, *parts: QWidget, stretch: bool = False) -> None:
        self.parts = list(parts)
        below = len(parts) > 1 and large_type(self)
        row = QVBoxLayout(self) if below else QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for part in parts:
            row.addWidget(part, int(stretch))
        if not stretch:
            row.addStretch(1)
        self.setFocusProxy(parts[0])

    def put_unit(self, unit: str) -> None:
        """Say after the control what its number counts."""
        row = self.layout()
        assert isinstance(row, QBoxLayout)
        row.insertWidget(len(self.parts), QLabel(unit, objectName="muted"))

    def name(self, title: str, description: str) -> None:
        """Tell screen readers what this is."""
        for part in self.parts:
            part.setAccessibleName(title)
            part.setAccessibleDescription(description)

    def set(self, value: Any) -> None:
        """Show a valid value."""
        raise TypeError(f"{type(self).__name__} shows nothing: {value!r}")

    def value(self) -> Any:
        """What is shown, valid or not."""
        raise TypeError(f"{type(self).__name__} holds nothing")


class TextEditor(Editor):
    """Words."""

    def __init__(self) -> None:
        super().__init__()
        self.line = QLineEdit()
        self.line.textEdited.connect(self.edited)
        self._holds(self.line, stretch=True)

    def set(self, value: Any) -> None:
        self.line.setText(value)
        self.line.setCursorPosition(0)

    def value(self) -> Any:
        return self.line.text()


class NumberEditor(Editor):
    """A number as text: rates keep every digit, seeds do not overflow. `optional`: may be empty."""

    def __init__(self, whole: bool, optional: bool = False) -> None:
        super().__init__()
        self._optional = optional
        self.line = number_line(whole)
        self.line.textEdited.connect(self.edited)
        self._holds(self.line)

    def set(self, value: Any) -> None:
        self.line.setText("" if value is None else number_text(value))

    def value(self) -> Any:
        text = self.line.text().strip()
        return None if self._optional and not text else text


class PairEditor(Editor):
    """Several numbers of a fixed count, as a scale from one to another."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._lines = [number_line(whole=False) for _ in range(count)]
        for line in self._lines:
            line.textEdited.connect(self.edited)
        self._holds(*self._lines)

    def set(self, value: Any) -> None:
        for line, number in zip(self._lines, value, strict=True):
            line.setText(number_text(number))

    def value(self) -> Any:
        return tuple(line.text().strip() for line in self._lines)


class SwitchEditor(Editor):
    """Yes or no."""

    def __init__(self) -> None:
        super().__init__()
        self.box = QCheckBox()
        self.box.clicked.connect(self.edited)
        self._holds(self.box)

    def set(self, value: Any) -> None:
        self.box.setChecked(value)

    def value(self) -> Any:
        return self.box.isChecked()


class ChoiceBox(QComboBox):
    """Turning the wheel over it scrolls the form; it changes the value only where it has the focus."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceEditor(Editor):
    """One of a few values."""

    def __init__(self, values: Sequence[Any]) -> None:
        super().__init__()
        self._values = list(values)
        self.box = ChoiceBox()
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.box.addItems([str(value) for value in values])
        self.box.activated.connect(self.edited)
        self._holds(self.box)

    def set(self, value: Any) -> None:
        self.box.setCurrentIndex(self._values.index(value))

    def value(self) -> Any:
        return self._values[self.box.currentIndex()]


class SeveralEditor(Editor):
    """Any of a few values; their order is that of ticking."""

    def __init__(self, values: Sequence[Any]) -> None:
        super().__init__()
        self._chosen: list[Any] = []
        self._boxes = {value: QCheckBox(str(value)) for value in values}
        for value, box in self._boxes.items():
            box.clicked.connect(lambda on, value=value: self._tick(value, on))
        self._holds(*self._boxes.values())

    def _tick(self, value: Any, on: bool) -> None:
        self._chosen = [other for other in self._chosen if other != value] + [value] * on
        self.edited.emit()

    def name(self, title: str, description: str) -> None:
        for value, box in self._boxes.items():
            box.setAccessibleName(f"{title}: {value}")
            box.setAccessibleDescription(description)

    def set(self, value: Any) -> None:
        self._chosen = list(value)
        for one, box in self._boxes.items():
            box.setChecked(one in self._chosen)

    def value(self) -> Any:
        return tuple(self._chosen)


class ListEditor(Editor):
    """Words or numbers with commas between."""

    def __init__(self) -> None:
        super().__init__()
        self.line = QLineEdit()
        self.line.textEdited.connect(self.edited)
        self.line.setPlaceholderText(self.tr("several, with commas between"))
        self._holds(self.line, stretch=True)

    def set(self, value: Any) -> None:
        self.line.setText(list_text(value))
        self.line.setCursorPosition(0)

    def value(self) -> Any:
        try:
            return tuple(list_of(self.line.text()))
        except ValueError:
            return self.line.text()  # pydantic says that this is no list


class TableEditor(Editor):
    """A dict: one line `key = value` for each key; `lists`: with several values."""

    def __init__(self, lists: bool) -> None:
        super().__init__()
        self._lists = lists
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setPlaceholderText(self.tr("key = value, one a line"))
        height = self.text.fontMetrics().lineSpacing() * TABLE_LINES
        self.text.setFixedHeight(height + 2 * int(self.text.document().documentMargin()) + 4)
        self.text.textChanged.connect(self.edited)
        self._holds(self.text, stretch=True)

    def set(self, value: Any) -> None:
        self.text.setPlainText(table_text(value))

    def value(self) -> Any:
        try:
            return table_of(self.text.toPlainText(), self._lists)
        except ValueError:
            return self.text.toPlainText()


class GroupEditor(Editor):
    """The fields of a small nested model side by side, as the learning rates of the parts of a network."""

    def __init__(self, model: type[Any]) -> None:
        super().__init__()
        self._model = model
        self._of: dict[str, Editor] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        columns = 1 if large_type(self) else 2
        for number, (name, field) in enumerate(model.model_fields.items()):
            editor = self._of[name] = editor_for(field)
            editor.edited.connect(self.edited)
            label = QLabel(self.tr(field.title or name))
            label.setBuddy(editor.parts[0])
            row, column = divmod(number, columns)
            grid.addWidget(label, row, 2 * column)
            grid.addWidget(editor, row, 2 * column + 1)
            self.parts += editor.parts
        grid.setColumnStretch(2 * columns, 1)
        self.setFocusProxy(self.parts[0])

    def name(self, title: str, description: str) -> None:
        for name, editor in self._of.items():
            field = self._model.model_fields[name]
            part = self.tr(field.title or name)
            editor.name(f"{title}: {part}", self.tr(field.description or description))

    def set(self, value: Any) -> None:
        for name, editor in self._of.items():
            editor.set(getattr(value, name))

    def value(self) -> Any:
        return {name: editor.value() for name, editor in self._of.items()}


def number_line(whole: bool) -> QLineEdit:
    """A line that takes the characters of numbers, and of no others."""
    line = QLineEdit()
    pattern = r"[-+]?\d*" if whole else r"[-+0-9.eE]*"
    line.setValidator(QRegularExpressionValidator(QRegularExpression(pattern), line))
    width = line.fontMetrics().horizontalAdvance("0" * NUMBER_CHARACTERS) + 20
    line.setMinimumWidth(width // 2)
    line.setMaximumWidth(width)
    line.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return line


def editor_for(field: FieldInfo) -> Editor:
    """The editor of a field's kind of value. TypeError for a kind that no settings model has had so far."""
    if (model := field_facts.nested(field)) is not None:
        return GroupEditor(model)
    if (model := field_facts.item_model(field)) is not None:
        from gui.widgets.entries_editor import EntriesEditor  # it holds a form, which is made of editors

        return EntriesEditor(model)
    return _plain(field.annotation)


def _plain(annotation: Any) -> Editor:
    if values := field_facts.choices(annotation):
        return ChoiceEditor(values)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return _several(inner)
    if origin is dict:
        return TableEditor(lists=get_origin(inner[1]) is tuple)
    if origin in (Union, types.UnionType) and type(None) in inner:
        (kind,) = (item for item in inner if item is not type(None))
        if kind in (int, float):
            return NumberEditor(kind is int, optional=True)
    makers = {
        str: TextEditor,
        bool: SwitchEditor,
        int: lambda: NumberEditor(whole=True),
        float: lambda: NumberEditor(whole=False),
    }
    if annotation not in makers:
        raise TypeError(f"no editor for {annotation}")
    return makers[annotation]()


def _several(inner: tuple[Any, ...]) -> Editor:
    if values := field_facts.choices(inner[0]):
        return SeveralEditor(values)
    return ListEditor() if inner[-1] is Ellipsis else PairEditor(len(inner))
