"""A real engine process and what it says, line by line."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from core.workers import command
from core.workers.protocol import Message, decode, encode

PATIENCE = 120.0
"""Seconds until a test gives up on a busy machine; never waited for when all is well."""


class Engine:
    """An engine started as the window starts it; everything it writes must be a message."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            command("engine", *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.seen: list[Message] = []
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def send(self, **message: Any) -> None:
        self.write(encode(message))

    def write(self, data: bytes) -> None:
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def until(self, found: Callable[[Message], bool]) -> Message:
        """The first message from now on for which `found` holds."""
        deadline = monotonic() + PATIENCE
        while (left := deadline - monotonic()) > 0:
            line = self._lines.get(timeout=left)
            assert line is not None, f"the engine ended after {self.seen[-3:]}"
            self.seen.append(decode(line))
            if found(self.seen[-1]):
                return self.seen[-1]
        raise AssertionError(f"nothing of the kind came: {self.seen[-3:]}")

    def event(self, name: str, number: int) -> Message:
        return self.until(lambda message: (message["event"], message["id"]) == (name, number))

    def end_of(self, number: int) -> Message:
        """The event that ends job `number`."""
        ends = ("done", "failed", "cancelled")
        return self.until(lambda message: message["id"] == number and message["event"] in ends)

    def close(self) -> float:
        """Close standard input; seconds until the process has ended."""
        started = monotonic()
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        took = monotonic() - started
        self._reader.join()
        self.process.stdout.close()
        return took

    def kill(self) -> None:
        self.process.kill()
        self.close()


@pytest.fixture(scope="session")
def engine_class() -> type[Engine]:
    """`Engine`: whoever starts one ends it."""
    return Engine
