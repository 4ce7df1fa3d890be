"""Sources whose devices stall, raise, change and vanish on cue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from core.capture.items import CaptureError, Item, Picture, State, Status, now
from core.capture.source import STALL, Source

Eventually = Callable[..., Any]


class Cue:
    """A device that does what it is told: give an item, raise an error, or end."""

    def __init__(self) -> None:
        self.cues: queue.SimpleQueue[Item | Exception | None] = queue.SimpleQueue()
        self.obtained: dict[str, Any] = {}
        self.dropped = 0
        self.opened, self.closed = 0, 0
        self.refusal: Exception | None = None

    def open(self, stopped: threading.Event) -> Cue:
        self.opened += 1
        if self.refusal is not None:
            raise self.refusal
        return self

    def read(self) -> Item | None:
        cue = self.cues.get()
        if isinstance(cue, Exception):
            raise cue
        return cue

    def close(self) -> None:
        self.closed += 1

    def show(self, width: int = 4) -> None:
        """Give a picture of this size."""
        self.obtained = {"width": width}
        self.cues.put(Picture(now(), np.zeros((3, width, 3), dtype=np.uint8)))


class Followed:
    """A source of a device on cue, with all that came of it."""

    def __init__(self) -> None:
        self.device = Cue()
        self.items: list[Item] = []
        self.told: list[Status] = []
        self.source = Source("camera", self.device.open, self.items.append, self.told.append, (0.01, 0.02))
        self.source.start()

    @property
    def states(self) -> list[str]:
        return [status.state.value for status in self.told]

    def stop(self) -> None:
        self.device.cues.put(None)
        assert self.source.stop(10.0)


@pytest.fixture
def followed() -> Iterator[Followed]:
    one = Followed()
    yield one
    one.stop()


def test_a_source_opens_runs_ends_and_closes_its_device(followed: Followed, eventually: Eventually) -> None:
    followed.device.show()
    eventually(lambda: followed.items)
    followed.device.cues.put(None)
    eventually(lambda: followed.device.closed)
    eventually(lambda: followed.states == ["opening", "running", "ended"])


def test_a_device_that_raises_is_told_and_opened_again(followed: Followed, eventually: Eventually) -> None:
    followed.device.show()
    followed.device.cues.put(CaptureError("The cable is out.", "Plug it in.", State.ABSENT))
    followed.device.show()
    eventually(lambda: len(followed.items) == 2)
    assert followed.states == ["opening", "running", "absent", "running"]
    assert followed.told[2].reason == "The cable is out."
    assert followed.device.closed == 1


def test_a_device_that_is_busy_is_tried_until_it_is_free(followed: Followed, eventually: Eventually) -> None:
    followed.device.refusal = CaptureError("In use.", state=State.BUSY)
    followed.device.cues.put(CaptureError("gone"))
    eventually(lambda: followed.device.opened > 4)
    assert followed.source.status.state is State.BUSY
    followed.device.refusal = None
    followed.device.show()
    eventually(lambda: followed.source.status.state is State.RUNNING)


def test_a_device_that_stalls_is_failing_within_a_second_and_runs_again_by_itself(
    followed: Followed, eventually: Eventually
) -> None:
    followed.device.show()
    eventually(lambda: followed.items)
    began = now()
    eventually(lambda: followed.source.check() or followed.source.status.state is State.FAILING)
    assert STALL * 0.9 < now() - began < 1.0
    followed.device.show()
    eventually(lambda: followed.states == ["opening", "running", "failing", "running"])


def test_another_size_is_told_at_once(followed: Followed, eventually: Eventually) -> None:
    followed.device.show(4)
    eventually(lambda: followed.items)
    followed.device.show(8)
    eventually(lambda: len(followed.items) == 2)
    assert [status.obtained.get("width") for status in followed.told] == [None, 4, 8]


def test_a_fault_of_ours_is_a_state_too_and_in_the_log(
    followed: Followed, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    followed.device.cues.put(ZeroDivisionError("oops"))
    followed.device.show()
    eventually(lambda: followed.items)
    assert "oops" in followed.told[1].reason
    assert "Traceback" in caplog.text


def test_what_a_device_dropped_is_counted_over_reopenings(followed: Followed, eventually: Eventually) -> None:
    followed.device.dropped = 3
    followed.device.cues.put(CaptureError("gone"))
    followed.device.show()
    eventually(lambda: followed.items)
    assert followed.source.dropped == 6


def test_a_device_that_hangs_does_not_hold_up_the_end(eventually: Eventually) -> None:
    one = Followed()
    eventually(lambda: one.device.opened)
    began = now()
    assert not one.source.stop(0.05)
    assert now() - began < 1.0
    one.stop()
