"""Where a run's data is: typed, chosen, dropped, or one of those used lately."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QSizePolicy, QWidget

FILES = "*.pkl *.pickle *.csv"


class DataChooser(QWidget):
    """A path, and two ways to look for one. `changed`: another path is named."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = QComboBox(editable=True)
        self.box.setAccessibleName(self.tr("Data"))
        self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.box.setMinimumContentsLength(5)
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._line = self.box.lineEdit()
        assert self._line is not None
        self._line.setPlaceholderText(self.tr("A .pkl, a .csv or a folder; or drop it here"))
        self._line.setAccessibleName(self.tr("Data"))
        self.box.editTextChanged.connect(self._moved)
        file, folder = QPushButton(self.tr("File…")), QPushButton(self.tr("Folder…"))
        file.setAccessibleName(self.tr("Choose a file of data"))
        folder.setAccessibleName(self.tr("Choose a folder of data"))
        for button in (file, folder):
            button.setAutoDefault(False)
        file.clicked.connect(self._ask_file)
        folder.clicked.connect(self._ask_folder)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.box, 1)
        row.addWidget(file)
        row.addWidget(folder)
        self.setFocusProxy(self.box)

    @property
    def path(self) -> Path | None:
        """The data named, None for nothing."""
        text = self.box.currentText().strip()
        return Path(text).expanduser() if text else None

    def choose(self, path: Path) -> None:
        """Name this data."""
        self.box.setEditText(str(path))

    def offer(self, recent: Sequence[Path], there: set[Path]) -> None:
        """List data used lately; what is not there now is greyed, not dropped."""
        text, model = self.box.currentText(), QStandardItemModel(self)
        for path in recent:
            item = QStandardItem(str(path))
            item.setEnabled(path in there)
            if path not in there:
                item.setToolTip(self.tr("Not there now"))
            model.appendRow(item)
        blocked = self.box.blockSignals(True)
        self.box.setModel(model)
        self.box.setCurrentIndex(-1)
        self.box.setEditText(text)
        self.box.blockSignals(blocked)

    @Slot()
    def _moved(self) -> None:
        self.box.setToolTip(self.box.currentText())
        self.changed.emit()

    def _near(self) -> str:
        return str(self.path.parent) if self.path else ""

    @Slot()
    def _ask_file(self) -> None:
        kinds = f"{self.tr('Data sets')} ({FILES});;{self.tr('All files')} (*)"
        name, _kind = QFileDialog.getOpenFileName(self, self.tr("Choose data"), self._near(), kinds)
        if name:
            self.choose(Path(name))

    @Slot()
    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, self.tr("Choose a folder of data"), self._near())
        if name:
            self.choose(Path(name))
