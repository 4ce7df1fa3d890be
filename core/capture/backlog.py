"""What waits for a consumer that may be slower: bounded, and what does not fit is counted."""

from __future__ import annotations

import threading
from collections import deque

from core.capture.items import Item, Picture

PICTURE_BYTES = 96 * 2**20
"""Pictures that may wait: 3 s at 640 x 480, half a second at 1920 x 1080, 30 a second."""
SOUND_SECONDS = 60.0
"""Sound that may wait: it is small, and a hole in it is worse than a picture that is not there."""


class Backlog:
    """A queue between threads. `put` never waits; new items are refused while too much is waiting."""

    def __init__(self, picture_bytes: int = PICTURE_BYTES, sound_seconds: float = SOUND_SECONDS) -> None:
        self._picture_bytes, self._sound_seconds = picture_bytes, sound_seconds
        self._items: deque[Item] = deque()
        self._bytes, self._seconds = 0, 0.0
        self._closed = False
        self._changed = threading.Condition()
        self.dropped_pictures = 0
        self.dropped_seconds = 0.0
        """Of sound."""

    def put(self, item: Item) -> bool:
        """Queue an item; False if it was dropped, or the queue is closed."""
        with self._changed:
            if self._closed or not self._fits(item):
                return False
            self._weigh(item, 1)
            self._items.append(item)
            self._changed.notify()
            return True

    def take(self, timeout: float) -> Item | None:
        """The oldest item; None if none came in time, or nothing is left in a closed queue."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(timeout)
            if not self._items:
                return None
            item = self._items.popleft()
            self._weigh(item, -1)
            return item

    def close(self) -> None:
        """Take in nothing more; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def done(self) -> bool:
        """Closed, and all taken."""
        with self._changed:
            return self._closed and not self._items

    def _fits(self, item: Item) -> bool:
        if isinstance(item, Picture):
            fits = self._bytes + item.image.nbytes <= self._picture_bytes
            self.dropped_pictures += not fits
            return fits
        fits = self._seconds + item.seconds <= self._sound_seconds
        self.dropped_seconds += 0.0 if fits else item.seconds
        return fits

    def _weigh(self, item: Item, sign: int) -> None:
        if isinstance(item, Picture):
            self._bytes += sign * item.image.nbytes
        else:
            self._seconds += sign * item.seconds
