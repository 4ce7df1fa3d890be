"""Colours and type: one colour per head everywhere, and calm light and dark palettes on Fusion.

Data colours are Okabe-Ito (safe for colour-blind eyes) and the same in both themes; each has a dash and a
marker beside it. Text on its background has a contrast of at least 4.5 in both (a test measures it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from core.types import Head

HEAD_COLOURS: dict[Head, str] = {
    "multimodal": "#009E73",
    "text": "#0072B2",
    "audio": "#E69F00",
    "visual": "#CC79A7",
}
HEAD_MARKERS: dict[Head, str] = {"multimodal": "o", "text": "s", "audio": "t", "visual": "d"}
"""pyqtgraph symbols."""

Choice = Literal["system", "light", "dark"]
_SCHEMES: dict[Choice, Qt.ColorScheme] = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of one theme, by what they are for."""

    window: str
    base: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    focus: str
    on_accent: str
    good: str
    bad: str
    notice: str


LIGHT = Colours(
    window="#F3F4F6",
    base="#FFFFFF",
    raised="#FBFBFC",
    line="#D3D8DE",
    text="#1B2026",
    muted="#57606B",
    accent="#2B6CA3",
    focus="#1F6FB5",
    on_accent="#FFFFFF",
    good="#1B7A4B",
    bad="#B3261E",
    notice="#FFF4E0",
)
DARK = Colours(
    window="#1D2125",
    base="#15181B",
    raised="#262B30",
    line="#3A4149",
    text="#E5E8EB",
    muted="#A3ACB6",
    accent="#35719F",
    focus="#6CB2E8",
    on_accent="#FFFFFF",
    good="#63C795",
    bad="#FF8A80",
    notice="#3A3020",
)


def palette(colours: Colours) -> QPalette:
    """The Qt palette of a theme, disabled text included."""
    made = QPalette()
    roles = {
        QPalette.ColorRole.Window: colours.window,
        QPalette.ColorRole.WindowText: colours.text,
        QPalette.ColorRole.Base: colours.base,
        QPalette.ColorRole.AlternateBase: colours.raised,
        QPalette.ColorRole.Text: colours.text,
        QPalette.ColorRole.Button: colours.raised,
        QPalette.ColorRole.ButtonText: colours.text,
        QPalette.ColorRole.BrightText: colours.bad,
        QPalette.ColorRole.Highlight: colours.accent,
        QPalette.ColorRole.HighlightedText: colours.on_accent,
        QPalette.ColorRole.Accent: colours.accent,
        QPalette.ColorRole.Link: colours.accent,
        QPalette.ColorRole.PlaceholderText: colours.muted,
        QPalette.ColorRole.ToolTipBase: colours.raised,
        QPalette.ColorRole.ToolTipText: colours.text,
        QPalette.ColorRole.Light: colours.raised,
        QPalette.ColorRole.Midlight: colours.raised,
        QPalette.ColorRole.Mid: colours.line,
        QPalette.ColorRole.Dark: colours.line,
    }
    for role, name in roles.items():
        made.setColor(role, QColor(name))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.muted))
    made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(colours.line))
    return made


def stylesheet(colours: Colours) -> str:
    """What a palette cannot say: quiet frames, flat tool buttons, a focus ring on whatever has focus."""
    c = colours
    edge = f"border: 1px solid {c.line}; border-radius: 5px;"
    return f"""
    QSplitter::handle {{ background: {c.window}; }}
    QSplitter::handle:hover {{ background: {c.line}; }}
    QToolTip {{ background: {c.raised}; color: {c.text}; border: 1px solid {c.line}; padding: 4px; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 5px; padding: 3px 5px; color: {c.text}; }}
    QToolButton:hover, QToolButton:checked {{ background: {c.line}; }}
    QToolButton:disabled {{ color: {c.muted}; }}
    QListView {{ {edge} background: {c.base}; outline: none; }}
    QPushButton {{ {edge} padding: 4px 12px; background: {c.raised}; }}
    QPushButton:hover {{ border-color: {c.muted}; }}
    QPushButton:default {{ background: {c.accent}; color: {c.on_accent}; border-color: {c.accent}; }}
    QPushButton:disabled {{ color: {c.muted}; background: {c.window}; border-color: {c.line}; }}
    QLineEdit {{ {edge} padding: 4px 6px; background: {c.base}; }}
    QPlainTextEdit {{ {edge} background: {c.base}; }}
    QCheckBox::indicator:unchecked {{
        border: 1px solid {c.muted}; border-radius: 3px; background: {c.base}; width: 12px; height: 12px;
    }}
    QToolButton:focus, QListView:focus, QPushButton:focus, QLineEdit:focus, QPlainTextEdit:focus {{
        border: 1px solid {c.focus};
    }}
    QProgressBar {{ border: none; border-radius: 3px; background: {c.line}; }}
    QProgressBar::chunk {{ border-radius: 3px; background: {c.accent}; }}
    #heading {{ font-weight: 600; }}
    #title {{ font-weight: 600; font-size: 15px; }}
    #muted {{ color: {c.muted}; }}
    #problem {{ color: {c.bad}; }}
    #mark {{ color: {c.focus}; }}
    #banner QListView {{ background: {c.notice}; border: none; }}
    #banner QListView:focus {{ border: 1px solid {c.focus}; }}
    #card {{ background: {c.base}; {edge} }}
    #banner {{ background: {c.notice}; {edge} }}
    """


class Theme(QObject):
    """Applies the chosen theme to the whole program and follows the system where that is the choice."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._choice: Choice = "system"
        app.setStyle("Fusion")
        app.setFont(_tabular(app.font()))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    @property
    def dark(self) -> bool:
        """Whether the dark colours are on."""
        if self._choice != "system":
            return self._choice == "dark"
        return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark

    @property
    def colours(self) -> Colours:
        return DARK if self.dark else LIGHT

    def choose(self, choice: Choice) -> None:
        """Set "system", "light" or "dark"; every window repaints."""
        self._choice = choice
        schemes = {
            "light": Qt.ColorScheme.Light,
            "dark": Qt.ColorScheme.Dark,
            "system": Qt.ColorScheme.Unknown,
        }
        QGuiApplication.styleHints().setColorScheme(schemes[choice])
        self._apply()

    @Slot()
    def _follow(self) -> None:
        if self._choice == "system":
            self._apply()

    def _apply(self) -> None:
        self._app.setPalette(palette(self.colours))
        self._app.setStyleSheet(stylesheet(self.colours))
        self.changed.emit()


def _tabular(font: QFont) -> QFont:
    """The same font with figures of equal width, so that running numbers do not jitter."""
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
