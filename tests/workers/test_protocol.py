"""The protocol's lines: what is encoded comes back, and no other bytes are taken for a message."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.workers.protocol import ProtocolError, decode, encode

_values = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)


@given(number=st.integers(), fields=st.dictionaries(st.text(), _values, max_size=5))
def test_a_message_comes_back_from_its_one_line(number: int, fields: dict[str, object]) -> None:
    fields = {key: value for key, value in fields.items() if value not in (math.inf, -math.inf)}
    message = {**fields, "v": 1, "id": number}
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_protocol_error(line: bytes) -> None:
    try:
        message = decode(line)
    except ProtocolError:
        return
    assert isinstance(message["id"], int)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[1]",
        b'{"v": 1}',
        b'{"v": 2, "id": 1}',
        b'{"v": 1, "id": "1"}',
        b"\xff\xfe",
        b"[" * 9999,
    ],
)
def test_what_is_no_message_is_a_protocol_error(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line)


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode({"id": 1, "value": math.nan})
