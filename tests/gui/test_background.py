"""Work off the GUI thread: its results come back, unless nobody is there to take them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from gui.background import Background


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[Background]:
    made = Background()
    yield made
    with qtbot.waitSignal(made.closed):
        made.close()


def test_every_value_comes_back_in_order(qtbot: QtBot, background: Background) -> None:
    heard: list[int] = []
    background.run(iter([1, 2, 3]), heard.append)
    qtbot.waitUntil(lambda: heard == [1, 2, 3])


def test_a_result_for_a_widget_that_is_gone_is_dropped(qtbot: QtBot, background: Background) -> None:
    heard: list[int] = []
    label = QLabel()
    background.run(iter(["late"]), label.setText)
    delete(label)
    background.run(iter([1]), heard.append)
    qtbot.waitUntil(lambda: heard == [1])
