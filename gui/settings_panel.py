"""The form of a run's settings with what helps to find one: a search, and "only what differs"."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from core.training.settings import Settings
from gui.new_run import Origin
from gui.widgets.settings_form import SettingsForm


class SettingsPanel(QWidget):
    """Settings taken over as a whole (`use`) can be put back as they were: `went_back` (Origin)."""

    went_back = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = SettingsForm(Settings, at_once=False)
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Find a setting (Ctrl+F)"))
        self.search.setAccessibleName(self.tr("Find a setting"))
        self.only = QCheckBox()
        self._told = QLabel()
        self._told.setWordWrap(True)
        self._back = QPushButton(self.tr("Put back"))
        self._back.setAutoDefault(False)
        self._origin: Origin | None = None
        self._before: tuple[Origin, Settings] | None = None
        self.search.textChanged.connect(self._filter)
        self.only.toggled.connect(self._filter)
        self.form.changed.connect(self._count)
        self._back.clicked.connect(self._put_back)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self.search.setFocus)
        self._lay_out()

    def _lay_out(self) -> None:
        above, told = QHBoxLayout(), QHBoxLayout()
        above.addWidget(self.search, 1)
        above.addWidget(self.only)
        told.addWidget(self._told, 1)
        told.addWidget(self._back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.addLayout(above)
        layout.addLayout(told)
        layout.addWidget(self.form, 1)
        self.tell("")
        self._count()

    def use(self, origin: Origin) -> None:
        """Take over settings and compare with them from now on; what had been changed can be put back."""
        changed, own = self.form.differing, self.form.result
        keep = (self._origin, own) if self._origin and changed and isinstance(own, Settings) else None
        self._origin = origin
        self.form.compare_with(origin.settings, origin.title)
        self.form.set(origin.settings)
        self.tell("")
        if keep is not None:
            words = self.tr("%1 replaced what you had changed (%2 settings).")
            self.tell(words.replace("%1", origin.title).replace("%2", str(len(changed))))
            self._before = keep
            self._back.show()

    def tell(self, text: str) -> None:
        """Say something above the form; "" takes it away."""
        self._before = None
        self._back.hide()
        self._told.setText(text)
        self._told.setVisible(bool(text))

    def title(self, name: str) -> str:
        """What a setting is called; for what is none, its name."""
        row = self.form.rows.get(name)
        return row.title if row is not None else name.capitalize()

    def show_setting(self, name: str) -> None:
        """Bring a setting into view, whatever is searched for."""
        self.search.clear()
        self.only.setChecked(False)
        self.form.show_setting(name)

    @Slot()
    def _put_back(self) -> None:
        if self._before is not None:
            self._origin, own = self._before
            self.tell("")
            self.form.compare_with(self._origin.settings, self._origin.title)
            self.form.set(own)
            self.went_back.emit(self._origin)

    @Slot()
    def _filter(self) -> None:
        self.form.filter(self.search.text(), self.only.isChecked())

    @Slot()
    def _count(self) -> None:
        count = len(self.form.differing)
        self.only.setText(self.tr("Only what differs (%1)").replace("%1", str(count)))
        self.only.setEnabled(count > 0 or self.only.isChecked())
