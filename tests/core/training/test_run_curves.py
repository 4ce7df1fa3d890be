"""The events of a run as columns: grown, resumed, smoothed, thinned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.training.run_curves import Curves, drawn, packed, smoothed, thinned, unpacked

VALUES = st.lists(st.one_of(st.floats(-10, 10, width=32), st.just(float("nan"))), min_size=1, max_size=400)


class Writer:
    """Writes an events file as a run does."""

    def __init__(self, folder: Path) -> None:
        self.path, self.seq = folder / "events.jsonl", 0

    def say(self, kind: str, **values: Any) -> None:
        line = {"v": 1, "seq": self.seq, "t": 0.0, "kind": kind, **values}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self.seq += 1

    def epoch(self, number: int, loss: float | None, steps: int = 4) -> None:
        for batch in range(1, steps + 1):
            self.say("step", epoch=number, batch=batch, loss_text=loss)
        self.say("epoch", epoch=number, best=number, valid={"mae": loss}, train={"loss_text": loss})


@pytest.fixture
def run(tmp_path: Path) -> Writer:
    writer = Writer(tmp_path)
    writer.say("segment", number=1, step=0, epoch=0)
    writer.say("start", rows=4, batches=4, epochs=9)
    return writer


def read(folder: Path) -> Curves:
    curves = Curves(folder)
    while curves.more():
        pass
    return curves


def test_steps_lie_within_their_epoch_and_what_is_judged_at_its_end(run: Writer, tmp_path: Path) -> None:
    run.epoch(1, 0.5)
    run.epoch(2, 0.25)
    curves = read(tmp_path)
    assert list(curves.columns["loss_text"].x) == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
    assert list(curves.columns["valid.mae"].x) == [1.0, 2.0]
    assert curves.best == 2.0


def test_only_what_is_new_is_read_and_a_torn_line_waits(run: Writer, tmp_path: Path) -> None:
    run.epoch(1, 0.5)
    curves = read(tmp_path)
    assert not curves.more()
    line = json.dumps({"v": 1, "seq": run.seq, "kind": "step", "epoch": 2, "batch": 1, "loss_text": 0.1})
    with run.path.open("a") as file:
        file.write(line[:20])
    assert not curves.more()
    with run.path.open("a") as file:
        file.write(line[20:] + "\n")
    assert curves.more()
    assert curves.columns["loss_text"].x[-1] == 1.25


def test_a_long_file_is_read_in_pieces(run: Writer, tmp_path: Path) -> None:
    for number in range(1, 30):
        run.epoch(number, 1 / number)
    curves = Curves(tmp_path)
    curves.more(limit=1000)
    assert curves.unread
    assert 0 < len(curves.columns["loss_text"].x) < 29 * 4
    while curves.more(limit=1000):
        pass
    assert len(curves.columns["loss_text"].x) == 29 * 4


def test_a_resumed_run_is_one_curve_that_never_runs_backwards(run: Writer, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        run.epoch(number, 0.5)
    run.say("segment", number=2, step=4, epoch=1)
    run.epoch(2, 0.4)
    curves = read(tmp_path)
    for column in curves.columns.values():
        assert list(column.x) == sorted(set(column.x))
    assert list(curves.columns["valid.mae"].x) == [1.0, 2.0]
    assert list(curves.columns["loss_text"].y)[-4:] == pytest.approx([0.4] * 4)
    assert curves.segments == [1.25]


@pytest.mark.parametrize("kept", [0, 3, 7])
def test_a_file_that_a_resume_has_cut_is_read_anew(run: Writer, tmp_path: Path, kept: int) -> None:
    for number in (1, 2):
        run.epoch(number, 0.5)
    curves = read(tmp_path)
    lines = run.path.read_bytes().splitlines(keepends=True)[: 2 + kept]
    run.path.write_bytes(b"".join(lines))
    run.seq = 2 + kept
    run.say("segment", number=2, step=kept, epoch=1)
    for number in (1, 2, 3):  # longer than before: the size alone does not tell
        run.epoch(number, 0.25)
    while curves.more():
        pass
    fresh = read(tmp_path)
    assert list(curves.columns["loss_text"].x) == list(fresh.columns["loss_text"].x)
    assert list(curves.columns["loss_text"].y) == list(fresh.columns["loss_text"].y)


def test_a_second_stage_goes_on_where_the_first_ended(run: Writer, tmp_path: Path) -> None:
    run.epoch(1, 0.5)
    run.epoch(2, 0.5)
    run.say("fitted", best_epoch=2)
    run.say("start", rows=4, batches=4, epochs=3)
    run.epoch(1, 0.3)
    assert list(read(tmp_path).columns["valid.mae"].x) == [1.0, 2.0, 3.0]


def test_null_is_a_gap_and_what_is_absent_is_not(run: Writer, tmp_path: Path) -> None:
    run.epoch(1, 0.5)
    run.epoch(2, None)
    run.say("step", epoch=3, batch=1, alignment=0.1)
    told = drawn(read(tmp_path).columns["loss_text"], 100)
    assert list(unpacked(told["gaps"])) == [1.25, 1.5, 1.75, 2.0]
    assert told["last"] == 0.5
    assert list(unpacked(drawn(read(tmp_path).columns["alignment"], 100)["gaps"])) == []


def test_an_epoch_too_short_for_a_step_gives_its_mean(run: Writer, tmp_path: Path) -> None:
    run.epoch(1, 0.5, steps=0)
    run.epoch(2, 0.4, steps=0)
    assert list(read(tmp_path).columns["loss_text"].x) == [1.0, 2.0]


@pytest.mark.parametrize(
    "line", [b"not json\n", b"[1, 2]\n", b'{"kind": "epoch", "epoch": "x"}\n', b"\xff\xfe\n"]
)
def test_a_line_that_is_no_event_is_passed_over(run: Writer, tmp_path: Path, line: bytes) -> None:
    run.epoch(1, 0.5)
    with run.path.open("ab") as file:
        file.write(line)
    run.epoch(2, 0.4)
    assert list(read(tmp_path).columns["loss_text"].x)[-1] == 2.0


def test_a_folder_without_events_has_no_columns(tmp_path: Path) -> None:
    assert read(tmp_path).columns == {}


@settings(deadline=None)
@given(VALUES, st.integers(4, 60))
def test_thinning_keeps_the_extremes_the_order_and_the_limit(values: list[float], points: int) -> None:
    y = np.array(values)
    x = np.arange(len(y), dtype=float)
    few_x, few_y = thinned(x, y, points)
    assert len(few_x) <= max(points, 2) + 2
    assert (np.diff(few_x) >= 0).all()
    if np.isfinite(y).any():
        assert (np.nanmin(few_y), np.nanmax(few_y)) == (np.nanmin(y), np.nanmax(y))
    assert set(few_y[np.isfinite(few_y)]) <= set(y[np.isfinite(y)])


@settings(deadline=None)
@given(VALUES)
def test_smoothing_stays_within_what_it_smooths(values: list[float]) -> None:
    y = np.array(values)
    calm = smoothed(y)
    assert (np.isfinite(calm) == np.isfinite(y)).all()
    if np.isfinite(y).any():
        assert np.nanmin(y) - 1e-6 <= np.nanmin(calm)
        assert np.nanmax(calm) <= np.nanmax(y) + 1e-6


@settings(deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False), max_size=50))
def test_packed_numbers_come_out_as_they_went_in(values: list[float]) -> None:
    assert list(unpacked(packed(np.array(values)))) == values
