"""What an empty start offers: three things to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import icons


class StartCard(QFrame):
    """Shown under the clip list until the user opens something of their own."""

    def __init__(self, actions: list[QAction], hint: str = "", parent: QWidget | None = None) -> None:
        """hint: what else one can do, below the buttons."""
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName(self.tr("Start here"))
        self.buttons: list[QPushButton] = []
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(self.tr("Start here"), objectName="heading"))
        for action in actions:
            key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            button = QPushButton(f"{action.text()}   {key}")
            button.setAccessibleName(action.text())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            icons.bind(button, action.property("icon_name"))
            button.clicked.connect(action.trigger)
            self.buttons.append(button)
            layout.addWidget(button)
        told = QLabel(hint or self.tr("Or drop clips and folders anywhere."), objectName="muted")
        told.setWordWrap(True)
        layout.addWidget(told)
