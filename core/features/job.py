"""One clip on its way through the extractor: how far it is, how long each step took, whether to go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core.errors import Cancelled
from core.types import EXTRACTOR_VERSION

STEPS = ("decode", "transcribe", "extract")


class Job:
    """What the steps of one extraction share."""

    def __init__(
        self,
        path: Path,
        on_progress: Callable[[str, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.path = path
        self.content = ""
        """SHA-256 of the file, once it is known."""
        self.audio: np.ndarray | None = None
        """(n,) samples, once a step has read them."""
        self.seconds = dict.fromkeys(STEPS, 0.0)
        self.cancelled = cancelled or (lambda: False)
        self._on_progress = on_progress

    def progress(self, step: str, fraction: float) -> None:
        if self._on_progress is not None:
            self._on_progress(step, fraction)

    def check(self) -> None:
        """Raises Cancelled if the user wants no more of it."""
        if self.cancelled():
            raise Cancelled

    def key(self, part: str) -> str:
        """The cache's name for a part of this clip's features."""
        return f"{self.content}-{EXTRACTOR_VERSION}-{part}"

    @contextmanager
    def timed(self, step: str) -> Generator[None]:
        """Adds the wall time of the block to that step."""
        started = time.perf_counter()
        yield
        self.seconds[step] += time.perf_counter() - started
