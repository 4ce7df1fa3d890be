"""The clip list as a model: states in words, filter, ten thousand rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from gui.clip_list import Clip, ClipModel, ClipState

AccessibleText = Qt.ItemDataRole.AccessibleTextRole


@pytest.fixture
def model() -> ClipModel:
    made = ClipModel()
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    return made


def test_each_state_is_said_in_words(model: ClipModel) -> None:
    model.add(
        [
            Clip(Path("a.mp4")),
            Clip(Path("b.mp4"), ClipState.ANALYSING),
            Clip(Path("c.mp4"), ClipState.DONE, value=1.2),
            Clip(Path("d.mp4"), ClipState.FAILED, why="d.mp4 is empty"),
            Clip(Path("e.mp4"), ClipState.DONE, value=1.2, typed="other words"),
            Clip(Path("f.mp4"), ClipState.DONE),
        ]
    )
    said = [model.index(row).data(AccessibleText) for row in range(6)]
    assert said == [
        "a.mp4, waiting",
        "b.mp4, analysing…",
        "c.mp4, done",
        "d.mp4, d.mp4 is empty",
        "e.mp4, done · words corrected",
        "f.mp4, done · nothing to estimate",
    ]


def test_a_filter_looks_at_names_and_states(model: ClipModel) -> None:
    model.add([Clip(Path("anna 1.mp4")), Clip(Path("anna 2.mp4"), ClipState.DONE), Clip(Path("ben.mp4"))])
    model.set_filter("anna done")
    assert [model.at(row).path.name for row in range(model.rowCount())] == ["anna 2.mp4"]
    model.set_filter("")
    assert model.rowCount() == 3


def test_a_clip_stays_visible_when_its_state_leaves_the_filter(model: ClipModel) -> None:
    clip = Clip(Path("a.mp4"))
    model.add([clip])
    model.set_filter("waiting")
    clip.state = ClipState.DONE
    model.touch(clip)
    assert model.row_of(clip) == 0


def test_clips_added_while_a_filter_is_on_obey_it(model: ClipModel) -> None:
    model.set_filter("b")
    model.add([Clip(Path("a.mp4")), Clip(Path("b.mp4"))])
    assert model.rowCount() == 1
    model.remove(model.clips[0])
    model.remove(model.clips[0])
    assert (model.rowCount(), model.clips) == (0, [])


def test_a_clip_comes_back_to_its_place_also_under_a_filter(model: ClipModel) -> None:
    names = ("x1.mp4", "b1.mp4", "x2.mp4", "b2.mp4", "x3.mp4")
    model.add([Clip(Path(name)) for name in names])
    model.set_filter("x")
    for place in (2, 1):
        clip = model.clips[place]
        model.remove(clip)
        model.insert(place, clip)
    assert tuple(clip.path.name for clip in model.clips) == names
    assert [model.at(row).path.name for row in range(model.rowCount())] == ["x1.mp4", "x2.mp4", "x3.mp4"]


def test_ten_thousand_rows_filter_to_the_right_one(model: ClipModel) -> None:
    model.add([Clip(Path(f"clip {n:05d}.mp4")) for n in range(10_000)])
    assert model.rowCount() == 10_000
    model.set_filter("09999")
    assert model.at(0).path.name == "clip 09999.mp4"
    assert model.counts()[ClipState.WAITING] == 10_000
