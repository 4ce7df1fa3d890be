"""Pictures and sound in shared memory, for other processes of this machine to read without a pipe between.

One process writes; any number attach by name and read. Nobody waits for anybody: the writer goes round and
round, and a reader notices when what it read was written over meanwhile (a sequence lock).

A ring of pictures has a header, then slots of a header and a picture each; number n is in slot n modulo
their count. A slot's `begun` is set before and its `number` after the picture is written; both are n only
while the picture is whole. A ring of sound is one long row of samples, of which the header says how many
have been written. All numbers are 64 bits, little-endian.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from typing import Self

import av
import numpy as np

from core.capture.items import Picture, Sound
from core.errors import UserError
from core.media import SAMPLE_RATE

VERSION = 1
SLOTS = 4
"""A reader has the time of three pictures, 100 ms at 30 a second, to look at one."""
LARGEST = 1920 * 1080
"""Pixels of a slot; larger pictures are halved until they fit."""
SOUND_SECONDS = 30.0
_PICTURES, _SOUND = 0x70696374, 0x736F756E
_HEAD = np.dtype(
    {
        "names": ["kind", "version", "size", "slots", "written", "claimed", "end"],
        "formats": ["<i8"] * 6 + ["<f8"],
        "itemsize": 64,
    }
)
"""size: pixels of a slot, or samples. written: pictures or samples so far. Of sound only: claimed, what is
about to be written; end, the time stamp after the last sample."""
_SLOT = np.dtype(
    [("begun", "<i8"), ("number", "<i8"), ("width", "<i8"), ("height", "<i8"), ("stamp", "<f8"), ("", "V24")]
)
_TRIES = 1000
"""Looks at a header that is being written, which takes microseconds; the writer may have died amid it."""
_attaching = threading.Lock()


class RingError(UserError):
    """Shared memory cannot be attached: whoever wrote it has ended, or is of another version."""

    kind = "capture"


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture in the ring. image: a view of it, RGB, true only for as long as `Pictures.intact` says so."""

    number: int
    stamp: float
    image: np.ndarray


@dataclass(frozen=True, slots=True)
class Heard:
    """Samples out of the ring: (n,) float32 mono at core.media.SAMPLE_RATE, a copy.

    first: the number of the first one, counted since the ring was made; stamp: when it was taken. What was
    written over before it was read is missing before `first`.
    """

    first: int
    stamp: float
    samples: np.ndarray

    @property
    def after(self) -> int:
        """The number to ask for next."""
        return self.first + len(self.samples)


class _Ring:
    """What both have: the memory, its kind and version in the header."""

    _kind = 0

    def __init__(self, memory: SharedMemory, owner: bool) -> None:
        self._memory, self._owner = memory, owner
        self._head = self._array(1, _HEAD, 0)

    @property
    def name(self) -> str:
        """What another process attaches by."""
        return self._memory.name

    @property
    def written(self) -> int:
        """Pictures or samples written since the ring was made."""
        return int(self._head["written"][0])

    @classmethod
    def attach(cls, name: str) -> Self:
        """The ring of another process, to read from. Raises RingError."""
        try:
            memory = _attached(name)
        except (OSError, ValueError) as error:
            raise RingError("The camera's pictures cannot be reached: capture has ended.") from error
        ring = cls(memory, owner=False)
        if ring._head["kind"][0] != cls._kind or ring._head["version"][0] != VERSION:
            ring.close()
            raise RingError("Capture is of another version of this program.", "Start the program again.")
        ring._map()
        return ring

    def close(self) -> None:
        """Let go of the memory, which views that are still held make impossible; the owner removes it."""
        del self._head
        self._let_go()
        try:
            self._memory.close()
        finally:
            if self._owner:
                self._memory.unlink()

    def _map(self) -> None:
        """Make views of what follows the header."""

    def _let_go(self) -> None:
        """Drop them."""

    def _array(self, count: int, of: np.dtype, start: int) -> np.ndarray:
        """A view of the memory: `count` elements from byte `start` on."""
        return np.ndarray((count,), of, self._memory.buf, start)

    @classmethod
    def _made(cls, size: int, slots: int, content: int) -> Self:
        """A new ring of `content` bytes after the header."""
        ring = cls(SharedMemory(create=True, size=_HEAD.itemsize + content), owner=True)
        ring._head[0] = (cls._kind, VERSION, size, slots, 0, 0, 0.0)
        ring._map()
        return ring


class Pictures(_Ring):
    """A ring of pictures. The writer calls `create` and `write`, a reader `attach`, `latest` and `intact`.

    >>> ring = Pictures.create(pixels=4)
    >>> ring.write(Picture(12.5, np.full((2, 2, 3), 7, np.uint8)))
    >>> seen = ring.latest(after=0)
    >>> seen.number, seen.stamp, int(seen.image.max()), ring.intact(seen), ring.latest(after=1)
    (1, 12.5, 7, True, None)
    >>> del seen
    >>> ring.close()
    """

    _kind = _PICTURES

    @classmethod
    def create(cls, slots: int = SLOTS, pixels: int = LARGEST) -> Self:
        """An empty ring of this process. Raises OSError."""
        return cls._made(pixels, slots, slots * (_SLOT.itemsize + 3 * pixels))

    def write(self, picture: Picture) -> None:
        """Put a picture in, over the oldest one. Must be called from one thread."""
        image = picture.image
        while image.shape[0] * image.shape[1] > self._pixels:
            image = image[::2, ::2]
        height, width = image.shape[:2]
        number = self.written + 1
        slot = self._slots[number % len(self._slots)]
        slot["begun"] = number
        slot["width"], slot["height"], slot["stamp"] = width, height, picture.stamp
        self._view(number, width, height)[:] = image
        slot["number"] = number
        self._head["written"] = number

    def latest(self, after: int = 0) -> Seen | None:
        """The newest picture; None if its number is not above `after`. Not copied: see `intact`."""
        number = self.written
        if number <= after:
            return None
        slot = self._slots[number % len(self._slots)]
        width, height = int(slot["width"][0]), int(slot["height"][0])
        if not 0 < width * height <= self._pixels:
            return None  # torn: the two are of different pictures
        seen = Seen(number, float(slot["stamp"][0]), self._view(number, width, height))
        return seen if self.intact(seen) else None

    def intact(self, seen: Seen) -> bool:
        """Whether the picture is still whole; ask after having used it, and forget what you made if not."""
        slot = self._slots[seen.number % len(self._slots)]
        return bool(slot["begun"][0] == seen.number == slot["number"][0])

    def copy_latest(self, after: int = 0) -> Seen | None:
        """As `latest`, with an image of the reader's own."""
        seen = self.latest(after)
        if seen is None:
            return None
        copy = Seen(seen.number, seen.stamp, seen.image.copy())
        return copy if self.intact(seen) else None

    def _view(self, number: int, width: int, height: int) -> np.ndarray:
        """(height, width, 3) of the slot of a picture."""
        place = self._places[number % len(self._slots)]
        return place[: height * width * 3].reshape(height, width, 3)

    def _map(self) -> None:
        self._pixels = int(self._head["size"][0])
        step = _SLOT.itemsize + 3 * self._pixels
        starts = [_HEAD.itemsize + slot * step for slot in range(int(self._head["slots"][0]))]
        self._slots = [self._array(1, _SLOT, start) for start in starts]
        bytes_ = np.dtype("u1")
        self._places = [self._array(3 * self._pixels, bytes_, start + _SLOT.itemsize) for start in starts]

    def _let_go(self) -> None:
        self._slots, self._places = [], []


class Sounds(_Ring):
    """The newest half minute of sound as one track without holes, mono at core.media.SAMPLE_RATE.

    What a microphone did not give is zeros, so that a sample's number tells its time.

    >>> ring = Sounds.create()
    >>> ring.write(Sound(5.0, SAMPLE_RATE, np.full((160, 1), 0.5, np.float32)))
    >>> heard = ring.read(after=100)
    >>> heard.first, len(heard.samples), float(heard.samples[0]), round(heard.stamp, 5)
    (100, 60, 0.5, 5.00625)
    >>> ring.close()
    """

    _kind = _SOUND

    def __init__(self, memory: SharedMemory, owner: bool) -> None:
        super().__init__(memory, owner)
        self._converter: _Converter | None = None

    @classmethod
    def create(cls, seconds: float = SOUND_SECONDS) -> Self:
        """An empty ring of this process. Raises OSError."""
        count = round(seconds * SAMPLE_RATE)
        return cls._made(count, 0, 4 * count)

    def write(self, sound: Sound) -> None:
        """Append a block of any rate and number of channels. Must be called from one thread."""
        written = self.written
        if self._converter is None or self._converter.rate != sound.rate:
            self._converter = _Converter(sound.rate)
        samples = self._converter(sound)
        end = sound.stamp + sound.seconds
        hole = round((end - float(self._head["end"][0])) * SAMPLE_RATE) - len(samples) if written else 0
        if hole > 0.1 * SAMPLE_RATE:
            samples = np.concatenate([np.zeros(min(hole, self._count), np.float32), samples])
        samples = samples[-self._count :]
        self._head["claimed"] = written + len(samples)
        places = (written + np.arange(len(samples))) % self._count
        self._samples[places] = samples
        self._head["end"] = end
        self._head["written"] = written + len(samples)

    def read(self, after: int, most: int | None = None) -> Heard:
        """The samples from number `after` on, or from the oldest one there is; at most `most` of them."""
        written, end = self._stand()
        first = max(after, written - self._count, 0)
        until = written if most is None else min(written, first + most)
        samples = self._samples[np.arange(first, until) % self._count]
        torn = max(
            0, int(self._head["claimed"][0]) - self._count - first
        )  # overwritten while they were copied
        first, samples = min(first + torn, until), samples[torn:]
        return Heard(first, end - (written - first) / SAMPLE_RATE, samples)

    def _stand(self) -> tuple[int, float]:
        """How many samples there are and when the last one ends, both of the same moment."""
        for _ in range(_TRIES):
            written, end = self.written, float(self._head["end"][0])
            if self._head["claimed"][0] == written:
                break
        return written, end

    def _map(self) -> None:
        self._count = int(self._head["size"][0])
        self._samples = self._array(self._count, np.dtype("<f4"), _HEAD.itemsize)

    def _let_go(self) -> None:
        self._samples = np.zeros(0, np.float32)


class _Converter:
    """Sound of one rate to mono at SAMPLE_RATE, block by block without seams, as core.media does it."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)

    def __call__(self, sound: Sound) -> np.ndarray:
        mono = sound.samples.mean(axis=1, dtype=np.float32)[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(mono), format="flt", layout="mono")
        frame.sample_rate = sound.rate
        pieces = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _attached(name: str) -> SharedMemory:
    """The memory of that name, without this process removing it for everybody when it ends.

    Python registers whatever is attached for removal, and has a switch for that only from 3.13 on.
    """
    if sys.version_info >= (3, 13):
        return SharedMemory(name, track=False)
    with _attaching:
        register = resource_tracker.register
        setattr(resource_tracker, "register", lambda *_: None)  # noqa: B010  typed as a bound method
        try:
            return SharedMemory(name)
        finally:
            setattr(resource_tracker, "register", register)  # noqa: B010
