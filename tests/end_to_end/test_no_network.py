"""After set-up everything works on a machine without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def cut_off() -> list[str]:
    """The command prefix that takes every route away from a program."""
    prefix = ["unshare", "--map-root-user", "--net"]
    try:
        possible = subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("this system does not let us make a network namespace")
    return prefix


@pytest.mark.usefixtures("assets")
def test_a_clip_is_analysed_where_there_is_no_network(sample_clip: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "core.cli"]
    command = [*cut_off(), *program, "analyse", str(sample_clip), "--json", "--speech", "tiny.en"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["missing"] == []
    assert "wonderful" in answer["transcript"]["text"]
