"""Records pictures and sound into a file that survives whatever happens to the program.

NAME.mp4 is recorded as NAME.recording.mkv, playable at every moment, and becomes NAME.mp4 when the recording
is stopped. What a killed program left behind becomes NAME.mp4 by `recover`, at the next start.
"""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import av

from core.capture.backlog import Backlog
from core.capture.container import Film, RecordingError, remux
from core.capture.items import Item, Picture, now
from core.capture.leftovers import Recovered, claim, growing, recover, release
from core.capture.timeline import SampleClock, Timeline
from core.errors import MediaError

__all__ = ["Phase", "Progress", "Recorder", "RecordingError", "Recovered", "recover"]

RESERVE = 64 * 2**20
"""Bytes left on the disk at which a recording is ended while it can still be ended well."""
_TAIL = 0.5
"""Seconds between a sound and its arrival: sound servers hold back a third of a second and more."""
_JITTER = 0.01
"""Seconds that a track may fall short of its end."""
_WAKE = 0.05
"""Seconds that the thread waits for the next item before it looks around."""
_LOOK = 0.25
"""Seconds between looks at the disk, and at a microphone that has fallen silent."""
_BEHIND, _FILL = 1.5, 1.0
"""Seconds without sound after which silence is written, and up to how long before now."""


class Phase(StrEnum):
    """How a recording stands. failed: it has ended by itself; what was written is kept."""

    RECORDING = "recording"
    PAUSED = "paused"
    FINISHING = "finishing"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording is. file: where it lies now. seconds: its length. dropped: pictures not recorded.

    silence: seconds of sound that did not come and are silent. left_s: seconds that still fit on the disk at
    the present rate, None while that is unknown. reason, remedy: of a failure, or of what was left undone.
    """

    phase: Phase
    file: str
    seconds: float
    bytes: int
    pictures: int
    dropped: int
    silence: float
    left_s: float | None
    reason: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class Recorder:
    """One recording, from its beginning to `stop`. `offer` may be called from any thread and never waits.

    picture: (width, height) of the film, which every picture is fitted to; sound: (rate, channels). One of
    them is needed. start: the moment of the capture clock from which on things are recorded.
    Raises RecordingError where the file exists or cannot be begun.
    """

    def __init__(
        self,
        file: Path,
        picture: tuple[int, int] | None,
        sound: tuple[int, int] | None,
        *,
        fps: float = 30.0,
        start: float | None = None,
        reserve: int = RESERVE,
    ) -> None:
        self.file, self.start = file, now() if start is None else start
        self.streams = tuple(name for name, of in (("pictures", picture), ("sound", sound)) if of)
        """What the file has: "pictures", "sound"."""
        self._reserve = reserve
        self._at = growing(file)
        self._film = _begin(file, self._at, picture, sound, fps)
        self._track = SampleClock(*sound) if sound else None
        self._timeline = Timeline(self.start)
        self._backlog = Backlog()
        self._lock = threading.Lock()
        self._phase, self._reason, self._remedy = Phase.RECORDING, "", ""
        self._pictures, self._heard = 0, now()
        self._free, self._looked = shutil.disk_usage(file.parent).free, 0.0
        self._make_mp4, self._patience = True, 0.0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def offer(self, item: Item) -> None:
        """Record a picture or sound, if its time is in this recording; dropped if the encoder is behind."""
        if not isinstance(item, Picture) or self._timeline.seconds(item.stamp) is not None:
            self._backlog.put(item)

    def pause(self, moment: float | None = None) -> None:
        """Leave out what comes from here on, until `resume`. Nothing happens unless it is recording."""
        with self._lock:
            if self._phase is Phase.RECORDING:
                self._timeline.pause(now() if moment is None else moment)
                self._phase = Phase.PAUSED

    def resume(self, moment: float | None = None) -> None:
        """Go on; the pause is not in the file. Nothing happens unless it is paused."""
        with self._lock:
            if self._phase is Phase.PAUSED:
                self._timeline.resume(now() if moment is None else moment)
                self._phase = Phase.RECORDING

    def stop(self, *, make_mp4: bool = True, tail: float = _TAIL, timeout: float | None = None) -> Progress:
        """End the recording and wait until the file is finished, at most `timeout` seconds.

        tail: seconds to wait for sound that was made before the end and is still on its way.

        make_mp4: False leaves the Matroska file, for which there is time when the program is told to end;
        `recover` does the rest. May be called again.
        """
        with self._lock:
            if self._phase in (Phase.RECORDING, Phase.PAUSED):
                if self._phase is Phase.RECORDING:
                    self._timeline.pause(now())
                self._make_mp4 = make_mp4
                self._patience = now() + tail
                self._phase = Phase.FINISHING
        self._thread.join(timeout)
        return self.progress()

    def progress(self) -> Progress:
        """How it stands; cheap, from any thread."""
        size, seconds = self._film.file.size, self._timeline.elapsed(now())
        rate = size / seconds if size and seconds > 1 else None
        left = round(max(0, self._free - self._reserve) / rate, 1) if rate else None
        return Progress(
            phase=self._phase,
            file=str(self._at),
            seconds=round(seconds, 3),
            bytes=size,
            pictures=self._pictures,
            dropped=self._backlog.dropped_pictures,
            silence=round(self._track.filled / self._track.rate, 3) if self._track else 0.0,
            left_s=left,
            reason=self._reason,
            remedy=self._remedy,
        )

    def _run(self) -> None:
        """The thread: encode what is offered, then finish."""
        try:
            while not self._backlog.done:
                item = self._backlog.take(_WAKE)
                if item is not None:
                    self._write(item)
                self._look()
                if self._phase is Phase.FINISHING and self._complete():
                    self._backlog.close()
            if self._track:
                self._write_silence(self._timeline.elapsed(now()))
            self._film.close()
        except Exception as error:
            # Whatever it is: a recording must never seem to go on while nothing is written.
            if not isinstance(error, OSError | av.FFmpegError | RecordingError):
                logging.getLogger(__name__).exception("the recorder failed")
            self._fail(error)
            return
        self._finish()

    def _complete(self) -> bool:
        """Whether all that was made before the end has arrived."""
        late = self._track is not None and self._track.seconds < self._timeline.elapsed(now()) - _JITTER
        return not late or now() > self._patience

    def _write(self, item: Item) -> None:
        if isinstance(item, Picture):
            seconds = self._timeline.seconds(item.stamp)
            if seconds is not None:
                self._pictures += self._film.add_picture(seconds, item.image)
        elif self._track:
            self._heard = now()
            for seconds, samples in self._timeline.cut(item):
                position = self._track.position
                for piece in self._track.fit(seconds, samples):
                    self._film.add_sound(position, piece)
                    position += len(piece)

    def _write_silence(self, until: float) -> None:
        if self._track:
            position = self._track.position
            for piece in self._track.silence(until):
                self._film.add_sound(position, piece)
                position += len(piece)

    def _look(self) -> None:
        """From time to time: at the disk, the file, the microphone."""
        moment = now()
        if moment - self._looked < _LOOK:
            return
        self._looked = moment
        if not self._at.exists():
            raise RecordingError(f"{self._at} was taken away while it was recorded", "Record it again.")
        self._free = shutil.disk_usage(self.file.parent).free
        if self._free < self._reserve:
            raise OSError(errno.ENOSPC, "No space left on device")
        elapsed = self._timeline.elapsed(moment)
        if self._track and min(moment - self._heard, elapsed - self._track.seconds) > _BEHIND:
            self._write_silence(elapsed - _FILL)

    def _fail(self, error: Exception) -> None:
        """End by itself: no more is taken in, and what is written is closed as well as it can be."""
        cause = self._film.file.error or error
        self._backlog.close()
        with self._lock:
            if self._phase is Phase.RECORDING:
                self._timeline.pause(now())
            self._phase = Phase.FAILED
            self._reason, self._remedy = _explained(cause, self._at)
        room = self._film.file.error is None and isinstance(cause, OSError)
        self._film.close(whole=room)
        if self._at.exists():
            self._finish()

    def _finish(self) -> None:
        """Make the MP4 file, where that is wanted and there is room for both."""
        phase = Phase.FINISHED if self._phase is not Phase.FAILED else Phase.FAILED
        try:
            if self._make_mp4:
                remux(self._at, self.file)
                self._at.unlink()
                self._at = self.file
        except (OSError, av.FFmpegError, MediaError) as error:
            self._reason = self._reason or f"{self.file.name} could not be made ({error})"
            self._remedy = self._remedy or f"The recording is whole in {self._at.name}."
        release(self.file)
        self._phase = phase


def _begin(
    file: Path, at: Path, picture: tuple[int, int] | None, sound: tuple[int, int] | None, fps: float
) -> Film:
    """The empty film. Raises RecordingError."""
    if not (picture or sound):
        raise RecordingError("There is neither a camera nor a microphone to record.", "Choose one.")
    for taken in (file, at):
        if taken.exists():
            raise RecordingError(f"{taken} exists", "Choose another name; a recording overwrites nothing.")
    try:
        claim(file)
        return Film(at, picture, sound, fps)
    except (OSError, av.FFmpegError) as error:
        with suppress(OSError):
            release(file)
        reason = error.strerror or str(error)
        raise RecordingError(f"{file}: {reason}", "Choose a folder that can be written to.") from error


def _explained(cause: Exception, at: Path) -> tuple[str, str]:
    """Reason and remedy of what ended a recording."""
    if isinstance(cause, RecordingError):
        return cause.message, cause.remedy
    if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The disk is full: the recording has ended.", f"What was recorded is kept in {at.parent}."
    return f"The recording has ended: {cause}", f"What was recorded is kept in {at.parent}."
