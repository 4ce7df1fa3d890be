"""Bytes from a pipe to messages, a bounded slice at a time."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from core.workers.protocol import Message, ProtocolError, decode

LINE_LIMIT = 4_000_000
"""Bytes of the longest line: an analysis of an hour is under a tenth of it."""
BACKLOG_LIMIT = 32_000_000
"""Bytes not yet read; a worker that writes faster than the window can follow is broken."""


class LineReader:
    """Collects bytes and gives out whole messages; the unfinished last line waits for its end."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Add what the pipe gave. Raises ProtocolError on a flood."""
        self._buffer += data
        if len(self._buffer) > BACKLOG_LIMIT:
            raise ProtocolError(f"a flood: {len(self._buffer)} bytes waiting to be read")

    def messages(self, seconds: float) -> Iterator[Message]:
        """Whole messages until none is left or `seconds` are over. Raises ProtocolError on a bad line."""
        until = perf_counter() + seconds
        while (end := self._buffer.find(b"\n", self._searched)) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._searched = 0
            if line.strip():
                yield decode(line)
            if perf_counter() > until:
                return
        self._searched = len(self._buffer)
        if self._searched > LINE_LIMIT:
            raise ProtocolError(f"a line without end: {self._searched} bytes")

    @property
    def pending(self) -> bool:
        """Whether a whole line is still waiting."""
        return self._buffer.find(b"\n", self._searched) >= 0
