"""Where runs lie that are not in the folder of runs: started on the command line, or opened by hand.

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
    if path.is_relative_to(paths.runs().absolute()) or path in known():
        return
    with contextlib.suppress(OSError):
        paths.settings().mkdir(parents=True, exist_ok=True)
        with (paths.settings() / FILE).open("a", encoding="utf-8") as file:
            file.write(f"{path}\n")


def known() -> list[Path]:
    """Folders of runs elsewhere, the latest last."""
    try:
        lines = (paths.settings() / FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [Path(line) for line in dict.fromkeys(lines[-MOST:]) if line]
