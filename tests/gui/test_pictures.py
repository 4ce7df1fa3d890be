"""Pictures of the window, and figures about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from gui import measure
from gui.main_window import MainWindow
from gui.measure import GapBench, Gaps
from gui.pictures import Photographer

OpenWindow = Callable[..., MainWindow]


def test_a_clip_that_cannot_be_read_is_drawn_too_and_told_in_the_exit_code(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    window, said = open_window(), []
    Photographer(window, tmp_path / "out", said.append)
    with qtbot.waitSignal(window.finished):
        window.open_paths([tmp_path / "bad.mp4"])
    assert window.exit_code == 1
    assert [line.split("/")[-1] for line in said] == [
        "consonance-review-light.png",
        "consonance-review-dark.png",
    ]
    assert not QImage(str(tmp_path / "out" / "consonance-review-dark.png")).isNull()


def test_an_engine_that_is_not_ready_is_said_with_its_remedy(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    window, said = open_window("unready"), []
    Photographer(window, tmp_path, said.append)
    with qtbot.waitSignal(window.finished):
        window.open_sample()
    assert "Run consonance assets fetch." in said[0]
    assert window.exit_code == 1


def test_a_stalled_loop_shows_as_a_gap(qtbot: QtBot) -> None:
    gaps = Gaps()
    gaps.start()
    QTimer.singleShot(20, lambda: _busy(0.08))
    qtbot.wait(150)
    assert gaps.stop()["max"] >= 75


def test_the_bench_prints_idle_and_busy_gaps(
    qtbot: QtBot, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONSONANCE_BENCH_CLIP", str(tmp_path / "clip.mp4"))
    monkeypatch.setattr(measure, "IDLE_MS", 50)
    window, said = open_window(), []
    GapBench(window, said.append)
    with qtbot.waitSignal(window.finished):
        window.open_sample()
    figures = json.loads(said[0])
    assert set(figures["idle_ms"]) == {"count", "p50", "p99", "max"}


def _busy(seconds: float) -> None:
    until = measure.time.perf_counter() + seconds
    while measure.time.perf_counter() < until:
        pass
