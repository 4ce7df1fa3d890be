"""Cameras: what the system lists, one on the network, files in their place, and why one cannot be opened."""

from __future__ import annotations

import errno
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.capture import cameras, files
from core.capture.cameras import CameraInfo, Wish, list_cameras, shown
from core.capture.items import CaptureError, Item, Picture, State, Status, now
from core.capture.session import camera_source
from core.capture.source import Source
from core.opencv import cv2

Eventually = Callable[..., Any]


class MotionJpeg:
    """A network camera on loopback: grey pictures, each brighter by 10, for as long as `on` is set."""

    def __init__(self) -> None:
        self.on, self.over = threading.Event(), threading.Event()
        self.on.set()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
                self.end_headers()
                camera.stream(self.wfile)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        self.url = f"http://user:secret@127.0.0.1:{self.server.server_port}/video?token=1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def stream(self, out: Any) -> None:
        number = 0
        while self.on.is_set() and not self.over.wait(1 / 30):
            number += 1
            image = np.full((48, 64, 3), (10 * number) % 250, dtype=np.uint8)
            jpeg = cv2().imencode(".jpg", image)[1].tobytes()
            try:
                out.write(b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
                out.write(jpeg + b"\r\n")
            except OSError:
                return

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def network_camera() -> Iterator[MotionJpeg]:
    camera = MotionJpeg()
    yield camera
    camera.close()


class Watched:
    """A source with what it gave and told."""

    def __init__(self, opener: Any) -> None:
        self.items: list[Item] = []
        self.told: list[Status] = []
        self.source = Source("camera", opener, self.items.append, self.told.append, (0.05,))
        self.source.start()

    @property
    def state(self) -> State:
        return self.source.status.state


@pytest.fixture
def watch() -> Iterator[Callable[[Any], Watched]]:
    started: list[Watched] = []

    def start(opener: Any) -> Watched:
        started.append(Watched(opener))
        return started[-1]

    yield start
    assert all([one.source.stop(10.0) for one in started])


def test_a_network_camera_is_watched_lost_and_found_again(
    network_camera: MotionJpeg, watch: Callable[[Any], Watched], eventually: Eventually
) -> None:
    seen = watch(cameras.address(network_camera.url, Wish()))
    eventually(lambda: len(seen.items) >= 5)
    pictures = [item for item in seen.items if isinstance(item, Picture)]
    assert pictures[0].image.shape == (48, 64, 3)
    assert all(one.stamp <= other.stamp <= now() for one, other in pairwise(pictures))
    assert pictures[1].image.mean() == pytest.approx(pictures[0].image.mean() + 10, abs=3)
    network_camera.on.clear()
    eventually(lambda: seen.state is not State.RUNNING)
    assert "secret" not in str(seen.told)
    network_camera.on.set()
    before = len(seen.items)
    eventually(lambda: seen.state is State.RUNNING and len(seen.items) > before)


def test_an_address_that_nobody_answers_at_is_absent(
    network_camera: MotionJpeg, watch: Callable[[Any], Watched], eventually: Eventually
) -> None:
    port = network_camera.server.server_port
    network_camera.close()
    seen = watch(cameras.address(f"http://127.0.0.1:{port}/", Wish()))
    eventually(lambda: seen.state is State.ABSENT)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "concat:a|b://", "data://text"])
def test_only_addresses_of_cameras_are_opened(url: str) -> None:
    with pytest.raises(CaptureError, match="not an address"):
        cameras.address(url, Wish())


def test_what_is_shown_of_an_address_holds_no_password() -> None:
    assert shown("rtsp://me:secret@10.0.0.7:554/cam/1?key=hidden") == "rtsp://10.0.0.7:554/cam/1"


def test_linux_names_its_cameras_and_nodes_for_metadata_are_none(tmp_path: Path) -> None:
    for number, name, index in (
        (0, "Integrated Camera", 0),
        (1, "Integrated Camera", 1),
        (10, "Logitech", 0),
    ):
        node = tmp_path / f"video{number}"
        node.mkdir()
        (node / "name").write_text(f"{name}\n")
        (node / "index").write_text(f"{index}\n")
    assert list_cameras(tmp_path) == [CameraInfo(0, "Integrated Camera"), CameraInfo(10, "Logitech")]
    assert list_cameras(tmp_path / "none") == []


def test_a_camera_that_is_not_there_is_absent() -> None:
    for which in ("77", "No such camera"):
        with pytest.raises(CaptureError) as told:
            camera_source(which, Wish(), files.Playing())(threading.Event())
        assert told.value.state is State.ABSENT
        assert told.value.remedy


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the device's file, which Linux has")
@pytest.mark.parametrize(
    ("error", "state", "says"),
    [
        (errno.EBUSY, State.BUSY, "Close the program"),
        (errno.EACCES, State.FAILING, "group `video`"),
        (errno.ENODEV, State.ABSENT, "Plug it in"),
    ],
)
def test_what_the_system_says_of_a_camera_becomes_a_state_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, error: int, state: State, says: str
) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(error, "refused")

    monkeypatch.setattr(cameras.os, "open", refuse)
    with pytest.raises(CaptureError) as told:
        cameras.camera(0, Wish())(threading.Event())
    assert told.value.state is state
    assert says in told.value.remedy


class Driver:
    """A cv2.VideoCapture of a driver that stamps its pictures."""

    def __init__(self, said: float, gives: bool = True) -> None:
        self.said, self.gives = said, gives

    def get(self, what: int) -> float:
        return self.said * 1000 if what == cv2().CAP_PROP_POS_MSEC else 30.0

    def set(self, *_: Any) -> bool:
        return True

    def getBackendName(self) -> str:
        return "V4L2"

    def grab(self) -> bool:
        return self.gives

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.full((2, 2, 3), (1, 2, 3), dtype=np.uint8)


def test_a_drivers_time_stamp_is_taken_if_it_can_be_believed() -> None:
    moment = now()
    assert cameras.Camera(Driver(moment - 0.05), "it", Wish(), 0).read().stamp == pytest.approx(moment - 0.05)
    assert cameras.Camera(Driver(moment - 50), "it", Wish(), 0).read().stamp >= moment
    assert cameras.Camera(Driver(moment), "it", Wish(), 0).read().image[0, 0].tolist() == [3, 2, 1]


def test_a_camera_that_is_pulled_out_is_absent_and_one_that_only_stops_is_failing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "_DEVICES", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    camera = cameras.Camera(Driver(0.0, gives=False), "camera 0", Wish(), 0)
    with pytest.raises(CaptureError) as told:
        camera.read()
    assert told.value.state is State.ABSENT
    (tmp_path / "video0").touch()
    with pytest.raises(CaptureError) as told:
        camera.read()
    assert told.value.state is State.FAILING


def test_a_file_plays_in_real_time_and_ends(
    make_clip: Callable[..., Path], watch: Callable[[Any], Watched], eventually: Eventually
) -> None:
    times = [number * 0.05 for number in range(10)]
    path = make_clip(times=times)
    playing = files.Playing()
    began = now()
    seen = watch(camera_source(str(path), Wish(), playing))
    eventually(lambda: seen.state is State.ENDED)
    assert now() - began > 0.45
    stamps = [item.stamp - playing.start() for item in seen.items]
    assert stamps == pytest.approx(times, abs=1e-3)
    assert seen.source.dropped == 0


@pytest.mark.parametrize(("name", "state"), [("absent.mp4", State.ABSENT), ("notes.mp4", State.FAILING)])
def test_a_file_that_cannot_be_played_says_why(tmp_path: Path, name: str, state: State) -> None:
    (tmp_path / "notes.mp4").write_text("no clip")
    with pytest.raises(CaptureError, match=name) as told:
        camera_source(str(tmp_path / name), Wish(), files.Playing())(threading.Event())
    assert told.value.state is state


def test_a_machine_that_is_too_slow_shows_fewer_pictures_instead_of_late_ones(
    make_clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip(times=[number * 0.1 for number in range(12)])
    playing = files.Playing()
    device = files.FilePictures(path, playing, threading.Event())
    monkeypatch.setattr(files, "now", lambda: playing.start() + 0.8)
    assert device.read().stamp - playing.start() == pytest.approx(0.6)
    assert device.dropped == 6
    device.close()
