"""A missing system library is named with the line that installs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core import system_libraries
from core.system_libraries import LIBRARIES, Library, explain, missing

ROOT = Path(__file__).resolve().parent.parent.parent
ABSENT = Library("libnosuch.so.7", "libnosuch7", "microphone")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems bring these libraries along")
def test_a_library_that_does_not_load_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries, "LIBRARIES", (Library("libc.so.6", "libc6", "start"), ABSENT))
    assert missing() == [ABSENT]
    assert missing(("start",)) == []
    assert explain(missing()).splitlines() == [
        "Missing system libraries: libnosuch.so.7",
        "(without PortAudio everything works but the microphone)",
        "On Debian and Ubuntu: sudo apt-get install -y --no-install-recommends libnosuch7",
    ]


def test_a_missing_microphone_library_is_told_but_does_not_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_libraries, "missing", lambda uses=(): [ABSENT])
    monkeypatch.setattr(sys, "argv", ["system_libraries"])
    assert system_libraries.main() == 0
    assert "libnosuch7" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["system_libraries", "--all"])
    assert system_libraries.main() == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sound server is Linux's")
def test_what_only_the_tests_use_is_asked_for_only_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_libraries, "TEST_PROGRAMS", (("nosuchprogram", "pulseaudio"),))
    monkeypatch.setattr(system_libraries, "LIBRARIES", ())
    monkeypatch.setattr(sys, "argv", ["system_libraries", "--all"])
    assert system_libraries.main() == 0
    monkeypatch.setattr(sys, "argv", ["system_libraries", "--all", "--tests"])
    assert system_libraries.main() == 1
    assert "nosuchprogram" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["system_libraries", "--packages", "--tests"])
    assert system_libraries.main() == 0
    assert "libasound2-plugins" in capsys.readouterr().out


def test_set_up_can_ask_for_the_packages_with_nothing_installed() -> None:
    asked = [sys.executable, "-I", "-S", "-c", "import runpy, sys; sys.path.insert(0, '.'); sys.argv[1:] = "]
    asked[-1] += "['--packages']; runpy.run_module('core.system_libraries', run_name='__main__')"
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [library.package for library in LIBRARIES], done.stderr
