"""The timeline draws gaps as gaps, says where the mouse points, and follows theme and play head."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.types import HEADS
from gui.theme import DARK, HEAD_COLOURS, LIGHT, palette
from gui.widgets import example
from gui.widgets.timeline import Timeline
from gui.widgets.timeline_items import ELLIPSIS, alone, clock_text, lay_words


@pytest.fixture
def timeline(qtbot: QtBot) -> Iterator[Timeline]:
    view = Timeline()
    qtbot.addWidget(view)
    view.resize(800, 360)
    view.set_duration(12.0)
    with qtbot.waitExposed(view):
        view.show()
    # Mouse events need the scene laid out once.
    view.grab()
    yield view
    view.close()


def at_seconds(view: Timeline, seconds: float) -> QPoint:
    """Where in the plots' widget a time lies, in the middle of the curves."""
    box = view._plots[2].getViewBox()
    scene = box.mapViewToScene(QPointF(seconds, 0.5))
    return view._view.mapFromScene(scene)


def count_of(image: QImage, name: str) -> int:
    """Pixels of very nearly this colour."""
    colour = QColor(name)
    rows = np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint8)
    pixels = rows.reshape(-1, 4)[:, :3].astype(int)
    wanted = np.array([colour.blue(), colour.green(), colour.red()])
    return int((np.abs(pixels - wanted).max(1) < 12).sum())


def test_gaps_stay_empty_and_lone_points_are_seen(timeline: Timeline) -> None:
    values = [None] * 24
    values[12] = 1.0
    made = {"time": (np.arange(24) / 2).tolist(), **dict.fromkeys(HEADS, [None] * 24), "audio": values}
    empty = timeline.grab().toImage()
    timeline.set_curve(made, (-3, 3))
    shown = timeline.grab().toImage()
    more = count_of(shown, HEAD_COLOURS["audio"]) - count_of(empty, HEAD_COLOURS["audio"])
    assert 10 < more < 120, "one small mark and no line"
    for head in ("multimodal", "text", "visual"):
        assert count_of(shown, HEAD_COLOURS[head]) == count_of(empty, HEAD_COLOURS[head])


def test_lone_points_are_those_between_gaps() -> None:
    nan = np.nan
    assert alone(np.array([1, nan, 2, nan, 3, 4, nan, 5])).tolist() == [1, 0, 1, 0, 0, 0, 0, 1]
    assert alone(np.array([])).tolist() == []


def test_ten_thousand_points_with_gaps_draw(timeline: Timeline) -> None:
    random = np.random.default_rng(1)
    curve = {"time": np.linspace(0, 12, 10_000).tolist()}
    for head in HEADS:
        values = random.normal(size=10_000).cumsum() / 100
        curve[head] = [None if i % 100 < 5 else float(v) for i, v in enumerate(values)]
    timeline.set_curve(curve, (-3, 3))
    assert count_of(timeline.grab().toImage(), HEAD_COLOURS["audio"]) > 100


def test_a_click_seeks(qtbot: QtBot, timeline: Timeline) -> None:
    with qtbot.waitSignal(timeline.seek_requested) as asked:
        QTest.mouseClick(timeline._view.viewport(), Qt.MouseButton.LeftButton, pos=at_seconds(timeline, 6.0))
    assert asked.args[0] == pytest.approx(6.0, abs=0.05)


def drag(view: Timeline, first: float, last: float, keys: Qt.KeyboardModifier) -> None:
    target = view._view.viewport()
    button = Qt.MouseButton.LeftButton
    QTest.mousePress(target, button, keys, at_seconds(view, first))
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(target, at_seconds(view, first + share * (last - first)), 20)
    QTest.mouseRelease(target, button, keys, at_seconds(view, last))


def test_a_drag_with_shift_selects_a_loop_in_either_direction(qtbot: QtBot, timeline: Timeline) -> None:
    loops: list[tuple[float, float]] = []
    timeline.loop_requested.connect(loops.append)
    drag(timeline, 8.0, 3.0, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: bool(loops))
    assert loops[-1] == pytest.approx((3.0, 8.0), abs=0.1)


def test_a_drag_seeks_all_the_way(qtbot: QtBot, timeline: Timeline) -> None:
    asked: list[float] = []
    timeline.seek_requested.connect(asked.append)
    drag(timeline, 2.0, 9.0, Qt.KeyboardModifier.NoModifier)
    qtbot.waitUntil(lambda: bool(asked))
    assert asked[-1] == pytest.approx(9.0, abs=0.1)


def test_zoom_keeps_the_second_under_the_pointer_and_stays_in_the_clip(timeline: Timeline) -> None:
    timeline.zoom(0.5, 4.0)
    first, last = timeline.visible_range()
    assert last - first == pytest.approx(6.0)
    assert (4.0 - first) / (last - first) == pytest.approx(4.0 / 12.0)
    timeline.zoom(100.0, 4.0)
    assert timeline.visible_range() == pytest.approx((0.0, 12.0))
    for _ in range(20):
        timeline.zoom(0.5, 12.0)
    first, last = timeline.visible_range()
    assert last == pytest.approx(12.0)
    assert last - first == pytest.approx(0.2)


def test_zoomed_in_the_view_follows_the_play_head(timeline: Timeline) -> None:
    timeline.zoom(0.25, 0.0)
    timeline.set_position(7.0)
    first, last = timeline.visible_range()
    assert first <= 7.0 <= last


def test_keys_zoom_seek_and_end_the_loop(qtbot: QtBot, timeline: Timeline) -> None:
    qtbot.keyClick(timeline, Qt.Key.Key_Plus)
    first, last = timeline.visible_range()
    assert last - first == pytest.approx(6.0)
    qtbot.keyClick(timeline, Qt.Key.Key_0)
    assert timeline.visible_range() == pytest.approx((0.0, 12.0))
    with qtbot.waitSignal(timeline.seek_requested) as asked:
        qtbot.keyClick(timeline, Qt.Key.Key_End)
    assert asked.args == [12.0]
    timeline.set_loop((1.0, 2.0))
    with qtbot.waitSignal(timeline.loop_requested) as ended:
        qtbot.keyClick(timeline, Qt.Key.Key_Escape)
    assert ended.args == [None]


def test_the_theme_may_change_while_it_is_shown(qapp: QApplication, timeline: Timeline) -> None:
    timeline.set_curve(example.curve(), example.SCALE)
    timeline.setPalette(palette(DARK))
    dark = timeline.grab().toImage().pixelColor(400, 355)
    timeline.setPalette(palette(LIGHT))
    light = timeline.grab().toImage().pixelColor(400, 355)
    assert dark.lightness() < 60 < 200 < light.lightness()


def test_an_empty_clip_empties_the_timeline(timeline: Timeline) -> None:
    timeline.set_waveform(example.peaks())
    timeline.set_words(example.transcript()["words"])
    timeline.set_speech(example.speech())
    timeline.set_curve(example.curve(), example.SCALE)
    timeline.set_duration(0)
    timeline.set_waveform(None)
    timeline.set_words(None)
    timeline.set_speech(None)
    timeline.set_curve(None, (-1, 1))
    timeline.set_position(0.0)
    timeline.grab()


def test_clock_texts() -> None:
    assert [clock_text(0), clock_text(65.4), clock_text(59.96, 1), clock_text(3.25, 2)] == [
        "0:00",
        "1:05",
        "1:00.0",
        "0:03.25",
    ]


@given(
    st.lists(st.tuples(st.text("abc", min_size=1, max_size=9), st.floats(-20, 320)), max_size=25),
    st.floats(40, 300),
)
def test_no_word_is_left_out_in_silence_none_covers_another_and_none_is_cut(
    words: list[tuple[str, float]], right: float
) -> None:
    words.sort(key=lambda word: word[1])
    pieces = lay_words(words, (0.0, right), lambda text: 3.0 * len(text))
    assert " ".join(piece.hint for piece in pieces).split() == [text for text, _ in words]
    for piece in pieces:
        assert piece.x >= 0
        assert piece.x + piece.width <= right
    for before, after in pairwise(pieces):
        assert before.x + before.width < after.x
    assert all(piece.text in (piece.hint, ELLIPSIS) for piece in pieces)


def test_words_left_out_are_told_under_the_pointer(qtbot: QtBot, timeline: Timeline) -> None:
    crowd = ["wonderfully", "astonishingly", "unforgettable"]
    words = [
        {"text": text, "start": 1 + 0.05 * i, "end": 1.05 + 0.05 * i, "probability": 0.9}
        for i, text in enumerate(crowd)
    ]
    timeline.set_words([*words, {"text": "extraordinary", "start": 11.9, "end": 12.0, "probability": 0.9}])
    timeline.grab()
    row = timeline._words
    assert [hint for _, _, hint in row._drawn] == [
        "wonderfully",
        "astonishingly unforgettable",
        "extraordinary",
    ]
    first, last, _ = row._drawn[1]
    scene = row.mapToScene(QPointF((first + last) / 2, 0.5))
    QTest.mouseMove(timeline._view.viewport(), timeline._view.mapFromScene(scene))
    qtbot.waitUntil(lambda: row.toolTip() == "astonishingly unforgettable")
