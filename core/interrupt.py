"""Lets the user stop what cannot be stopped from inside: calls into native code that take seconds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

from core.errors import Cancelled

POLL_SECONDS = 0.1

Result = TypeVar("Result")


def begin(call: Callable[[], Result], lane: str = "models") -> Future[Result]:
    """Starts the call in the background, one at a time in a lane: the models bear no more."""
    return _worker(lane).submit(call)


def finish(job: Future[Result], cancelled: Callable[[], bool] | None = None) -> Result:
    """The result of a call begun. If `cancelled` turns true first, raises Cancelled at once.

    The call then ends by itself, its result is dropped, and the next one waits for it.
    """
    while not wait([job], timeout=POLL_SECONDS).done:
        if cancelled is not None and cancelled():
            job.cancel()
            raise Cancelled
    return job.result()


def interruptible(call: Callable[[], Result], cancelled: Callable[[], bool] | None = None) -> Result:
    """The call's result, or Cancelled within POLL_SECONDS of `cancelled` turning true."""
    return finish(begin(call), cancelled)


@cache
def _worker(lane: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=lane)
