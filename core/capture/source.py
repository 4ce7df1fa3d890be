"""A source: one thread that opens a device, reads it, and opens it again when it fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from core.capture.items import CaptureError, Item, State, Status, now

STALL = 0.8
"""Seconds without an item after which a running source is failing, whatever its device says."""
BACK_OFF = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts to open a device; the last one for ever."""
_STEADY = 5.0
"""Seconds of running after which the next failure is tried again soon."""


class Device(Protocol):
    """An opened camera, microphone or file. All of it is called from the source's own thread."""

    obtained: dict[str, Any]
    """As in Status."""
    dropped: int
    """Items lost so far because nobody took them in time."""

    def read(self) -> Item | None:
        """The next item, waiting for it; None: it has ended. Raises CaptureError."""
        ...

    def close(self) -> None:
        """Let go of the device. Raises nothing."""
        ...


Open = Callable[[threading.Event], Device]
"""Opens a device or raises CaptureError. A read that waits shall return soon after the event is set."""


class Source:
    """A device kept open, for as long as it lasts, with its state.

    deliver: takes each item in the source's thread and must return at once. on_status: hears each change of
    state, from that thread or the one that calls `check`.
    """

    def __init__(
        self,
        name: str,
        open_device: Open,
        deliver: Callable[[Item], None],
        on_status: Callable[[Status], None] = lambda status: None,
        back_off: tuple[float, ...] = BACK_OFF,
    ) -> None:
        self.name = name
        self._open, self._deliver, self._on_status = open_device, deliver, on_status
        self._back_off = back_off
        self._stopped = threading.Event()
        self._lock = threading.RLock()
        self._status = Status(State.OPENING)
        self._seen = now()
        self._lost = 0
        self._device: Device | None = None
        self._thread = threading.Thread(target=self._run, name=f"capture-{name}", daemon=True)

    @property
    def status(self) -> Status:
        return self._status

    @property
    def dropped(self) -> int:
        """Items lost in the device or its buffers since the start."""
        device = self._device
        return self._lost + (device.dropped if device else 0)

    def start(self) -> None:
        """Begin. The first status is told before this returns."""
        self._tell(self._status)
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> bool:
        """Close the device; False if it did not let itself be closed within `timeout` seconds.

        Such a thread hangs in the driver; it ends with the process.
        """
        self._stopped.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def check(self) -> None:
        """Say so if nothing came for STALL seconds; to be called some times a second."""
        with self._lock:
            if self._status.state is State.RUNNING and now() - self._seen > STALL:
                reason = f"The {self.name} gives nothing any more."
                self._tell(Status(State.FAILING, reason, "Is it still plugged in?", self._status.obtained))

    def _run(self) -> None:
        attempt = 0
        while not self._stopped.is_set():
            began = now()
            status = self._attempt()
            if status.state is State.ENDED:
                self._tell(status)
                return
            if self._stopped.is_set():
                break
            self._tell(status)
            attempt = 0 if now() - began > _STEADY else attempt + 1
            self._stopped.wait(self._back_off[min(attempt, len(self._back_off)) - 1 if attempt else 0])
        self._tell(Status(State.CLOSED))

    def _attempt(self) -> Status:
        """Open and read until it ends, fails or is stopped; how it stands then."""
        try:
            self._device = self._open(self._stopped)
            return self._read(self._device)
        except CaptureError as error:
            return Status(error.state, error.message, error.remedy)
        except Exception as error:
            logging.getLogger(__name__).exception("%s failed", self.name)
            return Status(State.FAILING, f"{type(error).__name__}: {error}", "It is tried again.")
        finally:
            device, self._device = self._device, None
            if device is not None:
                self._lost += device.dropped
                device.close()

    def _read(self, device: Device) -> Status:
        while not self._stopped.is_set():
            item = device.read()
            if item is None:
                return Status(State.ENDED, obtained=device.obtained)
            with self._lock:
                self._seen = now()
                if self._status.state is not State.RUNNING or self._status.obtained != device.obtained:
                    self._tell(Status(State.RUNNING, obtained=dict(device.obtained)))
            self._deliver(item)
        return Status(State.CLOSED)

    def _tell(self, status: Status) -> None:
        with self._lock:
            self._status = status
            self._on_status(status)
