"""One action: what a person can do, its words, its keys, when it can be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def mark(context: str, text: str) -> str:
    """Marks a text of `context` for the translators; translated when shown. Qt's own has no type."""
    return text


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do.

    keys: shortcuts, the first is shown in menus. scope "review", "live": only while that page (and no text
    editor) has focus. when: whether it can be done now. on: for switches, whether it is on now.
    """

    id: str
    text: str
    menu: str
    keys: tuple[str, ...]
    does: Callable[[MainWindow], object]
    when: Callable[[MainWindow], bool] = lambda window: True
    on: Callable[[MainWindow], bool] | None = None
    scope: Literal["window", "review", "live"] = "window"
    icon: str = ""
    starts_group: bool = False

    @property
    def words(self) -> str:
        """The text in the user's language."""
        return QCoreApplication.translate("actions", self.text)
