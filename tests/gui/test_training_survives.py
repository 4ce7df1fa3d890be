"""A run outlives the window that started it, is found again and stopped: real processes, real training."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from core import paths
from core.training.run_state import RunState, read_state
from core.training.runs import open_run
from core.workers import training
from gui.main_window import MainWindow

from ..small_training import small_data, small_settings

CHILD = Path(__file__).with_name("window_child.py")
ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 120


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings and runs of this test alone; whatever still trains there at its end is ended."""
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for state in paths.runs().glob("*/state.json"):
        training.stop(state.parent, grace=0.0)


def wait_for(folder: Path, wanted: Callable[[RunState], bool]) -> RunState:
    """The state of a run once it is as wanted."""
    end = time.monotonic() + PATIENCE_S
    while not wanted(state := read_state(folder)):
        assert time.monotonic() < end, (state, (folder / "stderr.log").read_text())
        assert state.state != "failed", state.error
        time.sleep(0.05)
    return state


def killed_window(folder: Path, data: Path, settings: Path) -> psutil.Process:
    """Start a run from a window, kill the window; the run's process."""
    window = subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), str(data), str(settings)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + PATIENCE_S
    while not (folder / "state.json").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    pid = wait_for(folder, lambda state: state.pid not in (0, window.pid) and state.epoch >= 2).pid
    window.kill()
    window.wait()
    return psutil.Process(pid)


def test_a_run_outlives_a_killed_window_and_is_found_followed_and_stopped_by_the_next(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    folder, data = paths.runs() / "long", small_data(tmp_path)
    small_settings(tmp_path)
    process = killed_window(folder, data, tmp_path / "small.toml")
    epoch = read_state(folder).epoch
    assert process.is_running()
    wait_for(folder, lambda state: state.epoch > epoch)  # it goes on without a window

    window = open_window()
    page = window.training.page
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.run is not None and page.run.state == "running", timeout=PATIENCE_S * 1000)
    qtbot.waitUntil(lambda: str(folder) in page.curves, timeout=PATIENCE_S * 1000)

    window.actions_by_id.refresh()
    window.actions_by_id.of["stop-run"].trigger()
    qtbot.waitUntil(lambda: (folder / "stop").exists(), timeout=1000)
    qtbot.waitUntil(lambda: page.run.state == "stopped", timeout=PATIENCE_S * 1000)
    psutil.wait_procs([process], timeout=20)
    assert not process.is_running()

    events, _ = open_run(folder).events()
    epochs = [event["epoch"] for event in events if event["kind"] == "epoch"]
    assert epochs == list(range(1, len(epochs) + 1))
    qtbot.waitUntil(
        lambda: page.panel.plots.cards[1].plot.points("valid.mae").smooth_x[-1] == epochs[-1],
        timeout=PATIENCE_S * 1000,
    )
    assert (folder / "checkpoints" / "best" / "model.json").is_file()
