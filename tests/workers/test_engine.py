"""The engine at work: a real process, the shipped model, real clips."""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def engine(engine_class: type, assets: Path) -> Iterator[Any]:
    """One warm engine for all tests; each leaves it idle."""
    engine = engine_class("--speech", "tiny.en")
    assert engine.event("ready", 0)["scale"] == [-3.0, 3.0]
    yield engine
    engine.kill()


@pytest.fixture
def new_clip(sample_clip: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes copies of the sample that no cache has seen: an empty box at the end changes the bytes alone."""

    def make() -> Path:
        number = next(_numbers)
        copy = tmp_path / f"clip-{number}.mp4"
        copy.write_bytes(sample_clip.read_bytes() + struct.pack(">I4sQ", 16, b"free", number))
        return copy

    return make


def events_of(engine: Any, number: int) -> list[dict[str, Any]]:
    """Everything said of a job until it has ended."""
    before = len(engine.seen)
    engine.end_of(number)
    return [message for message in engine.seen[before:] if message["id"] == number]


def test_a_clip_is_seen_and_heard_before_its_words_are_known(engine: Any, new_clip: Callable) -> None:
    number = next(_numbers)
    engine.send(id=number, do="analyse", file=str(new_clip()))
    said = events_of(engine, number)
    order = [message["event"] for message in said if message["event"] != "progress"]
    assert order == ["waveform", "partial", "done"]
    waveform, partial, done = (
        next(message for message in said if message["event"] == event)
        for event in ("waveform", "partial", "done")
    )
    assert 0 < max(waveform["peaks"]) <= 1
    assert all(0 <= start < end for start, end in waveform["speech"])
    assert partial["analysis"]["estimates"]["text"] is None
    for head in ("audio", "visual", "multimodal"):
        assert partial["analysis"]["estimates"][head]["value"] is not None
    assert done["analysis"]["transcript"]["words"]
    assert done["analysis"]["alignment"] is not None
    steps = {message["step"] for message in said if message["event"] == "progress"}
    assert steps == {"decode", "transcribe", "extract", "predict"}
    assert all(0 <= message["fraction"] <= 1 for message in said if message["event"] == "progress")


def test_jobs_are_done_in_order_and_a_waiting_one_can_be_cancelled(engine: Any, new_clip: Callable) -> None:
    first, second, third = (next(_numbers) for _ in range(3))
    for number in (first, second, third):
        engine.send(id=number, do="analyse", file=str(new_clip()), modalities=["visual"])
    engine.send(id=next(_numbers), do="cancel", job=second)
    before = len(engine.seen)
    engine.end_of(third)
    ends = [
        (message["id"], message["event"])
        for message in engine.seen[before:]
        if message["event"] in ("done", "failed", "cancelled")
    ]
    assert sorted(ends) == [(first, "done"), (second, "cancelled"), (third, "done")]
    assert ends.index((first, "done")) < ends.index((third, "done"))
    missing = {item["modality"] for item in engine.seen[-1]["analysis"]["missing"]}
    assert missing == {"text", "audio"}


def test_a_running_job_is_cancelled_once_and_says_nothing_more(engine: Any, new_clip: Callable) -> None:
    number, after = next(_numbers), next(_numbers)
    engine.send(id=number, do="analyse", file=str(new_clip()))
    engine.until(lambda message: message["id"] == number)
    engine.send(id=next(_numbers), do="cancel", job=number)
    assert engine.end_of(number)["event"] == "cancelled"
    engine.send(id=after, do="analyse", file=str(new_clip()), modalities=["audio"])
    before = len(engine.seen)
    assert engine.end_of(after)["event"] == "done"
    assert Counter(message["id"] for message in engine.seen[before:])[number] == 0


def test_a_typed_transcript_replaces_the_recognised_one(engine: Any, new_clip: Callable) -> None:
    number = next(_numbers)
    engine.send(id=number, do="analyse", file=str(new_clip()), transcript="I love this film")
    analysis = engine.end_of(number)["analysis"]
    assert analysis["transcript"]["text"] == "I love this film"
    assert [word["text"] for word in analysis["transcript"]["words"]] == ["I", "love", "this", "film"]
    assert analysis["estimates"]["text"]["value"] > 0


def test_a_file_that_is_no_clip_fails_with_its_name_and_the_next_one_is_done(
    engine: Any, new_clip: Callable, tmp_path: Path
) -> None:
    (tmp_path / "notes.mp4").write_text("not a clip at all")
    bad, absent, good = (next(_numbers) for _ in range(3))
    engine.send(id=bad, do="analyse", file=str(tmp_path / "notes.mp4"))
    engine.send(id=absent, do="analyse", file=str(tmp_path / "absent.mp4"))
    engine.send(id=good, do="analyse", file=str(new_clip()), modalities=["visual"])
    for number, name in ((bad, "notes.mp4"), (absent, "absent.mp4")):
        error = engine.end_of(number)["error"]
        assert (error["kind"], error["details"]) == ("media", "")
        assert name in error["message"]
    assert engine.end_of(good)["event"] == "done"


def test_it_ends_when_standard_input_closes_in_the_middle_of_a_job(
    engine_class: type, assets: Path, new_clip: Callable
) -> None:
    engine = engine_class("--speech", "tiny.en")
    engine.event("ready", 0)
    engine.send(id=1, do="analyse", file=str(new_clip()))
    engine.until(lambda message: message["id"] == 1)
    engine.close()
    assert engine.process.returncode == 0
