"""Estimates and covariance say in words what they draw, missing things included."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont
from pytestqt.qtbot import QtBot

from core.types import HEADS
from gui.theme import DARK, HEAD_MARKERS, LIGHT, palette
from gui.widgets import example
from gui.widgets.covariance_view import CovarianceView, meaning, seriate, summary
from gui.widgets.heat_map import coloured
from gui.widgets.ink import contrast, diverging, ink
from gui.widgets.markers import HEAD_DASHES
from gui.widgets.sentiment_plot import SentimentPlot, signed


@pytest.fixture
def plot(qtbot: QtBot) -> SentimentPlot:
    view = SentimentPlot()
    qtbot.addWidget(view)
    view.set_estimates(example.ESTIMATES, example.SCALE, example.MISSING)
    return view


@pytest.fixture
def view(qtbot: QtBot) -> CovarianceView:
    made = CovarianceView()
    qtbot.addWidget(made)
    made.resize(900, 400)
    return made


def test_every_row_has_its_value_or_its_reason(plot: SentimentPlot) -> None:
    assert plot.value_text("multimodal") == "+1.2  [0.4, 2.0]"
    assert plot.value_text("audio") == "\N{MINUS SIGN}0.3"
    assert plot.value_text("visual") == "no face"
    assert "visual: no face" in plot.accessibleDescription()
    plot.set_estimates(None, (-1, 1), [])
    assert "No estimate" in plot.accessibleDescription()


def test_a_value_beyond_the_scale_is_drawn_at_its_end(plot: SentimentPlot) -> None:
    plot.set_estimates({"text": {"value": 9.0, "low": -9.0, "high": 12.0}}, (-3, 3), [])
    plot.resize(600, 200)
    area = plot._plot_area()
    assert plot._x(area, 9.0) == pytest.approx(area.right())
    plot.grab()


def test_nothing_is_clipped_at_twice_the_font(plot: SentimentPlot) -> None:
    small = plot.minimumSizeHint()
    font = QFont(plot.font())
    font.setPointSizeF(font.pointSizeF() * 2)
    plot.setFont(font)
    large = plot.minimumSizeHint()
    assert large.width() > 1.6 * small.width()
    assert large.height() > 1.6 * small.height()
    plot.resize(large)
    area = plot._plot_area()
    assert area.width() > 80
    assert area.height() > 4 * plot._em()


def test_numbers_have_a_sign_except_zero() -> None:
    assert [signed(v) for v in (1.25, -0.04, 0.04, -2.0)] == ["+1.2", "0.0", "0.0", "\N{MINUS SIGN}2.0"]


@pytest.mark.parametrize("dark", [False, True])
def test_held_back_text_still_reads(plot: SentimentPlot, dark: bool) -> None:
    plot.setPalette(palette(DARK if dark else LIGHT))
    colours = ink(plot)
    assert contrast(colours.muted, colours.base) >= 4.5
    assert contrast(colours.text, colours.base) >= 7


def test_every_head_has_a_second_cue_of_its_own() -> None:
    for one, other in combinations(HEADS, 2):
        assert HEAD_MARKERS[one] != HEAD_MARKERS[other]
        assert HEAD_DASHES[one] != HEAD_DASHES[other]


@pytest.mark.parametrize("dark", [False, True])
def test_the_diverging_map_is_neutral_at_zero_and_strong_at_the_ends(dark: bool) -> None:
    table = diverging(dark, 257).astype(int)
    assert np.ptp(table[128]) <= 2
    assert np.ptp(table[0]) > 100
    assert np.ptp(table[-1]) > 100


def test_seriation_puts_groups_together() -> None:
    group = np.random.default_rng(2).permutation(np.repeat(np.arange(4), 8))
    matrix = np.where(group[:, None] == group[None, :], 0.7, 0.0) + 0.3 * np.eye(32)
    matrix += 0.02 * np.cov(np.random.default_rng(1).normal(size=(32, 400)))
    order = seriate(matrix)
    assert sorted(order) == list(range(32))
    assert np.count_nonzero(np.diff(group[order])) == 3


def test_what_is_not_finite_keeps_its_order_and_is_blank() -> None:
    matrix = np.full((4, 4), np.nan)
    assert seriate(matrix).tolist() == [0, 1, 2, 3]
    assert coloured(matrix, 1.0, False).pixelColor(1, 1).alpha() == 0


def test_pointing_reads_the_same_pair_in_all_maps(qtbot: QtBot, view: CovarianceView) -> None:
    covariance = example.covariance()
    view.set_alignment(example.alignment(), covariance)
    view.show()
    view.maps[0].hovered.emit(2, 5)
    i, j = view._order[2], view._order[5]
    text = view._reading.text().replace("\N{MINUS SIGN}", "-")
    assert f"Dimensions {i + 1} and {j + 1}" in text
    assert f"audio {covariance['audio'][i][j]:+.2f}" in text
    assert f"visual {covariance['visual'][i][j]:+.2f}" in text
    qtbot.keyClick(view.maps[1], Qt.Key.Key_Right)
    assert f"Dimensions {i + 1} and {view._order[6] + 1}" in view._reading.text()


def test_a_point_beside_the_matrix_is_no_cell(view: CovarianceView) -> None:
    view.set_alignment(example.alignment(), example.covariance())
    heat_map = view.maps[0]
    area = heat_map.area()
    assert heat_map.cell_at(QPointF(area.left() - 2, area.top() + 5)) is None
    assert heat_map.cell_at(area.bottomRight() - QPointF(1, 1)) == (31, 31)


def test_large_matrices_are_painted_from_one_image(view: CovarianceView) -> None:
    view.set_alignment(example.alignment(), example.covariance(256))
    view.grab()
    first = view.maps[0]._image
    view.maps[0].hovered.emit(3, 3)
    view.grab()
    assert view.maps[0]._image is first


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "percentile 31 of 214"),
        ({"percentile": None, "reference": {"name": "starter", "count": 12}}, "30 are needed"),
        ({"percentile": None, "reference": {}, "shuffled": None}, "no reference recordings"),
    ],
)
def test_the_distance_comes_with_its_place_or_why_it_has_none(change: dict[str, Any], words: str) -> None:
    assert words in summary({**example.alignment(), **change})
    assert meaning({**example.alignment(), **change})


def test_without_an_alignment_the_reason_is_shown(qtbot: QtBot, view: CovarianceView) -> None:
    view.show()
    view.set_alignment(None, None, "fewer than 8 windows with voice and face")
    assert view._message.text() == "fewer than 8 windows with voice and face"
    assert view._message.isVisible()
    view.set_alignment({"distance": 0.1, "percentile": None, "windows": 9, "meaning": "Little."}, None, "")
    assert view._meaning.text() == "Little."
    assert not view.maps[0].isVisible()


def test_colours_of_the_map_follow_the_theme(view: CovarianceView) -> None:
    view.set_alignment(example.alignment(), {"audio": [[1, 0], [0, 1]], "visual": [[1, 0], [0, 1]]})

    def zero() -> QColor:
        area = view.maps[0].area()
        shot = view.maps[0].grab().toImage()
        return shot.pixelColor(int(area.left() + area.width() * 0.75), int(area.top() + area.height() * 0.25))

    view.setPalette(palette(DARK))
    dark = zero().lightness()
    view.setPalette(palette(LIGHT))
    assert dark < 80 < 200 < zero().lightness()
