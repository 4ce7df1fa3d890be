"""The list of clips beside the video: the filter keeps the place and lets one out again; names and values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.clip_list import Clip, ClipModel
from gui.clip_panel import ClipPanel, shortened
from gui.widgets.sentiment_plot import signed


@pytest.fixture
def panel(qtbot: QtBot) -> ClipPanel:
    """Three clips, the last one shown, the focus in the filter."""
    model = ClipModel()
    model.add([Clip(Path(name)) for name in ("anna 1.mp4", "anna 2.mp4", "ben.mp4")])
    made = ClipPanel(model)
    qtbot.addWidget(made)
    made.select(model.at(2))
    made.show()
    qtbot.waitActive(made)
    made.focus_filter()
    return made


def current(panel: ClipPanel) -> str | None:
    return panel.view.currentIndex().data()


def test_a_filter_that_hides_the_clip_shown_gives_it_back(qtbot: QtBot, panel: ClipPanel) -> None:
    chosen: list[Clip] = []
    panel.chosen.connect(chosen.append)
    qtbot.keyClicks(panel._filter, "anna")
    assert current(panel) is None
    for _ in "anna":
        qtbot.keyClick(panel._filter, Qt.Key.Key_Backspace)
    assert current(panel) == "ben.mp4"
    assert {clip.path.name for clip in chosen} <= {"ben.mp4"}


def test_return_in_the_filter_goes_to_the_first_hit(qtbot: QtBot, panel: ClipPanel) -> None:
    qtbot.keyClicks(panel._filter, "anna 2")
    with qtbot.waitSignal(panel.chosen) as chosen:
        qtbot.keyClick(panel._filter, Qt.Key.Key_Return)
    assert chosen.args[0].path.name == current(panel) == "anna 2.mp4"
    assert panel.view.hasFocus()


def test_return_without_a_hit_stays_in_the_filter(qtbot: QtBot, panel: ClipPanel) -> None:
    qtbot.keyClicks(panel._filter, "nobody")
    qtbot.keyClick(panel._filter, Qt.Key.Key_Return)
    assert panel._filter.hasFocus()


def test_escape_clears_the_filter_and_goes_back_to_the_list(qtbot: QtBot, panel: ClipPanel) -> None:
    qtbot.keyClicks(panel._filter, "anna")
    qtbot.keyClick(panel._filter, Qt.Key.Key_Escape)
    assert (panel._filter.text(), current(panel)) == ("", "ben.mp4")
    assert panel.view.hasFocus()


def test_the_next_clip_after_one_that_the_filter_hides_is_the_first_hit(
    qtbot: QtBot, panel: ClipPanel
) -> None:
    qtbot.keyClicks(panel._filter, "anna")
    panel.go(1)
    assert current(panel) == "anna 1.mp4"


def test_a_long_name_keeps_its_start_its_number_and_its_ending() -> None:
    name = "interview_with_the_mayor_of_springfield_0412.mp4"
    assert shortened(name, 24, len) == "interview_with…_0412.mp4"
    assert shortened(name, 12, len) == "inter…12.mp4"
    assert shortened(name, 60, len) == name


@given(st.text("abcé0", min_size=1, max_size=40), st.sampled_from([".mp4", ".jpeg", ""]), st.integers(9, 50))
def test_a_shortened_name_fits_and_keeps_its_ending(stem: str, ending: str, room: int) -> None:
    short = shortened(stem + ending, room, len)
    assert len(short) <= room
    assert short.endswith(ending)
    assert short[:3] == (stem + ending)[:3]


def test_zero_has_no_sign() -> None:
    assert [signed(value) for value in (0.04, -0.04, 0.05001, -0.3, 0.0)] == [
        "0.0",
        "0.0",
        "+0.1",
        "\N{MINUS SIGN}0.3",
        "0.0",
    ]
