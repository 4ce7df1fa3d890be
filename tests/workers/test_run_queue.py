"""Runs that wait for their turn: started one after another by a process that needs no window."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import DataError
from core.sole import sole
from core.training.run_state import read_state
from core.training.runs import open_run
from core.training.settings import Settings, dump
from core.workers import run_queue, training

from ..small_training import small_data, small_settings

PATIENCE_S = 120


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of runs of this test alone; whatever still trains there at its end is ended."""
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / "home"))
    yield tmp_path / "runs"
    wait_until(lambda: not run_queue.worked_on(tmp_path / "runs"))
    for state in (tmp_path / "runs").glob("*/state.json"):
        training.stop(state.parent, grace=0.0)


def wait_until(wanted: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_runs_of_several_seeds_wait_for_each_other(root: Path, tmp_path: Path) -> None:
    runs = [(root / f"short-{seed}", small_settings(tmp_path, epochs=2)) for seed in (1, 2)]
    run_queue.enqueue(root, runs, small_data(tmp_path))
    assert [entry.folder.name for entry in run_queue.waiting(root)][-1] == "short-2"
    wait_until(lambda: all((f / "report.json").exists() and not read_state(f).live for f, _ in runs))
    assert [read_state(folder).state for folder, _ in runs] == ["finished", "finished"]
    first, second = (open_run(folder).events()[0] for folder, _ in runs)
    assert second[0]["t"] >= first[-1]["t"]
    assert run_queue.waiting(root) == []


def begun(root: Path, folder: Path, settings: Settings) -> Path:
    """The entry of a run that a worker had started when it was killed."""
    (root / run_queue.QUEUE).mkdir(parents=True, exist_ok=True)
    entry = root / run_queue.QUEUE / "1.json"
    told = {"v": 1, "folder": str(folder), "settings": dump(settings), "data": "x", "begun": True}
    entry.write_text(json.dumps(told))
    return entry


def test_a_worker_waits_for_the_run_that_a_killed_one_had_started(root: Path, tmp_path: Path) -> None:
    first, second = root / "first", root / "second"
    settings = small_settings(tmp_path)
    entry = begun(root, first, settings)
    training.start(first, settings, small_data(tmp_path))
    run_queue.enqueue(root, [(second, small_settings(tmp_path, epochs=1))], tmp_path / "small.pkl")
    assert [waiting.folder for waiting in run_queue.waiting(root)] == [second]
    wait_until(lambda: run_queue.worked_on(root) and read_state(first).epoch > 1)
    assert entry.exists()
    assert not second.exists()
    training.stop(first)
    wait_until(lambda: (second / "report.json").exists())
    assert not entry.exists()


def test_a_run_that_has_ended_since_is_not_started_again(root: Path, tmp_path: Path) -> None:
    entry = begun(root, root / "gone", small_settings(tmp_path))
    run_queue.serve(root)
    assert not entry.exists()
    assert not (root / "gone").exists()


def test_what_comes_while_the_worker_goes_away_is_found(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = root / "late"
    settings, data = small_settings(tmp_path, epochs=1), small_data(tmp_path)
    begun(root, root / "gone", settings)

    @contextmanager
    def leaving(folder: Path) -> Iterator[bool]:
        with sole(folder) as mine:
            yield mine
            if not late.exists():  # the worker has looked for the last time, and still seems at work
                run_queue.enqueue(root, [(late, settings)], data)

    monkeypatch.setattr(run_queue, "sole", leaving)
    run_queue.serve(root)
    assert read_state(late).state == "finished"


def test_a_run_that_cannot_start_stays_with_its_reason_and_the_next_goes_on(
    root: Path, tmp_path: Path
) -> None:
    taken, fine = root / "taken", root / "fine"
    taken.mkdir(parents=True)
    (taken / "settings.toml").write_text("")
    settings = small_settings(tmp_path, epochs=1)
    run_queue.enqueue(root, [(taken, settings), (fine, settings)], small_data(tmp_path))
    wait_until(lambda: (fine / "report.json").exists())
    (left,) = run_queue.waiting(root)
    assert left.folder == taken
    assert "holds a run already" in left.why


def test_what_is_taken_out_of_the_queue_never_starts(root: Path, tmp_path: Path) -> None:
    (root / run_queue.QUEUE).mkdir(parents=True)
    entry = root / run_queue.QUEUE / "1.json"
    entry.write_text(json.dumps({"v": 1, "folder": str(root / "a"), "settings": "", "data": "x"}))
    assert [waiting.folder for waiting in run_queue.waiting(root)] == [root / "a"]
    entry.unlink()
    run_queue.serve(root)
    assert not (root / "a").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"folder": 1}', "\x00"])
def test_a_damaged_entry_is_passed_over(root: Path, content: str) -> None:
    (root / run_queue.QUEUE).mkdir(parents=True)
    (root / run_queue.QUEUE / "1.json").write_text(content)
    assert run_queue.waiting(root) == []
    run_queue.serve(root)


def test_resuming_a_run_that_is_trained_is_refused(root: Path, tmp_path: Path) -> None:
    folder = root / "one"
    training.start(folder, small_settings(tmp_path), small_data(tmp_path))
    with pytest.raises(DataError, match="already"):
        training.resume(folder)
    training.stop(folder, grace=0.0)
