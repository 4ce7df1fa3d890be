"""A run's model answers in Review and Live: one click where that makes sense, else the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from core import paths
from core.model.chosen import dropped
from gui import preferences
from gui.engine_process import EngineState
from gui.main_window import MainWindow

from ..run_folders import write_model, write_run

OpenWindow = Callable[..., MainWindow]
WAIT_MS = 20_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and runs of this test alone."""
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / "home"))


def show(qtbot: QtBot, window: MainWindow) -> None:
    """The Training page, once it knows whether the model of its only run can be used."""
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.training.page.usable is not None, timeout=WAIT_MS)
    window.actions_by_id.refresh()


def enabled(window: MainWindow) -> set[str]:
    window.actions_by_id.refresh()
    names = ("use-run", "use-run-without", "use-starter")
    return {name for name in names if window.actions_by_id.of[name].isEnabled()}


def test_one_click_puts_a_model_of_own_features_to_use_and_another_goes_back(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    folder = write_model(write_run(paths.runs() / "one"))
    window = open_window()
    window.jobs.restart()
    show(qtbot, window)
    assert enabled(window) == {"use-run"}
    qtbot.waitUntil(lambda: window.engine.state is EngineState.READY, timeout=WAIT_MS)
    first = window.engine.process_id
    qtbot.mouseClick(window.training.page.panel.buttons["use-run"], Qt.MouseButton.LeftButton)
    assert window.preferences.model_folder == str(folder)
    assert "answers in Review and Live" in window.training.page.panel.use_words.text()
    assert enabled(window) == {"use-starter"}
    qtbot.waitUntil(lambda: window.engine.process_id not in (0, first), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: preferences.load().model_folder == str(folder), timeout=WAIT_MS)
    window.actions_by_id.of["use-starter"].trigger()
    assert window.preferences.model_folder == "starter"
    assert enabled(window) == {"use-run"}


def test_without_a_finished_model_the_reason_is_told(qtbot: QtBot, open_window: OpenWindow) -> None:
    write_run(paths.runs() / "one", "stopped")
    window = open_window()
    show(qtbot, window)
    assert enabled(window) == set()
    panel = window.training.page.panel
    assert panel.use_words.text() == "This run has no finished model."
    assert panel.buttons["use-run"].toolTip() == "This run has no finished model."


def test_foreign_modalities_are_dropped_only_when_somebody_says_so(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    folder = write_model(write_run(paths.runs() / "one"), foreign=("audio", "visual"))
    window = open_window()
    show(qtbot, window)
    assert enabled(window) == {"use-run-without"}
    assert "features that came with its data" in window.training.page.panel.use_words.text()
    window.actions_by_id.of["use-run-without"].trigger()
    box = window.findChild(QMessageBox)
    assert dropped(folder) == ()
    next(button for button in box.findChildren(QPushButton) if button.text() == "Use without").click()
    qtbot.waitUntil(lambda: window.preferences.model_folder == str(folder), timeout=WAIT_MS)
    assert dropped(folder) == ("audio", "visual")


def test_a_model_of_foreign_features_alone_cannot_be_used(qtbot: QtBot, open_window: OpenWindow) -> None:
    write_model(write_run(paths.runs() / "one"), foreign=("text", "audio", "visual"))
    window = open_window()
    show(qtbot, window)
    assert enabled(window) == set()


def test_what_the_model_in_use_was_trained_on_is_told(qtbot: QtBot, open_window: OpenWindow) -> None:
    folder = write_model(write_run(paths.runs() / "one"))
    preferences.save(preferences.Preferences(model_folder=str(folder)))
    window = open_window()
    window.strip.model_asked.emit()
    qtbot.waitUntil(lambda: "Trained on mosi.pkl: " in window.banner.text)
    assert "Scale -3 to 3" in window.banner.text


def test_a_model_that_is_gone_is_told(qtbot: QtBot, open_window: OpenWindow, tmp_path: Path) -> None:
    preferences.save(preferences.Preferences(model_folder=str(tmp_path / "gone")))
    window = open_window()
    window.actions_by_id.of["show-model"].trigger()
    qtbot.waitUntil(lambda: "cannot be read" in window.banner.text)
