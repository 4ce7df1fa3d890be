"""On a real X display: what is on the screen after a change of theme, and where the keys go."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHILD = Path(__file__).with_name("xvfb_child.py")


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A display of its own."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("no Xvfb here (Debian: apt-get install xvfb)")
    read, write = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def seen(display: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the window looked like there."""
    home = tmp_path_factory.mktemp("home")
    ended = subprocess.run(
        [sys.executable, str(CHILD)],
        env=os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "CONSONANCE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout, ended.stderr
    return json.loads(ended.stdout)


def test_every_part_of_the_window_repaints_when_the_theme_changes(seen: dict[str, Any]) -> None:
    assert min(seen["light"].values()) > 200
    assert max(seen["dark"].values()) < 60
    assert min(seen["light again"].values()) > 200


def test_tab_reaches_every_part_and_everything_it_reaches_has_a_name(seen: dict[str, Any]) -> None:
    tabs = seen["tabs"]
    assert "" not in tabs
    assert {"Review", "Filter clips by name or state", "Clips", "Play or pause"} <= set(tabs)


def test_space_presses_a_focused_button_and_otherwise_plays(seen: dict[str, Any]) -> None:
    assert seen["space"] == {"pressed": True, "played": False, "plays": True}
