"""A real engine process, driven and timed from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any

from core import paths
from core.errors import UserError
from core.workers import command
from core.workers.protocol import Message, decode, encode


def new_cache(folder: Path) -> Path:
    """A cache within `folder` that knows no clip; the pretrained files are linked into it."""
    cache = folder / "cache"
    cache.mkdir()
    (cache / "assets").symlink_to(paths.cache() / "assets", target_is_directory=True)
    return cache


class EngineClient:
    """Starts an engine with a cache of its own, so that nothing is known of any clip."""

    def __init__(self, cache: Path, *options: str) -> None:
        """cache: a folder from `new_cache`."""
        self._process = subprocess.Popen(
            command("engine", *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.stderr if os.environ.get("CONSONANCE_BENCH_STDERR") else subprocess.DEVNULL,
            env={**os.environ, "CONSONANCE_CACHE": str(cache)},
        )
        self._number = 0

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def ready(self) -> float:
        """Seconds from now until the engine says that it is ready."""
        started = perf_counter()
        while (message := self._next())["event"] != "ready":
            if message["event"] == "failed":
                raise _told(message)
        return perf_counter() - started

    def analyse(self, clip: Path) -> dict[str, Any]:
        """Seconds from the request to each kind of event, and the `analysis` that ended it."""
        self._number += 1
        started = perf_counter()
        request = {"id": self._number, "do": "analyse", "file": str(clip)}
        assert self._process.stdin is not None
        self._process.stdin.write(encode(request))
        self._process.stdin.flush()
        times: dict[str, Any] = {}
        while True:
            message = self._next()
            if message["id"] != self._number:
                continue
            times.setdefault(message["event"], perf_counter() - started)
            if message["event"] == "failed":
                raise _told(message)
            if message["event"] == "done":
                return {**times, "analysis": message["analysis"]}

    def _next(self) -> Message:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise UserError("The engine ended.", "Set CONSONANCE_BENCH_STDERR=1 to see its last words.")
        return decode(line)


def _told(message: Message) -> UserError:
    error = message["error"]
    return UserError(error["message"], error["remedy"])
