"""Long recordings cut into utterances."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core.annotation.cutting import LONGEST, bring_in, utterances
from core.annotation.schema import clips
from core.annotation.store import Store
from core.errors import DataError

speech = st.lists(st.tuples(st.floats(0.05, 3), st.floats(0.2, 25)), max_size=12).map(
    lambda gaps: [
        (sum(g + d for g, d in gaps[:k]) + gap, sum(g + d for g, d in gaps[:k]) + gap + length)
        for k, (gap, length) in enumerate(gaps)
    ]
)


@given(segments=speech)
def test_utterances_are_in_order_apart_and_inside_the_recording(segments: list[tuple[float, float]]) -> None:
    duration = segments[-1][1] + 0.05 if segments else 1.0
    found = utterances(segments, duration)
    edges = [edge for part in found for edge in part]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= duration for start, end in found)
    assert all(end - start <= max(LONGEST, 25) + 0.31 for start, end in found)


def test_short_pauses_are_bridged_and_long_ones_cut() -> None:
    found = utterances([(1.0, 2.0), (2.3, 3.0), (5.0, 6.0), (9.0, 9.2)], 10.0)
    assert found == [(0.85, 3.15), (4.85, 6.15)]


def test_a_recording_becomes_its_utterances(tmp_path: Path, sample_clip: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "talk.mp4").write_bytes(sample_clip.read_bytes())
    with Store.create(tmp_path / "project") as store:
        report = bring_in(store, tmp_path / "media")
        with store.database.read() as connection:
            rows = connection.execute(sa.select(clips).order_by(clips.c.id)).all()
    assert report.added == len(rows) >= 1
    assert rows[0].name == "talk/001"
    assert all(row.path == "talk.mp4" and 0 <= row.start < row.end <= 9.6 for row in rows)


def test_a_recording_in_which_nobody_speaks_is_told(tmp_path: Path, make_clip) -> None:  # noqa: ANN001
    clip = make_clip(tone=2.0)
    with Store.create(tmp_path / "project") as store, pytest.raises(DataError, match="nobody speaks"):
        bring_in(store, clip)
