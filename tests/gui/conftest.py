"""The window in tests: offscreen, a home of its own, a scripted engine; leaks and Qt warnings fail."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core import paths
from gui.app import build
from gui.engine_process import EngineProcess
from gui.jobs import Jobs
from gui.main_window import MainWindow

FAKE = Path(__file__).with_name("fake_engine.py")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Any Qt warning fails a test of the window, but what the offscreen platform says of itself."""
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))


@pytest.fixture(autouse=True)
def no_leaks(qapp: QApplication) -> Iterator[None]:
    """A test leaves no thread, child process or top-level widget behind (a replaced engine is no more)."""
    threads, widgets = set(threading.enumerate()), set(QApplication.topLevelWidgets())
    children = psutil.Process().children(recursive=True)
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    # The next test finds the application as Qt makes it, whatever theme this one chose.
    qapp.setStyleSheet("")
    qapp.setPalette(QPalette())
    left = psutil.Process().children(recursive=True)
    assert len(left) <= len(children), f"processes left behind: {left}"
    assert not (more := set(threading.enumerate()) - threads), f"threads left behind: {more}"
    shown = {w for w in set(QApplication.topLevelWidgets()) - widgets if w.isVisible()}
    assert not shown, f"windows left behind: {shown}"


@pytest.fixture
def fake_command(tmp_path: Path) -> Callable[[str], list[str]]:
    """The command line of a scripted engine: see fake_engine.py for what it can do wrong."""
    return lambda behaviour: [sys.executable, str(FAKE), behaviour, str(tmp_path / "starts")]


@pytest.fixture
def make_jobs(qtbot: QtBot, fake_command: Callable[[str], list[str]]) -> Iterator[Callable[..., Jobs]]:
    """Jobs on a scripted engine, without a window."""
    made: list[Jobs] = []

    def make(behaviour: str = "good", **options: float) -> Jobs:
        engine = EngineProcess(lambda: fake_command(behaviour), **options)
        jobs = Jobs(engine)
        engine.setParent(jobs)
        made.append(jobs)
        return jobs

    yield make
    for jobs in made:
        with qtbot.waitSignal(jobs.engine.closed, timeout=5000):
            jobs.engine.close()
        jobs.deleteLater()


@pytest.fixture(autouse=True)
def no_corrections() -> None:
    """Words typed in one test are not those of the same clip in another."""
    shutil.rmtree(paths.settings() / "corrections", ignore_errors=True)


@pytest.fixture
def open_window(
    qtbot: QtBot,
    qapp: QApplication,
    monkeypatch: pytest.MonkeyPatch,
    fake_command: Callable[[str], list[str]],
) -> Iterator[Callable[..., MainWindow]]:
    """The window as `consonance app` builds it, on a scripted engine; closed again after the test."""
    opened: list[MainWindow] = []

    def open_it(
        behaviour: str = "good", size: tuple[int, int] = (1280, 800), silence_s: float = 30
    ) -> MainWindow:
        monkeypatch.setattr("core.workers.command", lambda *arguments: fake_command(behaviour))
        window = build(qapp, size, silence_s=silence_s)
        opened.append(window)
        with qtbot.waitSignal(window.painted, timeout=5000):
            window.show()
        window.complete()
        return window

    yield open_it
    for window in opened:
        close(qtbot, window)


def close(qtbot: QtBot, window: MainWindow) -> None:
    """Close a window, unless it has closed itself, and let it end what it started."""
    if window.isVisible():
        with qtbot.waitSignal(window.finished, timeout=8000):
            window.close()
    window.deleteLater()
