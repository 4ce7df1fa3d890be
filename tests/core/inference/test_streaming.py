"""A clip played as if it were live: what is told, in time, and that it is what Review says of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.types import HEADS
from core.workers import command

Event = dict[str, Any]


@pytest.fixture(scope="module")
def told(assets: Path, sample_clip: Path) -> list[Event]:
    """Everything that `consonance live --json` tells of the sample."""
    done = subprocess.run(
        command("live", str(sample_clip), "--json"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(told: list[Event], event: str) -> list[Event]:
    return [message for message in told if message["event"] == event]


def latest(told: list[Event]) -> dict[float, dict[str, float | None]]:
    """The curve as it stands at the end: points told again take the place of the old ones."""
    points: dict[float, dict[str, float | None]] = {}
    for curve in of(told, "curve"):
        for number, time in enumerate(curve["time"]):
            points[time] = {head: curve[head][number] for head in HEADS}
    return points


def test_voice_and_face_are_judged_while_the_clip_plays(told: list[Event]) -> None:
    kinds = [message["event"] for message in told]
    assert kinds.index("curve") < kinds.index("utterance")
    points = latest(told)
    assert {"audio", "visual", "multimodal"} <= {h for h in HEADS if points[6.0][h] is not None}
    assert sorted(points) == [0.5 * n for n in range(1, len(points) + 1)]


def test_an_utterance_is_judged_as_a_whole_with_intervals(told: list[Event]) -> None:
    utterances = of(told, "utterance")
    assert [utterance["number"] for utterance in utterances] == list(range(1, len(utterances) + 1))
    answer = utterances[-1]["answer"]
    assert "wonderful" in answer["transcript"]["text"]
    for head in HEADS:
        estimate = answer["estimates"][head]
        assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_the_words_of_an_utterance_change_the_curve_behind_them(told: list[Event]) -> None:
    first = next(curve for curve in of(told, "curve") if 4.0 in curve["time"])
    assert first["text"] == [None] * len(first["time"])
    assert latest(told)[4.0]["text"] is not None


def test_voice_and_face_are_compared_over_the_last_minute(told: list[Event]) -> None:
    alignments = of(told, "alignment")
    assert alignments[0]["alignment_reason"]
    last = alignments[-1]
    assert last["alignment"]["windows"] >= 8
    assert len(last["covariance"]["audio"]) == len(last["covariance"]["visual"])


def test_states_say_how_it_stands(told: list[Event]) -> None:
    states = of(told, "state")
    assert all(state["face"] for state in states)
    assert "audio" in states[0]["missing"]
    assert "audio" not in states[-1]["missing"]
    assert all(state["behind"] >= 0 for state in states)


def test_live_says_what_review_says_of_the_same_clip(told: list[Event], sample_clip: Path) -> None:
    from core.inference.analyser import Analyser

    analysis = Analyser("starter", "tiny.en").analyse(str(sample_clip), modalities=("audio", "visual"))
    points = latest(told)
    for head in ("audio", "visual"):
        pairs = [
            (live[head], review)
            for time, review in zip(analysis.curve.time, analysis.curve.values[head], strict=True)
            if review is not None and (live := points.get(time, {})).get(head) is not None
        ]
        assert len(pairs) >= 10
        assert np.mean([abs(live - review) for live, review in pairs]) < 0.25
