"""Microphones through sounddevice (PortAudio), at their own rate."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.capture.items import CaptureError, Sound, State, now
from core.capture.source import STALL, Open

DEFAULT = "default"
"""The name of whatever microphone the system prefers."""
_WAITING = 500
"""Blocks that may wait between the sound card's thread and ours: several seconds."""
_FIRST = 4.0
"""Seconds until the first block: a sound server wakes a sleeping device only now."""
_SETTLING = 0.7
"""Seconds of sound that are not used: a sound server first hands over what it had kept, up to a third of a
second off in time (measured with PulseAudio)."""
_OLDEST = 5.0
"""Seconds of delay that a device may claim to be believed."""

_library = threading.Lock()
_open_streams = 0


@dataclass(frozen=True, slots=True)
class MicrophoneInfo:
    """A microphone that PortAudio knows: its name, its own rate in samples a second, its channels."""

    name: str
    rate: int
    channels: int
    preferred: bool


def list_microphones() -> list[MicrophoneInfo]:
    """The microphones there are, found anew unless one is open. Raises CaptureError without PortAudio."""
    with _library:
        library = _sounddevice()
        if not _open_streams:
            _look_again(library)
        preferred = library.default.device[0]
        return [
            MicrophoneInfo(
                device["name"],
                round(device["default_samplerate"]),
                device["max_input_channels"],
                device["index"] == preferred,
            )
            for device in library.query_devices()
            if device["max_input_channels"] > 0
        ]


def in_use() -> bool:
    """Whether this process has a microphone open."""
    return _open_streams > 0


def microphone(name: str = DEFAULT) -> Open:
    """Opens a microphone by its name, or a part of it that no other has; or the system's preferred one."""
    return lambda stopped: Microphone(name, stopped)


class Microphone:
    """An open stream of PortAudio, whose thread hands blocks over to ours."""

    def __init__(self, name: str, stopped: threading.Event) -> None:
        global _open_streams
        self._stopped = stopped
        self._blocks: queue.Queue[Sound] = queue.Queue(_WAITING)
        self.dropped, self._patience, self._began = 0, _FIRST, 0.0
        with _library:
            library = _sounddevice()
            if not _open_streams:
                _look_again(library)
            device = _find(library, name)
            self._rate = round(device["default_samplerate"])
            channels = min(device["max_input_channels"], 2)
            self.obtained: dict[str, Any] = {"name": device["name"], "rate": self._rate, "channels": channels}
            try:
                self._stream = library.InputStream(
                    samplerate=self._rate,
                    device=device["index"],
                    channels=channels,
                    dtype="float32",
                    latency="high",
                    callback=self._take,
                )
                self._stream.start()
            except library.PortAudioError as error:
                raise _explained(error, device["name"]) from error
            _open_streams += 1

    def read(self) -> Sound | None:
        while not self._stopped.is_set():
            try:
                sound = self._blocks.get(timeout=self._patience)
                self._patience = STALL
                return sound
            except queue.Empty:
                break
        raise CaptureError("The microphone gives no sound any more.", "Is it still plugged in?")

    def close(self) -> None:
        global _open_streams
        with _library:
            self._stream.close(ignore_errors=True)
            _open_streams -= 1

    def _take(self, samples: np.ndarray, count: int, time: Any, status: Any) -> None:
        """In PortAudio's thread, which may have waited for Python's lock: so its clock is asked anew."""
        moment = now()
        self._began = self._began or moment
        if moment - self._began < _SETTLING:
            return
        delay = self._stream.time - time.inputBufferAdcTime
        if not count / self._rate <= delay < _OLDEST:
            delay = count / self._rate
        self.dropped += bool(status.input_overflow)
        try:
            self._blocks.put_nowait(Sound(moment - delay, self._rate, samples.copy()))
        except queue.Full:
            self.dropped += 1


def _sounddevice() -> Any:
    """The library, which looks for PortAudio when it is imported."""
    try:
        import sounddevice
    except OSError as error:
        told = "PortAudio is missing, without which no microphone can be used."
        remedy = "Install it; on Debian and Ubuntu: sudo apt-get install libportaudio2"
        raise CaptureError(told, remedy, State.ABSENT) from error
    return sounddevice


def _look_again(library: Any) -> None:
    """PortAudio lists the devices once, when it is started; so it is started again."""
    library._terminate()
    library._initialize()


def _find(library: Any, name: str) -> dict[str, Any]:
    devices = [device for device in library.query_devices() if device["max_input_channels"] > 0]
    if name == DEFAULT:
        found = [device for device in devices if device["index"] == library.default.device[0]]
    else:
        found = [device for device in devices if device["name"] == name]
        found = found or [device for device in devices if name.casefold() in device["name"].casefold()]
    if not found:
        what = "no microphone" if name == DEFAULT else f"no microphone named {name!r}"
        raise CaptureError(f"There is {what}.", "Plug it in, or choose another.", State.ABSENT)
    return found[0]


def _explained(error: Exception, name: str) -> CaptureError:
    text = str(error.args[0]) if error.args else str(error)
    if "unavailable" in text.lower() or "busy" in text.lower():
        return CaptureError(f"{name} is in use.", "Close the program that uses it.", State.BUSY)
    return CaptureError(f"{name}: {text}", "It is tried again.", State.FAILING)
