"""The process that reads runs for the window, as the window talks to it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.training.run_curves import unpacked
from core.workers import command

from ..run_folders import write_long_run, write_run


class Client:
    """Sends requests and waits for events."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            command("run-reader"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.wait_for(lambda event: event["event"] == "ready")

    def ask(self, id: int, do: str, **what: Any) -> None:
        self.say(json.dumps({"v": 1, "id": id, "do": do, **what}))

    def say(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for line in self._process.stdout:
            if wanted(event := json.loads(line)):
                return event
        raise AssertionError(self._process.stderr.read())

    def close(self) -> int:
        self._process.stdin.close()
        code = self._process.wait(timeout=10)
        self._process.stdout.close()
        self._process.stderr.close()
        return code


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / ".home"))  # no run of another test is known there
    made = Client()
    yield made
    assert made.close() == 0


def points(event: dict[str, Any], name: str, axis: str = "x") -> list[float]:
    return list(unpacked(event["columns"][name][axis]))


def test_runs_are_listed_and_later_what_changes(client: Client, tmp_path: Path) -> None:
    write_run(tmp_path / "one")
    client.ask(1, "list", root=str(tmp_path), also=[])
    told = client.wait_for(lambda event: event["event"] == "runs")
    assert [Path(run["folder"]).name for run in told["changed"]] == ["one"]
    write_run(tmp_path / "two", "running")
    told = client.wait_for(lambda event: event["event"] == "runs" and event["changed"])
    assert [Path(run["folder"]).name for run in told["changed"]] == ["two"]


def test_a_followed_run_is_told_on_as_it_grows(client: Client, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", "running", epochs=2)
    client.ask(1, "follow", folders=[str(folder)], points=400, shown=str(folder))
    first = client.wait_for(lambda event: event["event"] == "curves")
    assert max(points(first, "loss_text")) == 2.0
    details = client.wait_for(lambda event: event["event"] == "details")
    assert details["settings"]["preset"] == "mosi"
    line = {"v": 1, "seq": 9000, "kind": "step", "epoch": 3, "batch": 20, "loss_text": 0.3}
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    told = client.wait_for(lambda event: event["event"] == "curves")
    assert max(points(told, "loss_text")) == 2.25


def test_a_long_run_is_told_whole_in_few_points(client: Client, tmp_path: Path) -> None:
    folder = write_long_run(tmp_path / "long", events=30_000)
    client.ask(1, "follow", folders=[str(folder)], points=400, shown=None)
    told = client.wait_for(lambda event: event["event"] == "curves" and not event["reading"])
    assert told["events"] == 30_001
    assert len(points(told, "loss_text")) <= 404
    assert max(points(told, "loss_text")) == 15.0


def test_runs_are_compared(client: Client, tmp_path: Path) -> None:
    folders = [write_run(tmp_path / f"a{seed}", seed=seed) for seed in (1, 2)]
    folders += [
        write_run(tmp_path / f"b{seed}", seed=seed, overrides=("alignment.weight=0.0",)) for seed in (1, 2)
    ]
    client.ask(4, "compare", folders=[str(folder) for folder in folders])
    told = client.wait_for(lambda event: event["event"] == "comparison")
    assert told["id"] == 4
    assert [row["title"] for row in told["settings"]] == ["Training · Seed", "Alignment · Weight λ"]
    assert [group["seeds"] for group in told["groups"]] == [[1, 2], [1, 2]]


@pytest.mark.parametrize(
    "line", ["nothing", '{"v": 1, "id": 1, "do": "dance"}', '{"v": 9, "id": 1}', "[" * 2000]
)
def test_what_is_no_request_is_told_and_reading_goes_on(client: Client, tmp_path: Path, line: str) -> None:
    client.say(line)
    assert client.wait_for(lambda event: event["event"] == "failed")["error"]["kind"] == "protocol"
    client.ask(1, "list", root=str(tmp_path))
    assert client.wait_for(lambda event: event["event"] == "runs")["whole"]


def test_a_run_that_vanishes_is_told_gone(client: Client, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "one")
    client.ask(1, "list", root=str(tmp_path), also=[])
    client.wait_for(lambda event: event["event"] == "runs")
    folder.rename(tmp_path / ".hidden")
    assert client.wait_for(lambda event: event["event"] == "runs")["gone"] == [str(folder)]


def test_a_hostile_run_does_not_blank_the_list(client: Client, tmp_path: Path) -> None:
    sound, hostile, deep = (write_run(tmp_path / name) for name in ("a", "b", "c"))
    (hostile / "state.json").write_text('{"state": "running", "pid": "x"}')
    (deep / "state.json").write_text("[" * 100_000)
    (deep / "run.json").write_text('{"v": 1, "id": "c", "name": 3, "created": NaN}')
    client.ask(1, "list", root=str(tmp_path), also=[])
    told = client.wait_for(lambda event: event["event"] in ("runs", "failed"))
    assert {run["folder"] for run in told["changed"]} == {str(sound), str(hostile), str(deep)}
