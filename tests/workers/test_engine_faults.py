"""The engine and what may go wrong around it, without a model: it must hold its line before one is there."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.workers import command


@pytest.fixture(scope="module")
def engine(engine_class: type, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One engine that has found no model; every test leaves it as it was."""
    engine = engine_class("--model", str(tmp_path_factory.mktemp("nowhere")))
    engine.event("failed", 0)
    yield engine
    engine.kill()


def test_without_a_model_it_says_why_and_what_to_do_and_goes_on(engine: Any) -> None:
    engine.send(id=1, do="analyse", file="clip.mp4")
    error = engine.end_of(1)["error"]
    assert error["kind"] == "model"
    assert "nowhere" in error["message"]
    assert error["remedy"]


@pytest.mark.parametrize(
    "line",
    [b"", b"garbage", b"\xff\xfe\x00", b"[]", b'{"v":9,"id":1}', b"[" * 9000, b"x" * 5_000_000],
    ids=["empty", "garbage", "binary", "list", "other version", "nested", "endless"],
)
def test_a_bad_line_is_answered_once_and_the_next_one_obeyed(engine: Any, line: bytes) -> None:
    before = len(engine.seen)
    engine.write(line + b"\n")
    engine.send(id=5, do="analyse", file="clip.mp4")
    engine.end_of(5)
    told = [(message["event"], message["id"]) for message in engine.seen[before:]]
    assert told == [("error", 0), ("failed", 5)]


@pytest.mark.parametrize(
    "request_", [{"do": "dance"}, {}, {"do": "cancel"}, {"do": "analyse"}, {"do": "analyse", "file": [1]}]
)
def test_a_request_that_cannot_be_obeyed_fails_under_its_id(engine: Any, request_: dict[str, Any]) -> None:
    engine.send(id=6, **request_)
    assert engine.end_of(6)["error"]["kind"] == "protocol"


def test_unknown_fields_are_ignored_and_a_cancel_of_nothing_is_no_event(engine: Any) -> None:
    before = len(engine.seen)
    engine.send(id=7, do="cancel", job=99, reason="none")
    engine.send(id=8, do="analyse", file="clip.mp4", colour="blue")
    assert engine.end_of(8)["error"]["kind"] == "model"
    assert len(engine.seen) == before + 1


def test_a_flood_of_requests_and_cancels_ends_each_job_once(engine: Any) -> None:
    before = len(engine.seen)
    for number in range(100, 1100):
        engine.send(id=number, do="analyse", file="clip.mp4")
        if number % 3:
            engine.send(id=5000 + number, do="cancel", job=number)
    engine.send(id=2000, do="analyse", file="clip.mp4")
    engine.end_of(2000)
    ended = Counter(message["id"] for message in engine.seen[before:])
    assert set(ended.values()) == {1}
    assert len(ended) == 1001


def test_it_ends_when_standard_input_closes_even_while_it_loads(engine_class: type, tmp_path: Path) -> None:
    engine = engine_class("--model", str(tmp_path))
    engine.send(id=1, do="analyse", file="clip.mp4")
    engine.close()
    assert engine.process.returncode == 0


def test_it_ends_even_if_nobody_reads_what_it_says(tmp_path: Path) -> None:
    deaf = subprocess.Popen(
        command("engine", "--model", str(tmp_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with deaf:
        deaf.stdin.write(b"garbage\n" * 5000)
        deaf.stdin.close()
        assert deaf.wait(60) == 0, "the pipe was full long before"
