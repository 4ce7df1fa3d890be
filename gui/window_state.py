"""Where the window was, how its panes were split, what was opened lately; kept between starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QRect

from core import paths
from gui.storage import read_json, write_json

RECENT = 12
FIRST_SIZE = (1280, 800)


class WindowState:
    """The stored state; every value is checked, for the file may be of another version or another desk."""

    def __init__(self, file: Path | None) -> None:
        """file: where it is kept; None forgets everything."""
        self.file = file
        self._values: dict[str, Any] = {} if file is None else read_json(file)

    @property
    def recent(self) -> list[Path]:
        """Files and folders opened lately, the newest first."""
        listed = self._values.get("recent")
        if not isinstance(listed, list):
            return []
        return [Path(name) for name in listed if isinstance(name, str)][:RECENT]

    def remember(self, opened: Sequence[Path]) -> None:
        """Put `opened` in front of the recent ones."""
        names = [str(path) for path in [*opened[:RECENT], *self.recent]]
        self._values["recent"] = list(dict.fromkeys(names))[:RECENT]

    @property
    def last_folder(self) -> str:
        """Where the file dialog starts."""
        recent = self.recent
        return str(recent[0].parent) if recent else ""

    @property
    def rectangle(self) -> QRect | None:
        """Frame geometry at the last close."""
        stored = self._values.get("rectangle")
        if isinstance(stored, list) and len(stored) == 4 and all(isinstance(n, int) for n in stored):
            return QRect(*stored)
        return None

    @property
    def maximised(self) -> bool:
        return self._values.get("maximised") is True

    @property
    def speed(self) -> float:
        """How fast clips are played; 1 at first."""
        stored = self._values.get("speed")
        return float(stored) if isinstance(stored, int | float) and 0.5 <= stored <= 2 else 1.0

    @property
    def looping(self) -> bool:
        """Whether clips are played round and round."""
        return self._values.get("looping") is True

    def set_playback(self, speed: float, looping: bool) -> None:
        """Take over how clips are played."""
        self._values["speed"], self._values["looping"] = speed, looping

    def splitter(self, name: str) -> list[int]:
        """Pane sizes in pixels; empty if unknown."""
        sizes = self._values.get("splitters")
        stored = sizes.get(name) if isinstance(sizes, dict) else None
        if isinstance(stored, list) and all(isinstance(n, int) and n >= 0 for n in stored):
            return stored
        return []

    def set_layout(self, rectangle: QRect, maximised: bool, splitters: dict[str, list[int]]) -> None:
        """Take over where everything is now."""
        self._values["rectangle"] = [rectangle.x(), rectangle.y(), rectangle.width(), rectangle.height()]
        self._values["maximised"] = maximised
        self._values["splitters"] = splitters

    def save(self) -> bool:
        """Write; False where the folder cannot be written (the window goes on without)."""
        if self.file is None:
            return False
        try:
            write_json(self.file, self._values)
        except OSError:
            return False
        return True


def window_state_file() -> Path:
    """Where the state is kept."""
    return paths.settings() / "window.json"


def clamp(wanted: QRect | None, screens: Sequence[QRect]) -> QRect:
    """`wanted` moved and shrunk onto the screen it overlaps most; centred on the first one if on none.

    screens: their available areas in pixels, at least one.
    """
    best = screens[0]
    if wanted is not None:
        best = max(screens, key=lambda screen: _area(screen & wanted))
    width, height = (wanted.width(), wanted.height()) if wanted else FIRST_SIZE
    size = QRect(0, 0, min(width, best.width()), min(height, best.height()))
    if wanted is None or _area(best & wanted) == 0:
        size.moveCenter(best.center())
        return size
    left = min(max(wanted.left(), best.left()), best.right() - size.width() + 1)
    top = min(max(wanted.top(), best.top()), best.bottom() - size.height() + 1)
    size.moveTo(left, top)
    return size


def _area(rectangle: QRect) -> int:
    return max(0, rectangle.width()) * max(0, rectangle.height())
