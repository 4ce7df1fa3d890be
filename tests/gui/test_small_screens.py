"""A small screen, or type twice as large: everything can still be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow

OpenWindow = Callable[..., MainWindow]


@pytest.fixture
def large_type(qapp: QApplication) -> Iterator[None]:
    before = qapp.font()
    font = qapp.font()
    font.setPointSizeF(2 * font.pointSizeF())
    qapp.setFont(font)
    yield
    qapp.setFont(before)


def test_the_window_fits_a_screen_of_1024_by_700(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window()
    qtbot.waitUntil(lambda: window.review.full)
    least = window.minimumSizeHint()
    assert (least.width() <= 1024, least.height() <= 700) == (True, True), least


@pytest.mark.usefixtures("large_type")
def test_with_type_twice_as_large_the_window_fits_and_its_pages_scroll(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    window = open_window()
    qtbot.waitUntil(lambda: window.review.full)
    least = window.minimumSizeHint()
    assert (least.width() <= 1280, least.height() <= 720) == (True, True), least
    window.resize(1280, 720)
    area = window.pages.currentWidget()
    assert isinstance(area, QScrollArea)
    bar = area.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    window.review.covariance.setFocus()
    area.ensureWidgetVisible(window.review.covariance)
    assert window.review.covariance.width() >= window.review.covariance.minimumSizeHint().width()
