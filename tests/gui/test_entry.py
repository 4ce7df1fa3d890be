"""`consonance app` as a person starts it: real processes, the real engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from .conftest import FAKE

HEAVY = ("torch", "transformers", "librosa", "mediapipe", "faster_whisper", "sklearn", "scipy", "pandas")


def start(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "core.cli", "app", *arguments],
        cwd=folder,
        env=os.environ | {"CONSONANCE_HOME": str(folder / "home")} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("platform", ["", "offscreen"])
def test_without_a_display_the_analysed_sample_is_drawn_in_light_and_dark(
    tmp_path: Path, assets: Path, platform: str
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "preferences.json").write_text('{"speech_model": "tiny.en"}')
    ended = start(folder=tmp_path, QT_QPA_PLATFORM=platform, DISPLAY="", WAYLAND_DISPLAY="")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "No display here" in ended.stdout
    pictures = [QImage(str(tmp_path / f"consonance-review-{theme}.png")) for theme in ("light", "dark")]
    grey = [picture.scaled(1, 1).pixelColor(0, 0).lightness() for picture in pictures]
    assert {(picture.width(), picture.height()) for picture in pictures} == {(1280, 800)}
    assert grey[0] > grey[1] + 50


def run_with_fake_engine(folder: Path, *arguments: str) -> list[str]:
    """Lines that the window says in a process of its own, then the model libraries that it has loaded."""
    script = (
        "import sys, core.workers; from core.cli import main\n"
        f"core.workers.command = lambda *_: [sys.executable, {str(FAKE)!r}, 'good']\n"
        f"sys.argv = ['consonance', 'app', *{arguments!r}]\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"CONSONANCE_HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_the_first_paint_is_timed(tmp_path: Path) -> None:
    milliseconds, heavy = run_with_fake_engine(tmp_path, "--exit-after-paint")
    assert 0 < int(milliseconds) < 60_000
    assert heavy == "[]"


def test_a_window_that_has_drawn_everything_still_holds_no_model_library(tmp_path: Path) -> None:
    said = run_with_fake_engine(tmp_path, "--screenshots", str(tmp_path / "out"), "--size", "1300x700")
    assert said[-1] == "[]"
    assert QImage(str(tmp_path / "out" / "consonance-review-light.png")).width() == 1300


@pytest.mark.parametrize("arguments", [["--size", "wide"], ["--no-such-option"]])
def test_wrong_options_are_refused_before_a_window_opens(tmp_path: Path, arguments: list[str]) -> None:
    assert start(*arguments, folder=tmp_path).returncode == 2
