"""A window in a process of its own that starts a run; to be killed. Arguments: run folder, data, settings."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

import core.workers
from core.training.settings import load
from gui.app import build
from gui.new_run import NewRun


def main() -> None:
    folder, data, settings = map(Path, sys.argv[1:4])
    real, fake = core.workers.command, Path(__file__).with_name("fake_engine.py")
    core.workers.command = lambda *words: (
        [sys.executable, str(fake), "good"] if words[0] == "engine" else real(*words)
    )
    application = QApplication(sys.argv[:1])
    window = build(application, (1280, 800), remember=False)
    window.painted.connect(window.complete)
    window.show()
    window.show_page(2)
    window.training.start(NewRun(load(settings), data, folder.name, folder.parent, (1111,)))
    application.exec()


if __name__ == "__main__":
    main()
