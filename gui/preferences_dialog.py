"""Ctrl+,: theme, speech model, sentiment model."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.preferences import BUILT_IN_MODELS, Preferences


class PreferencesDialog(QDialog):
    """Asks; what is to be done with the answer (`chosen`) is the window's business."""

    def __init__(self, preferences: Preferences, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Preferences"))
        self._given = preferences
        self.theme = QComboBox()
        for value, words in (
            ("system", self.tr("Like the system")),
            ("light", self.tr("Light")),
            ("dark", self.tr("Dark")),
        ):
            self.theme.addItem(words, value)
        self.theme.setCurrentIndex(self.theme.findData(preferences.theme))
        self.step = QDoubleSpinBox(decimals=1, singleStep=0.5, minimum=0.1, maximum=60.0)
        self.step.setSuffix(self.tr(" s"))
        self.step.setValue(preferences.step_seconds)
        self.speech = QComboBox(editable=True)
        self.speech.addItems(BUILT_IN_MODELS)
        self.speech.setCurrentText(preferences.speech_model)
        self._speech_field = self.speech.lineEdit() or QLineEdit()
        self.model = QLineEdit(preferences.model_folder)
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._lay_out()

    def _lay_out(self) -> None:
        form = QFormLayout()
        fields: tuple[tuple[str, QWidget, QWidget], ...] = (
            ("theme", self.theme, self.theme),
            ("step_seconds", self.step, self.step),
            ("speech_model", self.speech, self._with_folder(self._speech_field, self.speech)),
            ("model_folder", self.model, self._with_folder(self.model, self.model)),
        )
        for name, control, row in fields:
            field = Preferences.model_fields[name]
            label, help_text = self.tr(field.title or ""), self.tr(field.description or "")
            control.setAccessibleName(label)
            control.setToolTip(help_text)
            form.addRow(label, row)
            hint = QLabel(help_text, objectName="muted")
            hint.setWordWrap(True)
            form.addRow("", hint)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._problem)
        layout.addWidget(buttons)
        self.resize(560, self.sizeHint().height())

    def _with_folder(self, line: QLineEdit, control: QWidget) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        button = QPushButton(self.tr("Folder…"))
        button.clicked.connect(lambda: self._ask_folder(line))
        layout.addWidget(control, 1)
        layout.addWidget(button)
        return row

    def _ask_folder(self, line: QLineEdit) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Choose a folder"), line.text())
        if folder:
            line.setText(folder)

    def problem(self) -> str:
        """Why what was typed cannot be, in words; "" where it can."""
        named = ((self.speech.currentText(), BUILT_IN_MODELS), (self.model.text(), ("starter",)))
        for text, built_in in named:
            if text.strip() not in built_in and not Path(text.strip()).expanduser().is_dir():
                return self.tr("There is no folder {name}").format(name=text)
        return ""

    def accept(self) -> None:
        """Close only on an answer that makes sense."""
        problem = self.problem()
        self._problem.setText(problem)
        if not problem:
            super().accept()

    @property
    def chosen(self) -> Preferences:
        """The preferences as answered."""
        return self._given.changed(
            theme=self.theme.currentData(),
            step_seconds=round(self.step.value(), 1),
            speech_model=self.speech.currentText().strip(),
            model_folder=self.model.text().strip(),
        )
