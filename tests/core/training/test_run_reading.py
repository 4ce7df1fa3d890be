"""What is read of a run folder for the list: states, settings beside a preset, reports, logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.training import known_runs, run_reading
from core.training.comparison import compare

from ...run_folders import write_run


def test_runs_are_found_two_folders_deep_and_by_name(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    here, grouped = write_run(root / "one"), write_run(root / "search" / "trial-1")
    elsewhere = write_run(tmp_path / "elsewhere")
    (root / ".queue").mkdir()
    (root / "no run").mkdir()
    found = run_reading.find(root, [elsewhere, here, tmp_path / "gone"])
    assert found == [here, grouped, elsewhere]


def test_a_folder_of_runs_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert run_reading.find(tmp_path / "nowhere") == []


@pytest.mark.parametrize("state", ["running", "finished", "stopped", "failed", "interrupted"])
def test_a_summary_tells_state_best_and_what_it_is_of(tmp_path: Path, state: str) -> None:
    told = run_reading.summary(write_run(tmp_path / "run", state, epochs=5, seed=7))
    assert (told["state"], told["name"], told["seed"], told["best_epoch"]) == (state, "mosi", 7, 5)
    assert told["data"] == "/data/mosi.pkl"
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("name", ["settings.toml", "run.json", "state.json", "report.json"])
@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b"{", b'{"best": 3}'])
def test_a_damaged_file_does_not_hide_the_run(tmp_path: Path, name: str, content: bytes) -> None:
    folder = write_run(tmp_path / "run")
    (folder / name).write_bytes(content)
    assert run_reading.summary(folder)["folder"] == str(folder)
    assert run_reading.settings_table(folder)["rows"] is not None
    assert run_reading.compared(folder).folder == str(folder)


HOSTILE = {
    "state.json": (
        '{"state": "running", "pid": "x"}',
        '{"state": "running", "pid": 1e400, "started": NaN}',
        '{"state": "running", "pid": 340282366920938463463374607431768211456}',
        '{"state": ["running"], "epoch": {}, "share": "half", "left_s": [], "reason": 3}',
        '{"state": "failed", "error": "none", "best": {"figure": [], "epoch": {}}}',
        "[" * 100_000,
    ),
    "run.json": ('{"created": 1e999, "name": {"a": 1}, "data": [2]}', '{"created": NaN}', "[" * 100_000),
    "settings.toml": ("[training]\nseed = 1979-05-27\nmonitor = nan\n", "a = " + "[" * 20_000),
}


@pytest.mark.parametrize(("name", "content"), [(n, c) for n, cs in HOSTILE.items() for c in cs])
def test_a_file_that_says_nonsense_is_told_of_like_any_run(tmp_path: Path, name: str, content: str) -> None:
    folder = write_run(tmp_path / "run")
    (folder / name).write_text(content)
    told = run_reading.summary(folder)
    assert (type(told["epoch"]), type(told["created"]), type(told["name"])) == (int, float, str)
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(
    "files",
    [
        {"settings.toml": "a = 1"},
        {"run.json": '{"v": 1, "id": "a"}'},
        {"settings.toml": "a = 1", "run.json": "{}", "events.jsonl": ""},
        {"settings.toml": "a = 1", "run.json": '{"v": "2.0", "id": "somebody\'s project"}'},
        {"settings.toml": "a = 1", "run.json": '{"v": 1, "id": ""}'},
    ],
)
def test_a_folder_of_another_program_is_no_run(tmp_path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert not run_reading.is_run(tmp_path)


def test_the_group_is_the_same_for_seeds_and_another_for_settings(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "a", seed=1),
        write_run(tmp_path / "b", seed=2),
        write_run(tmp_path / "c", seed=1, overrides=("alignment.weight=0.0",)),
    ]
    told = compare([run_reading.compared(folder) for folder in runs])
    assert [group["seeds"] for group in told["groups"]] == [[1, 2], [1]]


def test_settings_stand_beside_those_of_the_nearest_preset(tmp_path: Path) -> None:
    told = run_reading.settings_table(write_run(tmp_path / "run", overrides=("alignment.weight=0.4",)))
    assert told["preset"] == "mosi"
    differing = {row["name"]: (row["value"], row["usual"]) for row in told["rows"] if row["differs"]}
    assert differing["alignment.weight"] == ("0.4", "0.1")
    assert set(differing) == {"alignment.weight", "training.epochs"}
    assert next(r["title"] for r in told["rows"] if r["name"] == "alignment.weight") == "Alignment · Weight λ"


def test_test_figures_are_those_of_the_fusion(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    metrics = run_reading.report(folder)["test"]["sources"]["test"]["metrics"]
    assert run_reading.figures(run_reading.report(folder))["mae"] == metrics["multimodal"]["mae"]["value"]


def test_figures_of_several_sources_keep_their_names() -> None:
    report = {"test": {"sources": {n: {"metrics": {"text": {"mae": {"value": 1.0}}}} for n in ("a", "b")}}}
    assert run_reading.figures(report) == {"a · mae": 1.0, "b · mae": 1.0}


def test_of_a_long_log_the_last_whole_lines_are_shown(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    lines = [f"line {n}" for n in range(10_000)]
    (folder / "stderr.log").write_text("\n".join(lines))
    tail = run_reading.log_tail(folder)["stderr.log"].splitlines()
    assert tail[-1] == "line 9999"
    assert len(tail) < 10_000
    assert tail == lines[-len(tail) :]


def test_each_run_is_remembered_once_for_the_folder_of_runs_may_be_another_tomorrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / "home"))
    for folder in (tmp_path / "a", tmp_path / "b", tmp_path / "a", tmp_path / "home" / "runs" / "c"):
        known_runs.remember(folder)
    assert known_runs.known() == [tmp_path / "a", tmp_path / "b", tmp_path / "home" / "runs" / "c"]
