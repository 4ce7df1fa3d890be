"""From bytes to messages, however the pipe cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.workers.protocol import ProtocolError, encode
from gui import line_reader
from gui.line_reader import LineReader

messages = st.lists(
    st.fixed_dictionaries({"id": st.integers(0, 9), "event": st.text(max_size=20), "x": st.floats(-1, 1)}),
    max_size=8,
)


@given(messages, st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_messages_are_the_same_however_the_pipe_cuts_them(sent: list[dict], cuts: list[int]) -> None:
    data, reader, got, at = b"".join(map(encode, sent)), LineReader(), [], 0
    for cut in [*cuts, len(data)]:
        reader.feed(data[at : at + cut])
        at += cut
        got += reader.messages(10)
    assert [{k: m[k] for k in ("id", "event", "x")} for m in got] == sent


def test_an_unfinished_line_waits_for_its_end() -> None:
    reader, line = LineReader(), encode({"id": 1, "event": "ready"})
    reader.feed(line[:-1])
    assert list(reader.messages(10)) == []
    assert not reader.pending
    reader.feed(b"\n")
    assert reader.pending
    assert [m["event"] for m in reader.messages(10)] == ["ready"]


def test_a_slice_ends_when_its_time_is_over_and_the_rest_waits() -> None:
    reader = LineReader()
    reader.feed(encode({"id": 1}) * 3)
    assert len(list(reader.messages(-1))) == 1
    assert reader.pending


@pytest.mark.parametrize("line", [b"hello\n", b"[1]\n", b'{"v": 2, "id": 1}\n', b'{"v": 1}\n', b"\xff\xfe\n"])
def test_a_line_that_is_no_message_is_an_error(line: bytes) -> None:
    reader = LineReader()
    reader.feed(line)
    with pytest.raises(ProtocolError):
        list(reader.messages(10))


def test_floods_and_endless_lines_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_reader, "LINE_LIMIT", 100)
    monkeypatch.setattr(line_reader, "BACKLOG_LIMIT", 1000)
    reader = LineReader()
    reader.feed(b"x" * 101)
    with pytest.raises(ProtocolError, match="without end"):
        list(reader.messages(10))
    with pytest.raises(ProtocolError, match="flood"):
        reader.feed(b"x" * 1000)
