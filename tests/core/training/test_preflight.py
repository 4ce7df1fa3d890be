"""Before a run: all that is wrong is named at once, with where and what to do; what is unknown says so."""

from __future__ import annotations

import csv
import json
import pickle
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from core.commands.preflight import preflight as preflight_command
from core.errors import Cancelled
from core.training import preflight_trial
from core.training.preflight import preflight
from core.training.preflight_report import Problem, Report, from_json, seconds, size
from core.training.settings import Settings, dump, load


def part(rows: int, seed: int, speakers: str, **columns: Any) -> dict[str, Any]:
    """A part in MMSA's layout: vectors of words, voice and face of 6 steps."""
    random = np.random.default_rng(seed)
    made = {
        "id": [f"{speakers}{i // 4}$_${i}" for i in range(rows)],
        "text": random.normal(size=(rows, 6, 8)).astype(np.float32),
        "audio": random.normal(size=(rows, 6, 5)).astype(np.float32),
        "vision": random.normal(size=(rows, 6, 4)).astype(np.float32),
        "regression_labels": random.uniform(-3, 3, rows).astype(np.float32),
    }
    return made | columns


def stored(folder: Path, **parts: Any) -> Path:
    path = folder / "features.pkl"
    path.write_bytes(pickle.dumps(parts))
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A data set with nothing wrong."""
    return stored(tmp_path, train=part(80, 1, "a"), valid=part(24, 2, "b"), test=part(24, 3, "c"))


def chosen(*more: str) -> Settings:
    """Settings that read text vectors, on the CPU."""
    small = ["network.text_encoder=", "training.device=cpu", "training.threads=1", "training.batch_size=16"]
    return load("own", [*small, *more])


def told(report: Report) -> dict[str, Problem]:
    return {problem.code: problem for problem in report.problems if problem.severity != "note"}


def test_of_sound_data_it_tells_rows_labels_time_memory_and_disk(sound: Path, tmp_path: Path) -> None:
    report = preflight(chosen(), sound, tmp_path / "runs" / "not there yet", runs=3)
    assert report.ready
    assert told(report) == {}
    train = report.splits[0]
    assert (train.name, train.rows + report.splits[2].rows, train.labels) == (
        "train",
        80,
        {"multimodal": train.rows},
    )
    assert report.device is not None
    assert report.device.name == "cpu"
    assert report.time.batches == -(-train.rows // 16)
    assert report.time.batch_s is not None
    assert report.time.epoch_s is not None
    assert report.time.epoch_s >= report.time.batch_s * report.time.batches * 0.99
    assert report.time.run_s == pytest.approx(report.time.epoch_s * 30, rel=0.05)
    assert report.memory.need is not None
    assert report.memory.free is not None
    assert report.disk.need is not None
    assert report.disk.free is not None
    assert report.device_memory is None


def test_every_fault_is_named_at_once_with_its_field_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = part(40, 1, "a")["audio"]
    voice[3] = np.nan
    labels = np.linspace(-3, 5, 40, dtype=np.float32)
    path = stored(
        tmp_path,
        train=part(40, 1, "a", audio=voice, regression_labels=labels),
        valid=part(0, 2, "b"),
        test=part(20, 3, "a"),
    )
    monkeypatch.setenv("PATH", "")  # no nvidia-smi, nor any other tool
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    settings = load(
        "own",
        ["training.device=cuda", "training.batch_size=512", "network.text_encoder=bert-base-uncased"],
    )
    report = preflight(settings, path, tmp_path)
    found = {(problem.code, problem.where): problem for problem in report.problems}
    assert {
        ("device", "training.device"),
        ("text-encoder", "network.text_encoder"),
        ("empty-split", "data"),
        ("label-out-of-range", "data.scale"),
        ("group-in-two-splits", "data"),
        ("non-finite", "data"),
        ("batch-too-large", "training.batch_size"),
    } <= found.keys()
    assert not report.ready
    assert all(problem.remedy for problem in report.problems if problem.severity != "note")
    assert "No NVIDIA tool" in found["device", "training.device"].message
    assert "MiniLM" in found["text-encoder", "network.text_encoder"].remedy
    assert "(-3 to 5)" in found["label-out-of-range", "data.scale"].message
    assert report.time.run_s is None


def test_what_cannot_be_found_out_is_unknown(sound: Path, tmp_path: Path) -> None:
    report = preflight(chosen("training.device=cuda:77"), sound, tmp_path)
    tree = report.to_json()
    assert (tree["device"], tree["time"]["epoch_s"], tree["memory"]["need"]) == (None, None, None)
    assert tree["disk"]["need"] is None
    assert seconds(None) == "unknown"


def test_too_little_disk_is_told(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    report = preflight(chosen(), sound, tmp_path)
    problem = told(report)["disk"]
    assert (problem.severity, problem.where) == ("error", "folder")


def test_a_disk_that_cannot_be_asked_is_unknown(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError("no such device")

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    report = preflight(chosen(), sound, tmp_path)
    assert report.ready
    assert report.disk.free is None


def test_too_little_memory_is_told(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tight = namedtuple("tight", "available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: tight(1000))
    assert told(preflight(chosen(), sound, tmp_path))["memory"].severity == "warning"


def test_a_batch_that_does_not_fit_into_memory_is_told_at_its_field(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(*_: object) -> None:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(preflight_trial.Trainer, "step", overflow)
    problem = told(preflight(chosen(), sound, tmp_path))["memory"]
    assert (problem.severity, problem.where) == ("error", "training.batch_size")


def test_widths_that_are_not_the_datas_are_told_one_by_one(sound: Path, tmp_path: Path) -> None:
    wrong = chosen("network.audio_input_width=33", "network.visual_input_width=56")
    report = preflight(wrong, sound, tmp_path)
    assert {p.where: p.message for p in report.problems if p.severity == "error"} == {
        "network.audio_input_width": "33, but the data has 5; 0 takes the data's",
        "network.visual_input_width": ["56, but the data has 4; 0 takes the data's", " 0 takes the data's"][
            0
        ],
    }


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        (["labels.kind=human"], "no-human-labels"),
        (["labels.limit=9"], "limit-beyond-scale"),
        (["training.batch_size=1"], "batch-too-small"),
    ],
)
def test_settings_that_do_not_suit_the_data_are_doubted(
    sound: Path, tmp_path: Path, overrides: list[str], code: str
) -> None:
    assert code in told(preflight(chosen(*overrides), sound, tmp_path))


@pytest.mark.parametrize("content", [b"", b"cposix\nsystem\n(S'true'\ntR.", b"text,y\n"])
def test_data_that_cannot_be_read_is_told_and_nothing_is_executed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.pkl"
    path.write_bytes(content)
    report = preflight(chosen(), path, tmp_path)
    assert told(report)["data-unreadable"].severity == "error"
    assert report.splits == []


def test_recordings_that_were_never_read_are_not_read_now(tmp_path: Path, sample_clip: Path) -> None:
    rows = [["talk", str(n), "words", "1.0", mode] for n, mode in enumerate(["train", "train", "valid"])]
    with (tmp_path / "label.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["video_id", "clip_id", "text", "label", "mode"], *rows])
    (tmp_path / "Raw" / "talk").mkdir(parents=True)
    for number in range(3):
        shutil.copy(sample_clip, tmp_path / "Raw" / "talk" / f"{number}.mp4")
    report = preflight(load("own"), tmp_path, tmp_path)
    assert [(split.name, split.rows) for split in report.splits if split.rows] == [("train", 2), ("valid", 1)]
    assert "features-absent" in [problem.code for problem in report.problems]
    assert "group-in-two-splits" in told(report)
    assert report.time.epoch_s is None


def test_a_resting_text_encoder_is_counted_once_and_not_in_every_epoch(
    tmp_path: Path, tiny_text_encoder: Path
) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("text,y\n" + "".join(f"good words {n},{n % 5 - 2}\n" for n in range(60)))
    settings = chosen("network.text_freeze=all").model_copy()
    network = settings.network.model_copy(update={"text_encoder": str(tiny_text_encoder)})
    report = preflight(settings.model_copy(update={"network": network}), path, tmp_path)
    assert told(report) == {}
    assert report.text_encoder == str(tiny_text_encoder)
    assert report.time.run_s is not None
    assert report.time.epoch_s is not None
    assert report.time.run_s > report.time.epoch_s * 30


def test_the_command_prints_what_was_found_and_its_exit_code_says_whether_a_run_would_work(
    sound: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "mine.toml"
    settings.write_text(dump(chosen()), encoding="utf-8")
    assert preflight_command(str(settings), sound, tmp_path, [], 2, as_json=False) == 0
    said = capfd.readouterr().out
    assert "valid        24 rows of 6 groups; labels: multimodal 24" in said
    assert ", 2 times" in said
    wrong = ["training.device=cuda:77"]
    assert preflight_command(str(settings), sound, tmp_path, wrong, 1, as_json=True) == 1
    (line,) = capfd.readouterr().out.splitlines()
    assert [p["where"] for p in json.loads(line)["problems"] if p["severity"] == "error"] == [
        "training.device"
    ]


def test_it_can_be_cancelled(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        preflight(chosen(), sound, tmp_path, cancelled=lambda: True)


def test_a_report_survives_json(sound: Path, tmp_path: Path) -> None:
    tree = preflight(chosen("labels.limit=9"), sound, tmp_path).to_json()
    again = from_json(json.loads(json.dumps(tree)))
    assert again.to_json() == tree


def test_durations_and_sizes_are_said_in_few_figures() -> None:
    assert [seconds(s) for s in (0.123, 9.0, 35.4, 720, 7300)] == ["0.12 s", "9 s", "35 s", "12 min", "2.0 h"]
    assert [size(b) for b in (1000, 12.4e6, 3.42e9)] == ["1 MB", "12 MB", "3.4 GB"]


def test_real_vectors_are_looked_at(shared_data: Path, tmp_path: Path) -> None:
    with np.load(shared_data / "mosi" / "mosi_train.npz", allow_pickle=False) as npz:
        tree = {
            "id": [f"{video}$_${clip}" for video, clip in zip(npz["video_id"], npz["clip_id"], strict=True)],
            "text": npz["text"][:, None],
            "audio": npz["audio"][:, None],
            "vision": npz["video"][:, None],
            "regression_labels": npz["y"],
        }
    path = tmp_path / "mosi.pkl"
    path.write_bytes(pickle.dumps(tree))
    report = preflight(chosen(), path, tmp_path)
    assert report.ready
    assert sum(split.rows for split in report.splits) == 1447
    assert report.time.epoch_s is not None
