"""`consonance` as it is typed: what is shown where, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.cli import main
from core.types import AUDIO_WIDTH, VISUAL_WIDTH
from core.workers import command


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


Consonance = Callable[..., Result]


@pytest.fixture
def consonance(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Consonance:
    """Runs a command line in this process."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["consonance", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Result(code if isinstance(code, int) else 0, *capfd.readouterr())

    return run


COMMANDS = {
    "analyse": "files --json --transcript --modalities --model --speech",
    "evaluate": "model --data --split --json",
    "train": "--run settings --data --set --resume --detach --seed --vary",
    "train-worker": "folder",
    "runs list": "folder --json",
    "runs stop": "folder --grace",
    "runs resume": "folder",
    "runs use": "folder --drop",
    "run-eraser": "folders",
    "run-queue": "root",
    "run-reader": "",
    "search": "settings --data --study --vary --trials --jobs --set --json",
    "preflight": "settings --data --run --set --runs --json",
    "preflight-worker": "",
    "extract": "files --out --modalities --speech",
    "assets status": "names --json",
    "assets verify": "names --json",
    "assets fetch": "names",
    "data check": "path --settings --json",
    "annotations init": (
        "folder --name --scale --levels --blind --passes --media --store --seed --rater --json"
    ),
    "annotations import": "folder sources --cut --json",
    "annotations rate": "folder clip modality value --rater --json",
    "annotations export": "folder out --format --rule --rater --json",
    "annotations relink": "folder --search --media --json",
    "annotations agreement": "folder --passes --rater --report --json",
    "annotations raters": "folder --unblind --by --json",
    "extractor": "",
    "bench": "name --json --clip --seconds",
    "capture": "",
    "record": "out --camera --microphone --seconds --list --json",
    "live": "file --camera --microphone --seconds --json --model --speech",
    "app": "files",
    "engine": "--model --speech",
}


def test_the_commands_and_their_options_are_these() -> None:
    """A change here is a change of what people's scripts may say: deliberate, and in the changelog."""
    import typer.main

    from core.commands.tree import app

    found = {}
    for name, item in typer.main.get_command(app).commands.items():
        for inner, leaf in getattr(item, "commands", {"": item}).items():
            names = [
                parameter.opts[-1] if parameter.opts[0].startswith("-") else parameter.name
                for parameter in leaf.params
            ]
            found[f"{name} {inner}".strip()] = " ".join(names)
    assert found == COMMANDS


def test_help_names_what_can_be_done_and_hides_the_workers(consonance: Consonance) -> None:
    result = consonance("--help")
    assert result.code == 0
    assert "analyse" in result.out
    assert "engine" not in result.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyse",),
        ("analyse", "a.mp4", "--modalities", "smell"),
        ("analyse", "a.mp4", "--colour"),
        ("dance",),
        ("train", "mosi"),
    ],
)
def test_wrong_usage_is_told_on_standard_error_with_code_two(
    consonance: Consonance, arguments: tuple[str, ...]
) -> None:
    result = consonance(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Usage" in result.err


def test_a_model_that_is_not_there_is_an_error_with_a_remedy_and_no_traceback(
    consonance: Consonance, tmp_path: Path
) -> None:
    result = consonance("analyse", "a.mp4", "--model", str(tmp_path), "--json")
    assert result.code == 1
    assert result.out == ""
    assert "no model" in result.err
    assert "Traceback" not in result.err


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    heavy = "torch transformers librosa mediapipe faster_whisper sklearn scipy PySide6 pandas pydantic"
    code = (
        "import sys, core.cli, core.commands.tree, core.workers.engine\n"
        f"found = set('{heavy}'.split()) & set(sys.modules)\n"
        "sys.exit(f'imported: {found}' if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_workers_are_this_program_from_source_and_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("engine") == [sys.executable, "-m", "core.cli", "engine"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command("engine", "--speech", "base") == [sys.executable, "engine", "--speech", "base"]


def test_a_measurement_that_does_not_exist_names_those_that_do(consonance: Consonance) -> None:
    result = consonance("bench", "colour")
    assert result.code == 1
    assert "first-estimate" in result.err


def _objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_clips_become_one_json_object_a_line_and_a_bad_file_stops_none(
    consonance: Consonance, assets: Path, sample_clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.mp4").write_text("not a clip at all")
    files = [str(tmp_path / "notes.mp4"), str(sample_clip), str(tmp_path / "absent.mp4")]
    result = consonance("analyse", *files, "--json", "--speech", "tiny.en")
    assert result.code == 1
    notes, sample, absent = _objects(result.out)
    for failure, file in ((notes, files[0]), (absent, files[2])):
        assert failure["file"] == file
        assert set(failure["error"]) == {"kind", "message", "remedy"}
        assert failure["error"]["kind"] == "media"
    assert sample["file"] == files[1]
    assert sample["missing"] == []
    low, high = sample["scale"]
    for estimate in sample["estimates"].values():
        assert low <= estimate["low"] <= estimate["value"] <= estimate["high"] <= high
    times = sample["curve"]["time"]
    assert times == [0.5 * (number + 1) for number in range(len(times))]
    assert all(len(values) == len(times) for values in sample["curve"].values())
    assert "Traceback" not in result.err


def test_a_folder_gives_its_clips_where_it_stands_among_the_arguments(
    consonance: Consonance, assets: Path, sample_clip: Path, tmp_path: Path
) -> None:
    folder, empty = tmp_path / "clips", tmp_path / "empty"
    (folder / "inner").mkdir(parents=True)
    empty.mkdir()
    (folder / "inner" / "b.mp4").write_bytes(sample_clip.read_bytes())
    (folder / "a.mp4").write_text("not a clip at all")
    (folder / "readme.txt").write_text("no clip and not tried")
    named = [str(empty), str(folder), str(tmp_path / "absent.mp4")]
    result = consonance("analyse", *named, "--json", "--modalities", "visual")
    answers = _objects(result.out)
    expected = [str(empty), str(folder / "a.mp4"), str(folder / "inner" / "b.mp4"), named[2]]
    assert [answer["file"] for answer in answers] == expected
    assert [answer.get("error", {}).get("kind") for answer in answers] == ["data", "media", None, "media"]
    assert result.code == 1


def test_results_and_errors_of_a_table_come_in_the_order_of_the_arguments(
    sample_clip: Path, assets: Path, tmp_path: Path
) -> None:
    named = [str(tmp_path / "first.mp4"), str(sample_clip), str(tmp_path / "last.mp4")]
    ended = subprocess.run(
        command("analyse", *named, "--modalities", "visual"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    places = [ended.stdout.index(Path(name).name) for name in named]
    assert places == sorted(places)


def test_some_modalities_and_a_typed_transcript(
    consonance: Consonance, assets: Path, sample_clip: Path
) -> None:
    said = ("--transcript", "This is terrible, I hate it.", "--modalities", "text,visual")
    result = consonance("analyse", str(sample_clip), "--json", *said)
    assert result.code == 0
    answer = _objects(result.out)[0]
    assert answer["transcript"]["text"] == said[1]
    assert answer["estimates"]["text"]["value"] < 0
    assert answer["estimates"]["audio"] is None
    assert [item["modality"] for item in answer["missing"]] == ["audio"]


def test_a_person_gets_a_table_with_the_words_and_what_is_missing(
    consonance: Consonance, assets: Path, sample_clip: Path
) -> None:
    result = consonance("analyse", str(sample_clip), "--modalities", "visual")
    assert result.code == 0
    for head in ("multimodal", "text", "audio", "visual"):
        assert head in result.out
    assert "missing" in result.out
    assert "Voice and face" in result.out
    assert result.err == "", "no progress where nobody looks, and no chatter of libraries"


@pytest.mark.parametrize(
    ("clip", "lost"),
    [
        ("grid_bbaf2n.mpg", set()),
        ("cremad_1001_DFA_SAD_XX_audioonly.mp4", {"visual"}),
        ("cremad_1001_DFA_SAD_XX_blackpicture.mp4", {"visual"}),
        ("ravdess_02-01-03-01-01-02-05.mp4", {"text", "audio"}),
        ("pyfeat_0-f1-su-ph.jpg", {"text", "audio"}),
        ("pyfeat_free-mountain-vector-01.jpg", {"text", "audio", "visual"}),
    ],
)
def test_real_clips_miss_what_they_lack_and_no_more(
    consonance: Consonance, assets: Path, shared_data: Path, clip: str, lost: set[str]
) -> None:
    result = consonance("analyse", str(shared_data / "clips" / clip), "--json", "--speech", "tiny.en")
    assert result.code == 0
    answer = _objects(result.out)[0]
    assert {item["modality"] for item in answer["missing"]} == lost
    assert {head for head, estimate in answer["estimates"].items() if estimate is None} == (
        lost | {"multimodal"} if len(lost) == 3 else lost
    )


def test_features_are_written_as_arrays_and_a_bad_clip_stops_none(
    consonance: Consonance, assets: Path, sample_clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "clips" / "inner").mkdir(parents=True)
    (tmp_path / "clips" / "inner" / "a.mp4").write_bytes(sample_clip.read_bytes())
    (tmp_path / "clips" / "bad.mp4").write_text("not a clip at all")
    out = tmp_path / "features"
    result = consonance("extract", str(tmp_path / "clips"), "--out", str(out), "--modalities", "audio,visual")
    assert result.code == 1
    assert "bad.mp4" in result.err
    assert [path.relative_to(out).as_posix() for path in out.rglob("*.*")] == ["inner/a.mp4.npz"]
    with np.load(out / "inner" / "a.mp4.npz", allow_pickle=False) as stored:
        clip = json.loads(str(stored["clip"]))
        assert stored["audio"].shape[1] == AUDIO_WIDTH
        assert stored["visual"].shape[1] == VISUAL_WIDTH
    assert list(clip["missing"]) == ["text"]


def test_evaluation_prints_each_metric_with_interval_and_count(
    consonance: Consonance, assets: Path, tmp_path: Path
) -> None:
    data = tmp_path / "small.csv"
    data.write_text("text,y\nI love it,2.4\nI hate it,-2.6\nIt is a table,0\nWonderful,3\nAwful,-3\n")
    result = consonance("evaluate", "starter", "--data", str(data), "--json")
    assert result.code == 0
    found = _objects(result.out)[0]
    assert found["rows"] == 5
    assert set(found["metrics"]["text"]["mae"]) == {"value", "low", "high", "count"}
    table = consonance("evaluate", "starter", "--data", str(data))
    assert "acc2_non0" in table.out


def test_data_that_is_not_there_and_settings_that_do_not_exist_are_told(
    consonance: Consonance, assets: Path, tmp_path: Path
) -> None:
    absent = consonance("evaluate", "starter", "--data", str(tmp_path / "none.csv"), "--json")
    assert (absent.code, absent.out) == (1, "")
    assert "none.csv" in absent.err
    where = ("--data", str(tmp_path), "--run", str(tmp_path / "run"))
    wrong = consonance("train", "mosi", *where, "--set", "training.epoch=1")
    assert wrong.code == 1
    assert "training.epochs" in wrong.err
    assert not (tmp_path / "run").exists()


def test_assets_are_listed_for_people_and_for_programs(consonance: Consonance, assets: Path) -> None:
    told = consonance("assets", "status").out
    assert "text-encoder" in told
    assert told.splitlines()[-1] == str(assets), "the folder on a line of its own, not cut"
    assert told.count(str(assets)) == 1
    found = _objects(consonance("assets", "status", "--json").out)
    assert {item["state"] for item in found} == {"present"}
