"""A run that is killed anywhere and resumed gives, bit for bit, what it would have given unharmed."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from core.commands.train import train as train_command
from core.data.batches import Sample
from core.data.sources import DataSet, Part
from core.errors import DataError
from core.training import loop, snapshot
from core.training.run_state import read_state
from core.training.runs import Run, ask_stop, create, open_run
from core.training.settings import Settings, Source
from core.training.step import Trainer, _beside
from core.workers import training

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")

TIMES = ("t", "pid", "seconds", "samples_s", "rss_mb", "seq")
"""What events tell of the clock and of the process."""
POINTS = (
    (Trainer, "step"), (os, "fsync"), (Path, "rename"), (Path, "replace"), (shutil, "rmtree"),
    (snapshot, "save_file"), (Run, "event"),
)  # fmt: skip
"""Before and after each of these a run may be killed."""
OFTEN = "training.checkpoint_minutes=1e-6"


@contextmanager
def counted(at: Callable[[int], None]) -> Iterator[None]:
    """`at` is called with 1, 2, … before and after every call of POINTS."""
    number = 0

    def passed() -> None:
        nonlocal number
        number += 1
        at(number)

    def around(function: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            passed()
            done = function(*arguments, **named)
            passed()
            return done

        return call

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in POINTS:
            patch.setattr(owner, name, around(getattr(owner, name)))
        yield


def in_a_child(work: Callable[[], Any]) -> int:
    """Do it in a forked process; its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        work()
    finally:
        os._exit(0)


@dataclass
class Case:
    """A run, how it goes unharmed, and how many points it passes."""

    settings: Settings
    folder: Path
    unharmed: Path
    points: int

    def killed_at(self, point: int) -> Path:
        """The folder of the same run, killed at that point and resumed to its end."""
        run = self.folder / f"killed-{point}"

        def kill(number: int) -> None:
            if number == point:
                os.kill(os.getpid(), signal.SIGKILL)

        def train() -> None:
            create(run, self.settings, self.folder)
            with counted(kill):
                loop.carry_on(run)

        assert os.WIFSIGNALED(in_a_child(train))
        if read_state(run).state != "finished":  # killed just after it had said its last word
            assert read_state(run).state == "interrupted"
            loop.carry_on(run)
        return run

    def check(self, random: np.random.Generator, times: int) -> None:
        for point in random.integers(1, self.points + 1, times):
            run = self.killed_at(int(point))
            for name in ("model/weights.safetensors", "report.json", "checkpoints/best/weights.safetensors"):
                same = (run / name).read_bytes() == (self.unharmed / name).read_bytes()
                assert same, f"{name} differs after a kill at point {point} of {self.points}"
            assert figures(run) == figures(self.unharmed), f"after a kill at point {point} of {self.points}"
            shutil.rmtree(run)


def figures(run: Path) -> list[dict[str, Any]]:
    """The run's events without their times; segments, of which there may be several, left out."""
    events, _ = Run(run).events()
    assert [event["seq"] for event in events] == list(range(len(events)))
    kept = [event for event in events if event["kind"] != "segment"]
    return [{k: v for k, v in event.items() if k not in TIMES} for event in kept]


@pytest.fixture
def case(
    small_settings: Callable[..., Settings],
    small_data: DataSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Case:
    """The paper's training, with everything in it that draws random numbers."""
    monkeypatch.setattr(loop, "load", lambda *_: small_data)
    monkeypatch.setattr("core.training.run_log.REPORT_EVERY", 2)
    settings = small_settings(
        OFTEN, "training.modality_dropout=0.3", "training.average=0.9", "training.schedule=linear",
        "training.epochs=3", "training.accumulate=4", "training.gradient_limit=1",
    )  # fmt: skip
    return made(settings, tmp_path)


def made(settings: Settings, folder: Path) -> Case:
    numbers: list[int] = []
    create(folder / "unharmed", settings, folder)
    with counted(numbers.append):
        loop.carry_on(folder / "unharmed")
    return Case(settings, folder, folder / "unharmed", len(numbers))


def test_a_run_killed_three_times_anywhere_ends_as_if_it_never_was(case: Case) -> None:
    case.check(np.random.default_rng(), 3)


@pytest.mark.soak
def test_a_run_killed_fifty_times_anywhere_ends_as_if_it_never_was(case: Case) -> None:
    case.check(np.random.default_rng(), 50)


@pytest.fixture
def words_first(case: Case, tiny_text_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """Two phases: words, then voices and faces beside them."""
    sources = (Source(path="w", heads=("text",)), Source(path="a", heads=("audio",)), Source(path="v"))
    names = ("train", "valid", "calibration", "test")
    data = DataSet({name: mixed(20, seed) for seed, name in enumerate(names)}, sources)
    monkeypatch.setattr(loop, "load", lambda *_: data)
    settings = Settings.model_validate(
        {
            "network": case.settings.network.model_dump()
            | {"text_encoder": str(tiny_text_encoder), "text_freeze": "embeddings", "readout": "features"},
            "training": case.settings.training.model_dump()
            | {"words_first": True, "epochs_beside": 2, "batch_beside": 8, "vary": True, "composites": True},
            "labels": {"kind": "human"},
            "data": {"name": "mixed"},
        }
    )
    return made(settings, case.folder / "words")


def mixed(count: int, seed: int) -> Part:
    """So many texts, voices and faces of different people."""
    random, part = np.random.default_rng(seed), Part()
    for i in range(count):
        value, length = float(i % 3 - 1) * 2, int(random.integers(3, 8))
        word = ("bad", "film", "good")[i % 3]
        part.add([Sample(f"t{i}", f"{i}", text=f"it was {word}", labels={"text": value})], 0)
        voice = (value + random.standard_normal((length, 4))).astype(np.float32)
        part.add([Sample(f"a{i}", f"{i}", audio=voice, labels={"audio": value})], 1)
        face = (value + random.standard_normal((1, 5))).astype(np.float32)
        part.add([Sample(f"v{i}", f"{i}", visual=face, labels={"visual": value})], 2)
    return part


def test_so_does_one_that_learns_words_first(words_first: Case) -> None:
    words_first.check(np.random.default_rng(), 3)


@pytest.mark.soak
def test_so_does_one_that_learns_words_first_fifty_times(words_first: Case) -> None:
    words_first.check(np.random.default_rng(), 50)


def test_a_resumed_run_is_one_run_of_two_segments_and_no_step_comes_twice(case: Case) -> None:
    run = case.killed_at(case.points // 2)
    events, _ = Run(run).events()
    assert [event["number"] for event in events if event["kind"] == "segment"] == [1, 2]
    steps = [(event["epoch"], event["batch"]) for event in events if event["kind"] == "step"]
    assert len(set(steps)) == len(steps) > 2
    assert read_state(run).state == "finished"


def test_a_finished_run_is_not_resumed_and_keeps_its_report(case: Case) -> None:
    before = (case.unharmed / "report.json").read_bytes()
    for resume in (loop.carry_on, training.resume):
        with pytest.raises(DataError, match="is finished"):
            resume(case.unharmed)
    assert (case.unharmed / "report.json").read_bytes() == before
    assert read_state(case.unharmed).state == "finished"


def test_a_torn_event_is_cut_before_the_next_and_a_damaged_one_passed_over(case: Case) -> None:
    run = create(case.folder / "torn", case.settings)
    run.event("first")
    with (run.folder / "events.jsonl").open("ab") as file:
        file.write(b'{"v": 1, "seq": 1, "ki')
    again = open_run(run.folder)
    again.event("second")
    assert [(e["seq"], e["kind"]) for e in again.events()[0]] == [(0, "first"), (1, "second")]
    with (run.folder / "events.jsonl").open("ab") as file:
        file.write(b"\x00\x00\xff\n[1]\n")
    open_run(run.folder).event("third")
    assert [e["kind"] for e in run.events()[0]] == ["first", "second", "third"]


def test_resuming_a_stopped_run_forgets_that_it_was_to_end_but_not_one_that_is_trained(case: Case) -> None:
    run = case.folder / "stopped"
    create(run, case.settings, case.folder).tell(now=True, state="stopped", pid=0)
    ask_stop(run)
    (run / "checkpoints" / ".last-x.part").mkdir()  # of a writer that was killed
    assert loop.carry_on(run)["ended"] == "all epochs done"
    assert not list(run.rglob("*.part"))

    live = case.folder / "live"
    other = psutil.Process().parent()
    assert other is not None
    create(live, case.settings).tell(now=True, state="running", pid=other.pid, started=other.create_time())
    ask_stop(live)
    with pytest.raises(DataError, match=f"by process {other.pid} already"):
        train_command(None, None, live, (), resume=True)
    assert (live / "stop").exists()


@pytest.mark.parametrize(("fused", "device"), [(True, "meta"), (False, "cpu")])
def test_an_optimiser_finds_its_count_of_steps_where_it_keeps_it(fused: bool, device: str) -> None:
    parameter = torch.empty(2, device="meta")
    step = _beside(torch.tensor(3.0), "step", parameter, fused)
    assert (step.device.type, step.dtype) == (device, torch.float32)
    moment = _beside(torch.zeros(2, dtype=torch.bfloat16), "exp_avg", parameter, fused)
    assert (moment.device.type, moment.dtype) == ("meta", torch.bfloat16)


def test_tensorboard_sees_each_step_once_too(case: Case) -> None:
    run = case.killed_at(case.points * 2 // 3)
    assert scalars(run) == scalars(case.unharmed) != {}


def scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard draws of a run, but times and memory."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(run / "tensorboard"))
    read.Reload()
    tags = [tag for tag in read.Tags()["scalars"] if tag.split("/")[-1] not in TIMES]
    # Files of the same second are read in any order, which only this test is quick enough to meet.
    return {tag: sorted((point.step, point.value) for point in read.Scalars(tag)) for tag in tags}


def test_a_stopped_run_goes_on_as_if_nobody_had_stopped_it(case: Case) -> None:
    run = case.folder / "stopped"
    create(run, case.settings, case.folder)

    def stop(step: str, share: float) -> None:
        if step == "training" and 0.6 < share < 0.8:
            (run / "stop").touch()

    assert loop.carry_on(run, stop)["ended"] == "stopped by the user"
    assert read_state(run).state == "stopped"
    (run / "stop").unlink()
    loop.carry_on(run)
    assert (run / "report.json").read_bytes() == (case.unharmed / "report.json").read_bytes()
    assert figures(run) == figures(case.unharmed)


def test_so_does_one_that_was_stopped_among_its_words(words_first: Case) -> None:
    run = words_first.folder / "stopped"
    create(run, words_first.settings, words_first.folder)

    def stop(step: str, share: float) -> None:
        if step == "training" and share > 0.4:
            (run / "stop").touch()

    report = loop.carry_on(run, stop)
    assert report["words"]["ended"] == report["ended"] == "stopped by the user"
    (run / "stop").unlink()
    loop.carry_on(run)
    for name in ("model/weights.safetensors", "report.json"):
        assert (run / name).read_bytes() == (words_first.unharmed / name).read_bytes()
    assert figures(run) == figures(words_first.unharmed)


def test_a_damaged_last_checkpoint_is_passed_over_for_the_one_before(case: Case) -> None:
    run = case.folder / "damaged"
    create(run, case.settings, case.folder)

    class Fault(Exception):
        pass

    def fail(step: str, share: float) -> None:
        if step == "training" and share > 0.7:
            raise Fault

    with pytest.raises(Fault):
        loop.carry_on(run, fail)
    assert read_state(run).state == "failed"
    with (run / "checkpoints" / "last" / "tensors.safetensors").open("r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(b"\xff" * 8)
    loop.carry_on(run)
    assert (run / "report.json").read_bytes() == (case.unharmed / "report.json").read_bytes()


def test_a_run_whose_data_has_changed_is_not_resumed(case: Case, small_data: DataSet) -> None:
    run = case.folder / "changed"
    create(run, case.settings, case.folder).describe(fingerprint="of other data")
    small_data.fingerprint = "of this data"
    with pytest.raises(DataError, match="not the data that this run began with"):
        loop.carry_on(run)
    state = read_state(run)
    assert (state.state, state.error) == (
        "failed",
        {"message": f"{case.folder} is not the data that this run began with.",
         "remedy": "Start a new run on it."},
    )  # fmt: skip
