"""Training in a process of its own: it outlives its starter, is stopped by force in the end, and goes on."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.errors import DataError
from core.model import checkpoint
from core.training.run_state import read_state
from core.training.runs import Run, create
from core.training.settings import Settings, load
from core.workers import training

PATIENCE = 120.0
"""Seconds until a test gives up on a busy machine; never waited for when all is well."""
LONG = """
[network]
text_encoder = ""
text_width = 8
audio_input_width = 4
visual_input_width = 5
[training]
epochs = 10000
patience = 10000
device = "cpu"
threads = 1
checkpoint_minutes = 0.001
"""


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset file with text vectors and sequences."""
    random = np.random.default_rng(0)
    parts = {}
    for name, count in (("train", 64), ("valid", 16), ("test", 16)):
        y = random.uniform(-3, 3, count)
        shown = {"text": (count, 2, 6), "audio": (count, 5, 4), "vision": (count, 5, 5)}
        parts[name] = {
            "raw_text": np.array(["words"] * count),
            "id": np.array([f"{name}{i // 4}$_${i}" for i in range(count)]),
            "regression_labels": y,
            **{m: random.standard_normal(shape).astype(np.float32) for m, shape in shown.items()},
        }
    path = tmp_path_factory.mktemp("data") / "small.pkl"
    path.write_bytes(pickle.dumps(parts))
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "long.toml").write_text(LONG)
    return load(tmp_path / "long.toml")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """A folder for a run; whatever still trains there is ended."""
    folder = tmp_path / "run"
    yield folder
    state = read_state(folder)
    if state.live and state.pid != os.getpid():
        os.kill(state.pid, signal.SIGKILL)


def trains(run: Path) -> Callable[[], bool]:
    return lambda: read_state(run).state == "running" and read_state(run).epoch >= 2


def test_a_killed_run_is_interrupted_and_resumed_and_stopped_with_its_best_kept(
    run: Path, settings: Settings, data: Path
) -> None:
    pid = training.start(run, settings, data)
    until(trains(run))
    assert os.getsid(pid) == pid  # of no terminal and no window
    assert read_state(run).pid == pid
    with pytest.raises(DataError, match="being trained by process"):
        training.resume(run)
    os.kill(pid, signal.SIGKILL)
    until(lambda: read_state(run).state == "interrupted")

    again = training.resume(run)
    until(trains(run))
    assert training.stop(run).state == "stopped"
    assert not psutil.pid_exists(again) or psutil.Process(again).status() == psutil.STATUS_ZOMBIE
    checkpoint.load(run)
    events, _ = Run(run).events()
    assert [event["number"] for event in events if event["kind"] == "segment"] == [1, 2]
    epochs = [event["epoch"] for event in events if event["kind"] == "epoch"]
    assert epochs == list(range(1, len(epochs) + 1))
    assert read_state(run).reason == "stopped by the user"
    assert list((run / "tensorboard").iterdir())


def test_a_run_that_does_not_answer_is_ended_by_force(run: Path, settings: Settings, data: Path) -> None:
    pid = training.start(run, settings, data)
    until(trains(run))
    os.kill(pid, signal.SIGSTOP)
    assert read_state(run).state == "running"
    before = time.monotonic()
    state = training.stop(run, grace=0.2)
    assert time.monotonic() - before < training.TERMINATED + 5
    assert (state.state, state.reason) == (
        "stopped", "did not answer within 0.2 s and was ended; its best checkpoint is kept",
    )  # fmt: skip
    assert not read_state(run).live
    checkpoint.load(run)


def test_a_run_whose_data_is_gone_fails_before_it_trains(run: Path, settings: Settings) -> None:
    training.start(run, settings, run.parent / "gone.pkl")
    until(lambda: read_state(run).state == "failed")
    error = read_state(run).error
    assert error is not None
    assert "gone.pkl" in error["message"]
    last = Run(run).events()[0][-1]
    assert (last["kind"], last["message"]) == ("failed", error["message"])
    assert "DataError" in last["trace"]
    until(lambda: "gone.pkl" in (run / "stderr.log").read_text())  # its very last words


def test_a_run_is_erased_and_what_is_not_its_own_stays(run: Path, settings: Settings) -> None:
    create(run, settings).tell(now=True, state="finished")
    (run / "my notes.txt").write_text("mine")
    assert training.erase(run)
    assert [path.name for path in run.iterdir()] == ["my notes.txt"]


def test_a_run_in_training_is_ended_and_erased(run: Path, settings: Settings, data: Path) -> None:
    training.start(run, settings, data)
    until(lambda: read_state(run).step > 0)
    assert training.erase(run)
    assert [path.name for path in run.parent.iterdir()] == ["long.toml"]


@pytest.mark.parametrize(
    "about", [None, "{}", '{"v": "1.4.0", "id": 7}', '{"id": "somebody\'s project"}', "[]"]
)
def test_a_folder_of_another_program_is_never_erased(run: Path, about: str | None) -> None:
    (run / "model").mkdir(parents=True)
    files = {"settings.toml": "theirs", "events.jsonl": "theirs", "model/net.bin": "theirs"}
    for name, content in {**files, **({"run.json": about} if about else {})}.items():
        (run / name).write_text(content)
    before = sorted(run.rglob("*"))
    assert not training.erase(run)
    assert sorted(run.rglob("*")) == before


def test_a_process_of_the_same_number_is_not_the_one_that_trained(run: Path, settings: Settings) -> None:
    held = create(run, settings)
    held.tell(now=True, state="running")
    assert read_state(run).state == "running"
    held.tell(now=True, started=read_state(run).started - 60)
    assert read_state(run).state == "interrupted"


def test_asking_to_stop_shows_at_once(run: Path, settings: Settings) -> None:
    create(run, settings).tell(now=True, state="running")
    (run / "stop").touch()
    assert read_state(run).state == "stopping"
