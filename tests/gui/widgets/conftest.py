"""Small clips made on the spot: the brightness of a frame tells its number."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from gui.widgets.video_view import VideoView

RATE = 25


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A video of `count` frames at 25 a second, frame n with grey level 5 + 3 n; made once per kind."""
    folder = tmp_path_factory.mktemp("clips")

    def make(count: int = 30) -> Path:
        path = folder / f"clip-{count}.mp4"
        if path.exists():
            return path
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=RATE, options={"g": "12", "bf": "2", "crf": "10"})
            stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, RATE)
            for number in range(count):
                picture = np.full((90, 160, 3), 5 + 3 * number, np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """A sound file of 0.6 s."""
    path = tmp_path / "tone of voice.wav"
    samples = (8000 * np.sin(np.arange(9600) * 0.1)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(samples.tobytes())
    return path


class Watched(QObject):
    """A player and everything that it has said."""

    def __init__(self, view: VideoView) -> None:
        super().__init__()
        self.view = view
        self.positions: list[float] = []
        self.playing: list[bool] = []
        view.position_changed.connect(self.positions.append)
        view.playing_changed.connect(self.playing.append)

    def level(self) -> int:
        """Grey level in the middle of the frame shown."""
        image = self.view._picture.image
        return image.pixelColor(image.width() // 2, image.height() // 2).red()


@pytest.fixture
def player(qtbot: QtBot) -> Iterator[Watched]:
    """A player on screen, closed after the test."""
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(320, 180)
    with qtbot.waitExposed(view):
        view.show()
    yield Watched(view)
    view.close()
