"""New runs from the Training page: the dialog, a duplicate, what waits in the queue."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from core import paths
from core.workers import run_queue
from gui.main_window import TRAINING, MainWindow
from gui.new_run import NewRun
from gui.training_dialog import NewRunDialog

from ..run_folders import write_run
from ..small_training import small_settings

OpenWindow = Callable[..., MainWindow]
WAIT_MS = 20_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and runs of this test alone."""
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / "home"))


def dialog_of(qtbot: QtBot, window: MainWindow) -> NewRunDialog:
    qtbot.waitUntil(lambda: window.findChild(NewRunDialog) is not None, timeout=WAIT_MS)
    return window.findChild(NewRunDialog)


def test_a_key_asks_for_a_new_run(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window()
    qtbot.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    dialog = dialog_of(qtbot, window)
    assert dialog.isVisible()
    dialog.reject()


def test_a_duplicate_begins_with_the_settings_of_its_run(qtbot: QtBot, open_window: OpenWindow) -> None:
    write_run(paths.runs() / "one", overrides=("alignment.weight=0.4",))
    window = open_window()
    window.show_page(TRAINING)
    qtbot.waitUntil(lambda: window.training.run is not None, timeout=WAIT_MS)
    window.actions_by_id.refresh()
    window.actions_by_id.of["duplicate-run"].trigger()
    dialog = dialog_of(qtbot, window)
    qtbot.waitUntil(lambda: dialog.form.result is not None, timeout=WAIT_MS)
    assert dialog.form.result.alignment.weight == 0.4
    assert dialog.form.result.training.epochs == 20
    dialog.reject()


def test_a_run_of_unreadable_settings_cannot_be_duplicated_and_says_so(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    folder = write_run(paths.runs() / "one")
    (folder / "settings.toml").write_text("[training]\nepoch = 3\n")
    window = open_window()
    window.show_page(TRAINING)
    qtbot.waitUntil(lambda: window.training.run is not None, timeout=WAIT_MS)
    window.training.duplicate()
    qtbot.waitUntil(lambda: "did you mean training.epochs" in window.banner.text, timeout=WAIT_MS)


def test_a_run_that_could_not_start_says_why_and_can_be_taken_off(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    queue = paths.runs() / run_queue.QUEUE
    queue.mkdir(parents=True)
    told = {"v": 1, "folder": str(paths.runs() / "late"), "settings": "", "data": "/data/x", "why": "no room"}
    (queue / "1.json").write_text(json.dumps(told))
    window = open_window()
    window.show_page(TRAINING)
    qtbot.waitUntil(lambda: window.training.run is not None, timeout=WAIT_MS)
    assert window.training.run.state_words == "failed · no room"
    window.training.ask_discard()
    qtbot.waitUntil(lambda: window.training.page.runs.rowCount() == 0, timeout=WAIT_MS)
    assert list(queue.glob("*.json")) == []


def test_what_cannot_be_started_is_told_in_the_banner(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    folder = write_run(paths.runs() / "one")
    window = open_window()
    wanted = NewRun(small_settings(tmp_path), tmp_path / "data.pkl", "one", folder.parent, (1,))
    window.training.start(wanted)
    qtbot.waitUntil(lambda: "holds a run already" in window.banner.text, timeout=WAIT_MS)


def test_a_run_is_proposed_for_the_folder_that_the_page_lists(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    window = open_window()
    window.use_preferences(window.preferences.changed(runs_folder=str(tmp_path / "mine")))
    window.training.new_run()
    dialog = dialog_of(qtbot, window)
    assert dialog.choices.folder == tmp_path / "mine"
    dialog.reject()
