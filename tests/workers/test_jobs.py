"""The engine's queue: whatever comes in whatever order, each job ends exactly once."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.types import MODALITIES
from core.workers.jobs import Job, Jobs, Request, request_of
from core.workers.protocol import Message, ProtocolError

ENDS = {"done", "failed", "cancelled"}


class QueueMachine(RuleBasedStateMachine):
    """The reader submits and cancels, the worker takes, tells and ends, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Message] = []
        self.jobs = Jobs(self.sent.append)
        self.submitted: list[int] = []
        self.taken: list[Job] = []
        self.running: Job | None = None

    @rule(number=st.integers(1, 8))
    def submit(self, number: int) -> None:
        if number in self._active():
            with pytest.raises(ProtocolError):
                self.jobs.submit(number, Request("clip"))
        else:
            self.jobs.submit(number, Request("clip"))
            self.submitted.append(number)

    @rule(number=st.integers(1, 8))
    def cancel(self, number: int) -> None:
        was_active = number in self._active()
        before = len(self.sent)
        self.jobs.cancel(number)
        told = self.sent[before:]
        assert told == ([{"id": number, "event": "cancelled"}] if was_active else [])

    @precondition(lambda self: self.running is None)
    @rule()
    def take(self) -> None:
        job = self.jobs.next(timeout=0)
        if job is not None:
            assert not job.stopped.is_set(), "a job cancelled while it waited is never begun"
            self.running = job
            self.taken.append(job)

    @precondition(lambda self: self.running is not None)
    @rule()
    def tell(self) -> None:
        before = len(self.sent)
        self.jobs.tell(self.running, "progress", step="extract", fraction=0.5)
        assert (len(self.sent) > before) == (not self.running.stopped.is_set())

    @precondition(lambda self: self.running is not None)
    @rule(event=st.sampled_from(["done", "failed"]))
    def end(self, event: str) -> None:
        self.jobs.end(self.running, event)
        self.jobs.end(self.running, "cancelled")
        self.running = None

    @invariant()
    def no_job_ends_more_often_than_it_was_submitted(self) -> None:
        ended = Counter(message["id"] for message in self.sent if message["event"] in ENDS)
        assert all(ended[number] <= Counter(self.submitted)[number] for number in ended)

    def _active(self) -> set[int]:
        ended = Counter(message["id"] for message in self.sent if message["event"] in ENDS)
        return {number for number, times in Counter(self.submitted).items() if times > ended[number]}


TestQueue = QueueMachine.TestCase


def test_jobs_come_in_the_order_they_were_asked_for() -> None:
    jobs = Jobs(lambda message: None)
    for number in (5, 2, 9):
        jobs.submit(number, Request("clip"))
    assert [jobs.next().id for _ in range(3)] == [5, 2, 9]


def test_a_refused_request_fails_unless_its_id_is_of_a_job_under_way() -> None:
    sent: list[Message] = []
    jobs = Jobs(sent.append)
    jobs.submit(1, Request("clip"))
    jobs.refuse(1, {"kind": "protocol"})
    jobs.refuse(2, {"kind": "protocol"})
    assert [(message["id"], message["event"]) for message in sent] == [(0, "error"), (2, "failed")]


def test_a_request_takes_what_it_knows_and_ignores_the_rest() -> None:
    message = {"v": 1, "id": 3, "do": "analyse", "file": "a.mp4", "modalities": ["visual", "text"], "new": 1}
    assert request_of(message) == Request("a.mp4", None, ("text", "visual"))
    assert request_of({"file": "a.mp4"}).modalities == MODALITIES


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({}, "file"),
        ({"file": ""}, "file"),
        ({"file": 3}, "file"),
        ({"file": "a", "transcript": ["words"]}, "transcript"),
        ({"file": "a", "modalities": "text"}, "modalities"),
        ({"file": "a", "modalities": ["smell"]}, "modalities"),
        ({"file": "a", "modalities": [["text"]]}, "modalities"),
    ],
)
def test_a_request_that_cannot_be_obeyed_names_the_field(message: Message, field: str) -> None:
    with pytest.raises(ProtocolError, match=field):
        request_of(message)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(file=_json, transcript=_json, modalities=_json)
def test_any_json_is_a_request_or_a_protocol_error(
    file: object, transcript: object, modalities: object
) -> None:
    try:
        request = request_of({"file": file, "transcript": transcript, "modalities": modalities})
    except ProtocolError:
        return
    assert isinstance(request.file, str)
