"""Runs from the command line alone: begun, stopped, resumed, listed, several one by one, used on clips."""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.training.run_state import read_state
from core.training.settings import load

SMALL = """
[network]
text_encoder = ""
text_width = 8
audio_input_width = 4
visual_input_width = 5
[training]
epochs = 2
device = "cpu"
threads = 1
"""
PATIENCE = 120.0

Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def consonance(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Program:
    """Call the program's entry point with arguments: exit code, standard output, standard error."""
    from core.cli import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["consonance", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return (int(ended.value.code or 0), *capfd.readouterr())

    return run


@pytest.fixture
def begin(tmp_path: Path) -> tuple[object, ...]:
    """Settings and data of a run of seconds."""
    random, parts = np.random.default_rng(0), {}
    for name, count in (("train", 40), ("valid", 12), ("test", 12)):
        shown = {"text": (count, 2, 6), "audio": (count, 5, 4), "vision": (count, 5, 5)}
        parts[name] = {
            "raw_text": np.array(["words"] * count),
            "id": np.array([f"{name}{i // 4}$_${i}" for i in range(count)]),
            "regression_labels": random.uniform(-3, 3, count),
            **{m: random.standard_normal(shape).astype(np.float32) for m, shape in shown.items()},
        }
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(parts))
    (tmp_path / "small.toml").write_text(SMALL)
    return "train", tmp_path / "small.toml", "--data", tmp_path / "data.pkl"


def test_a_stopped_run_is_listed_resumed_and_reported(
    consonance: Program, begin: tuple[object, ...], tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "one"
    run.mkdir(parents=True)
    (run / "stop").touch()
    code, out, err = consonance(*begin, "--run", run)
    assert (code, json.loads(out)["ended"]) == (0, "stopped by the user")
    assert "The model lies in" in err

    code, out, _ = consonance("runs", tmp_path / "runs", "--json")
    (listed,) = [json.loads(line) for line in out.splitlines()]
    assert (code, listed["state"], listed["folder"]) == (0, "stopped", str(run))
    assert "stopped" in consonance("runs", run)[1]

    code, out, _ = consonance("train", "--resume", "--run", run)
    assert (code, json.loads(out)["ended"]) == (0, "all epochs done")
    told = json.loads((run / "report.json").read_text())
    assert told["valid"]["multimodal"]["mae"].keys() == {"value", "low", "high", "count"}
    assert {"settings.toml", "run.json", "state.json", "events.jsonl", "tensorboard", "model"} <= {
        path.name for path in run.iterdir()
    }
    about = json.loads((run / "run.json").read_text())
    assert about["data"].endswith("data.pkl")
    assert len(about["fingerprint"]) > 8
    assert about["environment"].keys() == {
        "python", "torch", "platform", "cpu", "device", "threads", "processes",
    }  # fmt: skip


def test_a_model_of_foreign_features_is_used_by_nobody(
    consonance: Program, begin: tuple[object, ...], tmp_path: Path
) -> None:
    assert consonance(*begin, "--run", tmp_path / "run", "--set", "training.epochs=1")[0] == 0
    code, _, err = consonance("runs", "use", tmp_path / "run")
    assert code == 1
    assert "It learned the words from features that came with its data." in err
    assert consonance("runs", "use", tmp_path / "run", "--drop", "text,audio,visual")[0] == 1


def test_a_run_for_each_seed_goes_on_without_the_terminal(
    consonance: Program, begin: tuple[object, ...], tmp_path: Path
) -> None:
    code, out, _ = consonance(*begin, "--run", tmp_path / "both", "--seed", 1111, "--seed", 1112)
    folders = [Path(json.loads(line)["folder"]) for line in out.splitlines()]
    assert (code, [folder.name for folder in folders]) == (0, ["seed-1111", "seed-1112"])
    end = time.monotonic() + PATIENCE
    while not all((folder / "report.json").exists() for folder in folders):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert [load(folder / "settings.toml").training.seed for folder in folders] == [1111, 1112]
    assert read_state(folders[0]).state == "finished"


def test_a_run_for_each_value_and_seed_is_named_by_them(
    consonance: Program, begin: tuple[object, ...], tmp_path: Path
) -> None:
    vary = ("--vary", "alignment.weight=0,0.1", "--seed", 1111, "--seed", 1112)
    asked = (*begin, "--run", tmp_path / "grid", "--set", "training.epochs=1", *vary)
    code, out, _ = consonance(*asked)
    folders = [Path(json.loads(line)["folder"]) for line in out.splitlines()]
    assert code == 0
    assert [folder.name for folder in folders] == [
        f"alignment.weight={weight}-seed={seed}" for weight in ("0", "0.1") for seed in (1111, 1112)
    ]
    end = time.monotonic() + PATIENCE
    while not all((folder / "report.json").exists() for folder in folders):
        assert time.monotonic() < end
        time.sleep(0.05)
    trained = [load(folder / "settings.toml") for folder in folders]
    made = [(settings.alignment.weight, settings.training.seed) for settings in trained]
    assert made == [(0, 1111), (0, 1112), (0.1, 1111), (0.1, 1112)]


def test_a_range_is_no_queue_and_nothing_is_begun(
    consonance: Program, begin: tuple[object, ...], tmp_path: Path
) -> None:
    code, out, err = consonance(*begin, "--run", tmp_path / "grid", "--vary", "alignment.weight=0:1")
    assert (code, out) == (1, "")
    assert "name the values one by one; only a search takes ranges" in " ".join(err.split())
    assert not (tmp_path / "grid").exists()


def test_a_new_run_says_what_it_lacks(consonance: Program, tmp_path: Path) -> None:
    code, out, err = consonance("train", "mosi", "--run", tmp_path / "run")
    assert (code, out) == (1, "")
    assert "--data" in err
    code, _, err = consonance("train", "--resume", "--run", tmp_path / "run")
    assert code == 1
    assert "There is no run in" in err
