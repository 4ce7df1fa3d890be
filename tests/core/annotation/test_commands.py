"""A project from its making to its report, by the command line alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.annotation.errors import ProjectError
from core.annotation.project import Project, create, read
from core.cli import main

Run = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `consonance annotations …`; its exit code and the objects it printed."""

    def call(*arguments: object) -> tuple[int, list[dict[str, Any]]]:
        monkeypatch.setattr(sys, "argv", ["consonance", "annotations", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out = capfd.readouterr().out
        objects = [json.loads(line) for line in out.splitlines()] if "--json" in arguments else []
        return (ended.value.code if isinstance(ended.value.code, int) else 0), objects

    return call


def test_a_project_goes_from_clips_to_a_report(run: Run, tmp_path: Path, sample_clip: Path) -> None:
    clips, project = tmp_path / "clips", tmp_path / "project"
    clips.mkdir()
    for name in ("1.mp4", "2.mp4"):
        (clips / name).write_bytes(sample_clip.read_bytes())
    code, told = run("init", project, "--name", "first", "--rater", "Ada", "--json")
    assert (code, told[0]["name"], told[0]["blind"]) == (0, "first", True)
    code, told = run("import", project, clips, "--json")
    assert (code, told[0]["added"], told[0]["missing"]) == (0, 2, [])
    for rater, clip, value in (("Ada", 1, -2), ("Bo", 1, -3), ("Ada", 2, 1), ("Bo", 2, 3)):
        code, told = run("rate", project, "--rater", rater, "--json", "--", clip, "multimodal", value)
        assert (code, told[0]["value"]) == (0, value)
    code, told = run(
        "agreement", project, "--passes", "multimodal", "--report", tmp_path / "r.html", "--json"
    )
    assert (code, told[0]["figures"]["alpha interval"]["clips"]) == (0, 2)
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    for form, out in (("csv", "a.csv"), ("json", "a.json"), ("elan", "elan"), ("label-folder", "set")):
        code, told = run("export", project, tmp_path / out, "--format", form, "--json")
        assert (code, told[0]["clips"]) == (0, 2), form
        assert all(Path(file).is_file() for file in told[0]["files"])
    code, told = run("raters", project, "--json")
    assert [one["progress"]["multimodal"]["rated"] for one in told] == [2, 2]
    (clips / "2.mp4").unlink()
    code, told = run("relink", project, "--json")
    assert (code, told[0]["missing"]) == (1, [{"clip": "2", "file": "2.mp4"}])


def test_one_source_that_fails_stops_no_other(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_text("text,y\ngood,1\nbad,-1\n")
    run("init", tmp_path / "project")
    code, told = run("import", tmp_path / "project", tmp_path / "absent", table, "--json")
    assert code == 1
    assert told[0]["error"]["kind"] == "data"
    assert (told[1]["added"], told[1]["labels"]) == (2, 2)


def test_unblinding_needs_a_name(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path / "project", "--rater", "Ada")
    assert run("raters", tmp_path / "project", "--unblind", "Ada")[0] == 1
    code, told = run("raters", tmp_path / "project", "--unblind", "Ada", "--by", "Lee", "--json")
    assert code == 0
    assert told[0]["unblinded"] > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("rate", "1", "smell", "1", "--rater", "Ada"),
        ("rate", "1", "text", "much", "--rater", "Ada"),
        ("export", "out", "--format", "xlsx"),
        ("export", "out", "--rule", "vote"),
    ],
)
def test_wrong_words_are_wrong_usage(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    run("init", tmp_path / "project")
    assert run(arguments[0], tmp_path / "project", *arguments[1:])[0] == 2


def test_a_folder_that_is_no_project_says_so(run: Run, tmp_path: Path) -> None:
    assert run("export", tmp_path, tmp_path / "a.csv")[0] == 1


def test_settings_are_read_back_as_they_were_given(tmp_path: Path) -> None:
    made = create(tmp_path, name="ü", scale=(-1.0, 1.0), levels=5, passes=("text",), blind=False, seed=3)
    assert read(tmp_path) == made
    assert made.values == (-1.0, -0.5, 0.0, 0.5, 1.0)
    assert Project(name="x", seed=1).values == (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
    eleven = Project(name="x", seed=1, scale=(-1, 1), levels=11).values
    assert eleven == (-1.0, -0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    with pytest.raises(ProjectError, match="already"):
        create(tmp_path)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("scale = [-2, 2]", "neither"),
        ("levels = 6", "7 levels, not 6"),
        ('passes = ["text", "text"]', "twice"),
        ("colour = 1", "colour"),
        ("version = 2", "newer version"),
        ("scale = ", "cannot be read"),
    ],
)
def test_settings_that_do_not_hold_together_are_told(tmp_path: Path, line: str, told: str) -> None:
    head = "" if line.startswith("version") else "version = 1\n"
    (tmp_path / "project.toml").write_text(f'{head}name = "x"\nseed = 1\n{line}\n')
    with pytest.raises(ProjectError, match=told):
        read(tmp_path)
