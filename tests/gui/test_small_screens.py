"""A small screen, or type twice as large: everything can still be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyqtgraph as pg
import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QToolButton
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow
from gui.widgets import example

OpenWindow = Callable[..., MainWindow]
MATRICES = example.covariance()


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


@pytest.mark.usefixtures("large_type")
def test_with_type_twice_as_large_no_words_of_the_rail_are_left_out(open_window: OpenWindow) -> None:
    window = open_window()
    for button in window.rail.findChildren(QToolButton):
        words = button.fontMetrics().horizontalAdvance(button.text())
        assert button.width() >= words, button.text()


@pytest.mark.usefixtures("large_type")
def test_with_type_twice_as_large_the_curves_have_room_for_three_ticks(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    window = open_window(size=(1280, 720))
    window.open_sample()
    qtbot.waitUntil(lambda: window.review.full and window.review.session.settled())
    curves = window.review.timeline.findChild(pg.GraphicsLayoutWidget).getItem(2, 0).getViewBox()
    line = QFontMetricsF(window.font()).height()
    qtbot.waitUntil(lambda: curves.height() >= 3 * line)


@pytest.mark.usefixtures("large_type")
def test_with_type_twice_as_large_the_page_scrolls_down_to_the_last_words_on_voice_and_face(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    window = open_window()
    view = window.review.covariance
    view.set_alignment({**example.alignment(), "meaning": "This is said at some length. " * 14}, MATRICES)
    window.show_page(0)
    area = window.pages.currentWidget()
    assert isinstance(area, QScrollArea)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    qtbot.waitUntil(lambda: all(whole(label) for label in view.findChildren(QLabel) if label.isVisible()))


def whole(label: QLabel) -> bool:
    return label.height() >= label.heightForWidth(label.width())
