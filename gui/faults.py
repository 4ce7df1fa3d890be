"""Faults of the program itself: told in the banner with what a report needs; the window goes on."""

from __future__ import annotations

import platform
import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import qVersion

from gui import notices

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def install(window: MainWindow) -> None:
    """From now on an exception that nobody caught is told in `window` (and on stderr, as ever)."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        window.banner.tell(notices.our_fault(error, report(error)))

    sys.excepthook = tell


def report(error: BaseException) -> str:
    """Versions and traceback: what somebody who is to mend it asks for first."""
    versions = f"Consonance {_version()}, Python {platform.python_version()}, Qt {qVersion()}"
    return f"{versions}, {platform.platform()}\n\n" + "".join(traceback.format_exception(error))


def _version() -> str:
    try:
        return version("consonance-msa")
    except PackageNotFoundError:
        return "(not installed)"
