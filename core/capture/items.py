"""What flows through capture: pictures and sound with the time they were taken, and how a source stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from core.errors import UserError

now = time.perf_counter
"""The one clock of capture: seconds since some fixed moment, never set back, the same in every process of
this machine (CLOCK_MONOTONIC, QueryPerformanceCounter or mach_absolute_time). `time.monotonic` would do as
well, were it not for its steps of 16 ms on Windows."""


@dataclass(frozen=True, slots=True)
class Picture:
    """stamp: when it was taken, in seconds of `now`. image: (H, W, 3) uint8 RGB, contiguous, final."""

    stamp: float
    image: np.ndarray


@dataclass(frozen=True, slots=True)
class Sound:
    """stamp: when the first sample was taken. samples: (n, channels) float32 in [-1, 1]; rate: a second."""

    stamp: float
    rate: int
    samples: np.ndarray

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


Item = Picture | Sound


class State(StrEnum):
    """How a source stands. From absent, busy and failing it is tried again; ended and closed are for good."""

    OPENING = "opening"
    RUNNING = "running"
    ABSENT = "absent"
    BUSY = "busy"
    FAILING = "failing"
    ENDED = "ended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Status:
    """A source's state, why (for people; "" while all is well), and what to do about it.

    obtained: what the device gives, which may differ from what was asked: width, height, fps of pictures;
    rate, channels of sound; name of the device.
    """

    state: State
    reason: str = ""
    remedy: str = ""
    obtained: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "state": self.state.value,
            "reason": self.reason,
            "remedy": self.remedy,
            "obtained": self.obtained,
        }


class CaptureError(UserError):
    """A device cannot be used, now at least; `state` says in which way: absent, busy or failing."""

    kind = "capture"

    def __init__(self, message: str, remedy: str = "", state: State = State.FAILING) -> None:
        super().__init__(message, remedy)
        self.state = state
