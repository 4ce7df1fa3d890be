"""The window and the real engine together, on the sample clip with the small speech model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.types import HEADS
from gui import preferences
from gui.app import build
from gui.clip_list import ClipState
from gui.engine_process import EngineState
from gui.main_window import MainWindow
from gui.preferences import Preferences

SLOW_MS = 60_000


@pytest.fixture(scope="module")
def window(
    qapp: QApplication, assets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    """One window for all, with the sample clip opened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSONANCE_HOME", str(tmp_path_factory.mktemp("home")))
        preferences.save(Preferences(speech_model="tiny.en"))
        made = build(qapp, (1280, 800))
        made.show()
        made.complete()
        made.open_sample()
        while not made.engine.process_id:
            qapp.processEvents()
        yield made
        closed: list[bool] = []
        made.finished.connect(lambda: closed.append(True))
        made.close()
        while not closed:
            qapp.processEvents()
        made.deleteLater()


def wait_until_done(qtbot: QtBot, window: MainWindow) -> dict:
    clip = window.review.session.current
    qtbot.waitUntil(lambda: clip.state is ClipState.DONE, timeout=SLOW_MS)
    return window.review.session.answer(clip).analysis


def test_the_sample_is_analysed_and_drawn(qtbot: QtBot, window: MainWindow) -> None:
    analysis = wait_until_done(qtbot, window)
    assert set(analysis["estimates"]) == set(HEADS)
    assert all(analysis["estimates"][head] is not None for head in HEADS)
    assert "wonderful" in analysis["transcript"]["text"].lower()
    assert analysis["covariance"] is not None
    assert window.review.player.ready
    assert window.banner.text == ""


def test_a_typed_transcript_changes_the_text_estimate_without_recognising(
    qtbot: QtBot, window: MainWindow
) -> None:
    before = wait_until_done(qtbot, window)
    window.review.transcript.corrected.emit("this is terrible and I hate every minute of it")
    after = wait_until_done(qtbot, window)
    assert after["transcript"]["text"].startswith("this is terrible")
    assert after["estimates"]["text"]["value"] < before["estimates"]["text"]["value"]
    assert after["estimates"]["audio"] == before["estimates"]["audio"]
    window.actions_by_id.of["undo"].trigger()
    again = wait_until_done(qtbot, window)
    assert again["estimates"] == before["estimates"]


def test_a_killed_engine_is_told_restarted_and_answers_again(qtbot: QtBot, window: MainWindow) -> None:
    wait_until_done(qtbot, window)
    psutil.Process(window.engine.process_id).kill()
    qtbot.waitUntil(lambda: "was killed or crashed" in window.banner.text)
    qtbot.waitUntil(lambda: window.engine.state is EngineState.READY, timeout=SLOW_MS)
    window.review.session.analyse_again()
    assert wait_until_done(qtbot, window)["estimates"]["multimodal"] is not None
