"""Two processes that share every batch train as one does: equal losses, labels and weights."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.training import loop, snapshot
from core.training.processes import Processes
from core.training.runs import Run
from core.training.settings import TrainingSettings, load

ROOT = Path(__file__).resolve().parents[3]
TOLERANCE = 2e-5
"""Sums of float32 in another order, over all steps of a run whose weights are of the order of 1."""
ROWS = {"train": 81, "valid": 20, "test": 20}
"""81 rows in batches of 16: the last batch is one row, of which the second process has none."""

SETTINGS = """
[network]
text_encoder = ""
text_width = 8
audio_input_width = 4
visual_input_width = 5
head_dropout = { multimodal = 0, text = 0, audio = 0, visual = 0 }
[training]
epochs = 4
batch_size = 16
accumulate = 4
gradient_limit = 1
device = "cpu"
threads = 1
learning_rate = { text = 5e-3, audio = 5e-3, visual = 5e-3, other = 5e-3 }
[alignment]
weight = 1
[data]
name = "shared"
calibration_share = 0
"""


def dataset_file(path: Path) -> Path:
    """Rows in the layout of the public toolbox: text vectors, sequences of 7 steps at most."""
    random, parts = np.random.default_rng(3), {}
    for name, count in ROWS.items():
        y = random.uniform(-3, 3, count)
        parts[name] = {
            "raw_text": np.array(["words"] * count),
            "id": np.array([f"v{i // 4}$_${i}" for i in range(count)]),
            "text": (y[:, None, None] * np.linspace(-1, 1, 6) + random.standard_normal((count, 7, 6))),
            "audio": 0.5 * y[:, None, None] + random.standard_normal((count, 7, 4)),
            "vision": 0.5 * y[:, None, None] + random.standard_normal((count, 7, 5)),
            "audio_lengths": random.integers(1, 8, count).tolist(),
            "vision_lengths": random.integers(1, 8, count).tolist(),
            "regression_labels": y,
        }
        for modality in ("text", "audio", "vision"):
            parts[name][modality] = parts[name][modality].astype(np.float32)
    path.write_bytes(pickle.dumps(parts))
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same run by one process, and by two that torchrun started."""
    folder = tmp_path_factory.mktemp("processes")
    data, settings = dataset_file(folder / "data.pkl"), folder / "settings.toml"
    settings.write_text(SETTINGS)
    loop.train(load(settings), data, folder / "one")
    words = ["train", str(settings), "--data", str(data), "--run", str(folder / "two")]
    # "auto" joins processes by another way than "cpu" does; both must find the CPU where there is no more.
    words += ["--set", f"training.device={'cpu' if torch.accelerator.is_available() else 'auto'}"]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "core.cli", "--", *words],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "one", folder / "two"


def test_one_process_joins_no_others_and_may_change_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setitem(sys.modules, "accelerate", None)
    for device in ("auto", "cpu", "meta"):
        alone = Processes(TrainingSettings(device=device))
        assert (alone.rank, alone.count, alone.main) == (0, 1, True)
        assert device in ("auto", alone.device.type)


def test_what_a_run_was_made_with_is_known_without_loading_torch() -> None:
    told = "import sys; from core.training import environment; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", told], cwd=ROOT, check=True)


def test_weights_are_equal(folders: tuple[Path, Path]) -> None:
    one, two = (load_file(folder / "checkpoints/best/weights.safetensors") for folder in folders)
    assert one.keys() == two.keys()
    apart = torch.cat([(one[name] - two[name]).abs().flatten() for name in one])
    # Adam divides by the gradient's size: a weight whose gradient is but rounding moves by the rounding.
    assert (apart < TOLERANCE).float().mean() > 0.999
    assert apart.max() < 5e-3


def test_labels_representations_and_centres_are_equal(folders: tuple[Path, Path]) -> None:
    one, two = (snapshot.load(Run(folder).last) for folder in folders)
    assert one is not None
    assert two is not None
    for name in ("labels", "representations", "sums", "counts"):
        held = [state["trainer"]["labels"][name] for state in (one, two)]
        for head in held[0]:
            torch.testing.assert_close(held[0][head], held[1][head], atol=50 * TOLERANCE, rtol=TOLERANCE)
    moved = one["trainer"]["labels"]["labels"]
    assert (moved["audio"] - moved["multimodal"]).abs().max() > 0.01


def test_losses_weights_and_alignment_of_every_epoch_are_equal(folders: tuple[Path, Path]) -> None:
    one, two = ([e for e in Run(f).events()[0] if e["kind"] == "epoch"] for f in folders)
    assert len(one) == len(two) == 4
    for first, second in zip(one, two, strict=True):
        assert first["train"] == pytest.approx(second["train"], rel=1e-4, abs=TOLERANCE)
        assert first["valid"] == pytest.approx(second["valid"], rel=1e-4, abs=TOLERANCE)
    assert one[0]["train"]["alignment"] > 0


def test_one_of_the_processes_writes(folders: tuple[Path, Path]) -> None:
    events, _ = Run(folders[1]).events()
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert [event["kind"] for event in events].count("segment") == 1
    assert Run(folders[1]).about["environment"]["processes"] == 2
