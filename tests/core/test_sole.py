"""One process at a time works on a folder, and one that is killed keeps nobody away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import DataError
from core.sole import WORKER, sole, worker
from core.training.loop import carry_on
from core.training.runs import create
from core.training.search_study import claimed
from core.training.settings import Settings

HOLDER = """
import sys
from pathlib import Path
from core.sole import sole
with sole(Path(sys.argv[1])) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def holding(folder: Path) -> subprocess.Popen[str]:
    """A process that holds a folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_a_folder_is_held_by_one_process_until_it_lets_go(tmp_path: Path) -> None:
    with sole(tmp_path) as mine:
        assert mine
        assert worker(tmp_path) == os.getpid()
        with sole(tmp_path) as another:
            assert not another
        assert worker(tmp_path) == os.getpid()
    assert worker(tmp_path) == 0
    with sole(tmp_path) as again:
        assert again


def test_a_killed_process_lets_go_at_once(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        assert worker(tmp_path) == process.pid
        with sole(tmp_path) as mine:
            assert not mine
        process.kill()
    assert worker(tmp_path) == 0
    with sole(tmp_path) as mine:
        assert mine


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x"}', "\\x00"])
def test_a_damaged_file_names_nobody_and_holds_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / WORKER).write_text(content)
    assert worker(tmp_path) == 0
    with sole(tmp_path) as mine:
        assert mine


def test_neither_a_run_nor_a_search_is_worked_on_twice(tmp_path: Path) -> None:
    before = create(tmp_path / "run", Settings()).state
    with sole(tmp_path / "run"):
        with pytest.raises(DataError, match=f"being trained by process {os.getpid()} already"):
            carry_on(tmp_path / "run")
        with (
            pytest.raises(DataError, match=f"Process {os.getpid()} is searching"),
            claimed(tmp_path / "run"),
        ):
            pass
    assert before.state == "starting"
    assert not (tmp_path / "run" / "events.jsonl").exists()
