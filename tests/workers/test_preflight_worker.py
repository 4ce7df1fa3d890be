"""The preflight process: it answers the latest question, obeys a cancel, ends with its standard input."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.training.preflight_report import from_json
from core.training.settings import load
from core.workers import command
from core.workers.preflight import Desk, _receive
from core.workers.protocol import Message, encode
from core.workers.stdio import Output


class Worker:
    """The real process over pipes."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            command("preflight-worker"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def send(self, number: int, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"v": 1, "id": number, **message}).encode() + b"\n")
        self.process.stdin.flush()

    def until(self, *events: str) -> dict[str, Any]:
        """The next message of one of these events."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            if message["event"] in events:
                return message
        raise AssertionError("it ended")

    def close(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(20)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    made.until("ready")
    yield made
    if made.process.poll() is None:
        made.close()


class Told(Output):
    """A desk, and what it has said."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.desk = Desk(self)

    def send(self, message: Message) -> None:
        self.messages.append(message)

    def ask(self, number: int, question: dict[str, Any]) -> None:
        _receive(encode({"id": number, **question}), self.desk, self)


@pytest.fixture
def desk() -> Told:
    return Told()


@pytest.fixture
def question(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "texts.csv").write_text("text,y\n" + "".join(f"words {n},{n % 3}\n" for n in range(40)))
    settings = load("own", ["network.text_encoder=nowhere", "training.device=cpu"])
    return {
        "do": "preflight",
        "settings": settings.model_dump(mode="json"),
        "data": str(tmp_path / "texts.csv"),
        "folder": str(tmp_path),
        "runs": 1,
    }


def test_a_question_is_answered_with_progress_and_a_report(worker: Worker, question: dict[str, Any]) -> None:
    worker.send(7, **question)
    assert worker.until("progress")["id"] == 7
    done = worker.until("done", "failed")
    assert (done["id"], done["event"]) == (7, "done")
    report = from_json(done["report"])
    assert sum(split.rows for split in report.splits) == 40
    assert "text-encoder" in [problem.code for problem in report.problems]
    assert worker.close() == 0


@pytest.mark.parametrize(
    "wrong",
    [{"do": "dance"}, {"do": "preflight", "settings": {"training": 3}}, {"do": "preflight", "settings": {}}],
)
def test_what_is_no_question_is_refused(desk: Told, wrong: dict[str, Any]) -> None:
    _receive(encode({"id": 4, **wrong}), desk.desk, desk)
    (told,) = desk.messages
    assert (told["id"], told["event"], told["error"]["kind"]) == (4, "failed", "protocol")


def test_a_later_question_takes_the_place_of_earlier_ones(desk: Told, question: dict[str, Any]) -> None:
    desk.ask(1, question)
    first = desk.desk.take()
    desk.ask(2, question)
    desk.ask(3, question)
    assert [(told["id"], told["event"]) for told in desk.messages] == [(1, "cancelled"), (2, "cancelled")]
    assert first.stopped.is_set()
    desk.desk.tell(first, "done", report={})
    assert len(desk.messages) == 2
    assert desk.desk.take().id == 3


def test_a_cancelled_question_is_not_answered(desk: Told, question: dict[str, Any]) -> None:
    desk.ask(1, question)
    request = desk.desk.take()
    desk.desk.cancel(1)
    desk.desk.cancel(1)
    desk.desk.tell(request, "done", report={})
    assert [(told["id"], told["event"]) for told in desk.messages] == [(1, "cancelled")]


def test_a_question_that_was_answered_cannot_be_cancelled(desk: Told, question: dict[str, Any]) -> None:
    desk.ask(1, question)
    desk.desk.tell(desk.desk.take(), "done", report={})
    desk.desk.cancel(1)
    assert [told["event"] for told in desk.messages] == ["done"]
