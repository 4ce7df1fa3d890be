"""Where runs lie, in whichever folder: started here or on the command line, or opened by hand.

One path a line, appended; a folder that holds no run any more is passed over by whoever reads.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from core import paths

FILE = "known-runs.txt"
MOST = 2000
"""Lines read, the latest ones."""


def remember(folder: Path) -> None:
    """Let the Training page find this run. Where that cannot be written, it is found when opened by hand."""
    path = folder.absolute()
    if path in known():  # also one in the usual place: the folder of runs may be another tomorrow
        return
    with contextlib.suppress(OSError):
        paths.settings().mkdir(parents=True, exist_ok=True)
        with (paths.settings() / FILE).open("a", encoding="utf-8") as file:
            file.write(f"{path}\n")


def known() -> list[Path]:
    """Folders of runs, the latest last."""
    try:
        lines = (paths.settings() / FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [Path(line) for line in dict.fromkeys(lines[-MOST:]) if line]
