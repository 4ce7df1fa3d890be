"""Lines in, lines out: standard input and output as the protocol's own, safe from chatty libraries."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator

from core.workers.protocol import Message, encode

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes; a longer line is no request, and is not gathered in memory."""


class Output:
    """Events to the file that standard output was. From here on whatever prints goes to standard error.

    A thread writes, so that a reader that has fallen asleep delays no cancel.
    """

    def __init__(self) -> None:
        sys.stdout.flush()
        # Below Python, too: native libraries write to descriptor 1.
        self._file = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="engine-output", daemon=True)
        self._writer.start()

    def send(self, message: Message) -> None:
        """Queue one event; returns at once."""
        self._waiting.put(encode(message))

    def close(self, timeout: float) -> None:
        """Wait until everything queued is written, at most `timeout` seconds."""
        self._waiting.put(None)
        self._writer.join(timeout)

    def _write(self) -> None:
        while (line := self._waiting.get()) is not None:
            try:
                _write_all(self._file.fileno(), line)
            except OSError:
                return  # nobody reads any more; standard input ends too, and with it the engine


def _write_all(descriptor: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[os.write(descriptor, left) :]


def input_lines() -> Iterator[bytes]:
    """Lines of standard input until it closes; one over LONGEST_LINE comes cut at that length, once."""
    stream = sys.stdin.buffer
    while line := stream.readline(LONGEST_LINE):
        yield line
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)
