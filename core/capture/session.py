"""A camera and a microphone together: opened, listened to by whoever likes, recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.capture import cameras, files, microphones
from core.capture.cameras import Wish
from core.capture.items import CaptureError, Item, Picture, Sound, State, Status, now
from core.capture.level import Meter
from core.capture.source import Device, Open, Source
from core.recorder import RESERVE, Progress, Recorder

Listener = Callable[[Item], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What to open. None: none.

    camera: a number, a name of `list_cameras` or part of it, an address (http, https, rtsp), or a file.
    microphone: a name of `list_microphones` or part of it, "default", or a file. Files are played in real
    time, and those of one choice begin together.
    """

    camera: str | None = None
    microphone: str | None = None
    wish: Wish = field(default_factory=Wish)


def camera_source(text: str, wish: Wish, playing: files.Playing) -> Open:
    """What a choice's camera means. Raises CaptureError for an address that is none of a camera."""
    if "://" in text:
        return cameras.address(text, wish)
    if text.isdecimal():
        return cameras.camera(int(text), wish)
    if (path := Path(text)).exists() or path.suffix:
        return files.pictures(path, playing)

    def named(stopped: threading.Event) -> Device:
        for known in cameras.list_cameras():
            if text.casefold() in known.name.casefold():
                return cameras.camera(known.index, wish)(stopped)
        raise CaptureError(f"There is no camera {text!r}.", "Plug it in, or choose another.", State.ABSENT)

    return named


def microphone_source(text: str, playing: files.Playing) -> Open:
    """What a choice's microphone means."""
    path = Path(text)
    return files.sound(path, playing) if path.is_file() else microphones.microphone(text)


class Session:
    """The sources of one choice, from `start` to `close`.

    on_status: hears (name, status) of "camera" and "microphone" from their threads. Listeners get every item
    in its source's thread and must return at once. Raises CaptureError for a choice that cannot be meant.
    """

    def __init__(self, choice: Choice, on_status: Callable[[str, Status], None]) -> None:
        self.choice = choice
        self.meter = Meter()
        self.recorder: Recorder | None = None
        self._dropped_before = 0
        self._listeners: list[Listener] = []
        self._latest: dict[str, Item] = {}
        self._lock = threading.Lock()
        self._arrived = threading.Condition()
        self._on_status = on_status
        playing = files.Playing()
        self.sources: dict[str, Source] = {}
        if choice.camera is not None:
            self._add("camera", camera_source(choice.camera, choice.wish, playing))
        if choice.microphone is not None:
            self._add("microphone", microphone_source(choice.microphone, playing))

    def listen(self, listener: Listener) -> None:
        """Give every item to `listener` from now on."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Open the sources; their states are told as they come."""
        for source in self.sources.values():
            source.start()

    def check(self) -> None:
        """Notice what has stopped giving anything; to be called some ten times a second."""
        for source in self.sources.values():
            source.check()

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to come from any source: files played to their end."""
        return all(s.status.state in (State.ENDED, State.CLOSED) for s in self.sources.values())

    def wait(self, timeout: float, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until every source gives something; False if one did not in time, or `given_up` says so."""
        deadline = now() + timeout
        with self._arrived:
            while set(self._latest) != set(self.sources):
                if now() > deadline or given_up():
                    return False
                self._arrived.wait(0.1)
            return True

    def record(self, file: Path, reserve: int = RESERVE) -> Recorder:
        """Record into `file` (an .mp4) what runs at present, from the newest picture on.

        Raises RecordingError.
        """
        with self._lock:
            picture, sound = self._running("camera"), self._running("microphone")
            recorder = Recorder(
                file,
                picture.image.shape[1::-1] if isinstance(picture, Picture) else None,
                (sound.rate, sound.samples.shape[1]) if isinstance(sound, Sound) else None,
                fps=self._fps(),
                start=picture.stamp if picture else None,
                reserve=reserve,
            )
            for item in (picture, sound):
                if item is not None:
                    recorder.offer(item)
            self.recorder, self._dropped_before = recorder, self._camera_dropped()
            return recorder

    def progress(self) -> Progress:
        """How the recording stands; pictures that the camera's side dropped are counted too."""
        assert self.recorder is not None
        progress = self.recorder.progress()
        return replace(progress, dropped=progress.dropped + self._camera_dropped() - self._dropped_before)

    def _camera_dropped(self) -> int:
        source = self.sources.get("camera")
        return source.dropped if source else 0

    def close(self, timeout: float = 1.0) -> bool:
        """Close the sources, all at once; False where a driver hangs. A recording is not ended by this."""
        for source in self.sources.values():
            source.stop(0.0)
        return all([source.stop(timeout) for source in self.sources.values()])

    def _add(self, name: str, opener: Open) -> None:
        self.sources[name] = Source(
            name,
            opener,
            lambda item: self._take(name, item),
            lambda status: self._on_status(name, status),
        )

    def _take(self, name: str, item: Item) -> None:
        with self._lock:
            new = name not in self._latest
            self._latest[name] = item
            if self.recorder is not None:
                self.recorder.offer(item)
        if new:
            with self._arrived:
                self._arrived.notify_all()
        if isinstance(item, Sound):
            self.meter.add(item)
        for listener in self._listeners:
            listener(item)

    def _running(self, name: str) -> Item | None:
        """The newest item of a source that is running."""
        source = self.sources.get(name)
        return self._latest.get(name) if source and source.status.state is State.RUNNING else None

    def _fps(self) -> float:
        source = self.sources.get("camera")
        said = source.status.obtained.get("fps") if source else None
        return float(said or self.choice.wish.fps)
