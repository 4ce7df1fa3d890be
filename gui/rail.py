"""The left rail: one button a page."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui import icons


class Rail(QFrame):
    """Made from the table of pages; `chosen` gives the place of the page wanted."""

    chosen = Signal(int)

    def __init__(self, pages: list[tuple[str, str]], parent: QWidget | None = None) -> None:
        """pages: (words, icon name) from the top."""
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAccessibleName(self.tr("Pages"))
        self._group = QButtonGroup(self, exclusive=True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(4, 6, 4, 6)
        for place, (words, icon) in enumerate(pages):
            button = self._button(words, icon)
            button.setCheckable(True)
            button.setChecked(place == 0)
            self._group.addButton(button, place)
            self._layout.addWidget(button)
        self._layout.addStretch(1)
        self._group.idClicked.connect(self.chosen)

    def show_page(self, place: int) -> None:
        """Mark the page that is shown."""
        self._group.button(place).setChecked(True)

    def add_foot(self, words: str, icon: str, does: object) -> None:
        """A button at the foot of the rail."""
        button = self._button(words, icon)
        button.clicked.connect(does)
        self._layout.addWidget(button)

    def _button(self, words: str, icon: str) -> QToolButton:
        button = QToolButton()
        button.setText(words)
        button.setAccessibleName(words)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(QSize(22, 22))
        button.setMinimumWidth(64)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        icons.bind(button, icon)
        return button
