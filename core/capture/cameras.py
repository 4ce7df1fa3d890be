"""Cameras through OpenCV: by number or name, or at an address on the network."""

from __future__ import annotations

import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.capture.items import CaptureError, Picture, State, now
from core.capture.source import Open
from core.opencv import cv2

SCHEMES = ("http", "https", "rtsp", "rtsps")
"""Of addresses that are opened. FFmpeg knows many more, some of which read local files."""
_OPEN_MS, _READ_MS = 4000, 2000
"""How long an address is waited for, and its next picture."""
SYSTEM = Path("/sys/class/video4linux")
_DEVICES = Path("/dev")
_FRESH = 1.0
"""Seconds that a driver's time stamp may be old to be believed."""


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that the system knows; `index` is what OpenCV calls it."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a camera; it gives what comes nearest. fps in pictures a second."""

    width: int = 640
    height: int = 480
    fps: float = 30.0


def list_cameras(system: Path = SYSTEM) -> list[CameraInfo]:
    """The cameras there are. Linux names them; elsewhere the first four numbers are tried, without names."""
    if sys.platform.startswith("linux"):
        nodes = sorted(system.glob("video*"), key=lambda path: int(path.name.removeprefix("video")))
        # A camera has further nodes, for metadata, which give no pictures: those with an index above 0.
        return [CameraInfo(int(n.name[5:]), _line(n / "name")) for n in nodes if _line(n / "index") == "0"]
    return [CameraInfo(index, f"Camera {index}") for index in range(4) if _answers(index)]


def camera(index: int, wish: Wish) -> Open:
    """Opens a camera of this machine."""
    return lambda stopped: Camera(_opened(index), f"camera {index}", wish, local=index)


def address(url: str, wish: Wish) -> Open:
    """Opens a network camera: MJPEG over HTTP, or RTSP. Raises CaptureError for another kind of address."""
    if url.partition("://")[0].lower() not in SCHEMES:
        told = f"{shown(url)}: not an address of a camera"
        raise CaptureError(told, f"It begins with one of {', '.join(SCHEMES)}.")
    return lambda stopped: Camera(_reached(url), shown(url), wish, local=None)


def shown(url: str) -> str:
    """An address as it may be shown and logged: without the password in it."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


class Camera:
    """An opened cv2.VideoCapture."""

    def __init__(self, capture: Any, name: str, wish: Wish, local: int | None) -> None:
        self._capture, self._name, self._local = capture, name, local
        self.dropped = 0
        if local is not None:
            _set(capture, wish)
        fps = capture.get(cv2().CAP_PROP_FPS)
        self.obtained: dict[str, Any] = {"name": name, "fps": round(fps, 2) if 0 < fps < 1000 else 0.0}
        self._stamped = local is not None and capture.getBackendName() == "V4L2"

    def read(self) -> Picture | None:
        if not self._capture.grab():
            raise self._gone()
        stamp = self._stamp()
        good, image = self._capture.retrieve()
        if not good or image is None or image.size == 0:
            raise self._gone()
        if image.ndim == 2:
            image = cv2().cvtColor(image, cv2().COLOR_GRAY2RGB)
        else:
            image = cv2().cvtColor(image, cv2().COLOR_BGR2RGB)
        self.obtained["width"], self.obtained["height"] = image.shape[1], image.shape[0]
        return Picture(stamp, image)

    def close(self) -> None:
        self._capture.release()

    def _stamp(self) -> float:
        """When the picture was taken: as the driver says where it can be believed, else now."""
        moment = now()
        if self._stamped:
            said = self._capture.get(cv2().CAP_PROP_POS_MSEC) / 1000
            if 0 <= moment - said < _FRESH:
                return said
        return moment

    def _gone(self) -> CaptureError:
        if self._local is None:
            return CaptureError(f"{self._name} sends no pictures any more.", "It is tried again.")
        if sys.platform.startswith("linux") and not (_DEVICES / f"video{self._local}").exists():
            return _absent(self._local)
        return CaptureError(f"The {self._name} gives no pictures any more.", "Is it still plugged in?")


def _set(capture: Any, wish: Wish) -> None:
    """Ask for size and rate; compressed, for the plain format does not fit a USB 2 cable at 30 a second."""
    capture.set(cv2().CAP_PROP_FOURCC, cv2().VideoWriter_fourcc(*"MJPG"))
    capture.set(cv2().CAP_PROP_FRAME_WIDTH, wish.width)
    capture.set(cv2().CAP_PROP_FRAME_HEIGHT, wish.height)
    capture.set(cv2().CAP_PROP_FPS, wish.fps)


def _opened(index: int) -> Any:
    """The camera, or the reason why not."""
    if sys.platform.startswith("linux"):
        _look(_DEVICES / f"video{index}", index)
    capture = cv2().VideoCapture(index)
    if capture.isOpened():
        return capture
    capture.release()
    if any(known.index == index for known in list_cameras()):
        raise CaptureError(f"Camera {index} does not answer.", "Close the program that uses it.", State.BUSY)
    raise _absent(index)


def _look(device: Path, index: int) -> None:
    """Raise what opening the device's file says."""
    try:
        os.close(os.open(device, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            raise _absent(index) from error
        if error.errno == errno.EBUSY:
            told = f"Camera {index} is in use.", "Close the program that uses it."
            raise CaptureError(*told, State.BUSY) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            told = (
                f"Camera {index} may not be used by you.",
                "Add yourself to the group `video`, log in again.",
            )
            raise CaptureError(*told) from error
        raise CaptureError(f"Camera {index}: {error.strerror}") from error


def _absent(index: int) -> CaptureError:
    return CaptureError(f"There is no camera {index}.", "Plug it in, or choose another.", State.ABSENT)


def _reached(url: str) -> Any:
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    library = cv2()
    limits = [library.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, library.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
    capture = library.VideoCapture(url, library.CAP_FFMPEG, limits)
    if not capture.isOpened():
        capture.release()
        raise CaptureError(
            f"{shown(url)} does not answer.", "Check the address and the network.", State.ABSENT
        )
    return capture


def _answers(index: int) -> bool:
    capture = cv2().VideoCapture(index)
    try:
        return bool(capture.isOpened())
    finally:
        capture.release()


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
