"""Real parts for capture: a sound server of our own, a camera on the network, a capture process."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

from core.capture.items import CaptureError
from core.capture.microphones import list_microphones
from core.media import SAMPLE_RATE, read_audio
from core.workers import command
from core.workers.protocol import Message, encode
from tests.core.capture import claps

PATIENCE = 30.0
"""Seconds until a test gives up on a busy machine; never waited for when all is well."""


def until(what: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """What `what` gives as soon as it is true."""
    wake, deadline = threading.Event(), monotonic() + patience
    while not (found := what()):
        assert monotonic() < deadline, "nothing of the kind happened"
        wake.wait(0.005)
    return found


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """`until`: poll a condition, without sleeping longer than it takes."""
    return until


class Pulse:
    """A PulseAudio server of the test's own with a sink that nobody hears; its monitor is the microphone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PULSE_SERVER": f"unix:{folder}/socket",
            "PULSE_COOKIE": str(folder / "cookie"),
            "PULSE_RUNTIME_PATH": str(folder / "run"),
            "PULSE_STATE_PATH": str(folder / "state"),
            "PULSE_CONFIG_PATH": str(folder / "state"),
            "PULSE_SOURCE": "speech.monitor",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        modules = (
            f"module-native-protocol-unix auth-anonymous=1 socket={self.folder}/socket",
            "module-null-sink sink_name=speech rate=44100 channels=2",
        )
        options = [part for module in modules for part in ("-L", module)]
        self.process = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", *options],
            env={**os.environ, **self.environment, "HOME": str(self.folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: self.control("info").returncode == 0)

    def control(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pactl", *arguments], env={**os.environ, **self.environment}, capture_output=True, text=True
        )

    def play(self, file: Path) -> subprocess.Popen[bytes]:
        """Play a sound file into the sink; ends by itself."""
        return subprocess.Popen(
            ["paplay", "--latency-msec=20", "--device=speech", str(file)],
            env={**os.environ, **self.environment},
        )

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    """A running server, which PortAudio in this process and its children finds as its default device."""
    if not all(shutil.which(program) for program in ("pulseaudio", "pactl", "paplay")):
        pytest.skip("PulseAudio is not installed (packages pulseaudio, pulseaudio-utils, libasound2-plugins)")
    folder = tmp_path / "pulse"
    (folder / "run").mkdir(parents=True)
    server = Pulse(folder)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.start()
    try:
        if not _reaches():
            pytest.skip("PortAudio finds no sound server (packages libportaudio2, libasound2-plugins)")
        yield server
    finally:
        server.stop()


def _reaches() -> bool:
    """Whether PortAudio is there and finds the server."""
    try:
        return any(known.preferred for known in list_microphones())
    except CaptureError:
        return False


@pytest.fixture(scope="session")
def speech(sample_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's sound as a .wav, from where it is loud."""
    samples = read_audio(sample_clip)[SAMPLE_RATE:]
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((samples / np.abs(samples).max() * 16000).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="session")
def clapping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of claps and flashes."""
    return claps.write(tmp_path_factory.mktemp("claps") / "claps.mkv", 12)


class Child:
    """A process that talks JSON lines: the hidden capture worker, or `consonance record --json`."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.seen: list[dict[str, Any]] = []
        self.errors = b""
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=run) for run in (self._read, self._listen)]
        for thread in self._threads:
            thread.start()

    def send(self, **message: Any) -> None:
        self.write(encode(message))

    def write(self, line: bytes) -> None:
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def until(self, found: Callable[[dict[str, Any]], bool], patience: float = PATIENCE) -> dict[str, Any]:
        """The first message from now on for which `found` holds."""
        deadline = monotonic() + patience
        while (left := deadline - monotonic()) > 0:
            line = self._lines.get(timeout=left)
            assert line is not None, f"it ended after {self.seen[-3:]} with {self.errors[-2000:]!r}"
            self.seen.append(json.loads(line))
            if found(self.seen[-1]):
                return self.seen[-1]
        raise AssertionError(f"nothing of the kind came: {self.seen[-3:]}")

    def event(self, name: str, **of: Any) -> dict[str, Any]:
        """The next event of that name whose values are these."""
        return self.until(lambda m: m["event"] == name and all(m.get(key) == of[key] for key in of))

    def ask(self, number: int, do: str, **of: Any) -> Message:
        """Send a request to a worker; its answer."""
        self.send(id=number, do=do, **of)
        return self.until(lambda m: m["id"] == number)

    def told(self, name: str, **of: Any) -> dict[str, Any]:
        """As `event`, but it may have come already."""

        def fits(message: dict[str, Any]) -> bool:
            return message["event"] == name and all(message.get(key) == of[key] for key in of)

        return next((message for message in self.seen if fits(message)), None) or self.until(fits)

    def close(self) -> float:
        """Close standard input; seconds until it has ended."""
        began = monotonic()
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        took = monotonic() - began
        for thread in self._threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return took

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _listen(self) -> None:
        self.errors = self.process.stderr.read()


@pytest.fixture
def child() -> Iterator[Callable[..., Child]]:
    """Starts `Child`ren; those that still run at the end of the test are killed."""
    started: list[Child] = []

    def start(*arguments: str) -> Child:
        started.append(Child(*arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()
        elif not one.process.stdin.closed:
            one.close()


@pytest.fixture(scope="module")
def shared_worker() -> Iterator[Child]:
    """A capture process for tests that leave nothing behind in it."""
    worker = Child("capture")
    worker.event("ready")
    yield worker
    worker.close()
