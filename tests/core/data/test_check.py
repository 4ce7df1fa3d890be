"""A check tells everything that is doubtful about data, together, and never raises for it."""

from __future__ import annotations

import csv
import json
import pickle
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.commands.data import check as command
from core.data.batches import Sample
from core.data.check import Report, check
from core.data.faults import faults
from core.data.parts import DataSet, Part
from core.data.survey import survey
from core.training.data_settings import Source
from core.training.preflight_report import Problem
from core.training.settings import load

pytestmark = pytest.mark.usefixtures("own_cache")
Pickled = Callable[..., Path]


def sample(name: str, y: float | None = None, **values: Any) -> Sample:
    random = np.random.default_rng(zlib.crc32(name.encode()))
    labels = {} if y is None else {"multimodal": y}
    made = {"text": f"what was said in the clip {name}", "audio": random.normal(size=(3, 2)), **values}
    return Sample(name, made.pop("group", name), labels=labels, **made)


def plain(part: str, count: int = 6) -> list[Sample]:
    return [sample(f"{part}-{i}", float(i % 5) - 2) for i in range(count)]


def found(scale: tuple[float, float] | None = None, **parts: list[Sample]) -> list[Problem]:
    data = DataSet({name: Part(rows, [0] * len(rows)) for name, rows in parts.items()}, (Source(),))
    return faults(survey(data, lambda share: None), scale)


def codes(problems: Iterable[Problem], *severities: str) -> set[tuple[str, str]]:
    return {(p.code, p.where) for p in problems if not severities or p.severity in severities}


def test_sound_data_has_nothing_but_notes() -> None:
    problems = found(train=plain("a"), valid=plain("b"), test=plain("c"))
    assert codes(problems) == {("no-modality", "face")}
    assert {p.severity for p in problems} == {"note"}


def test_parts_that_are_empty_are_told_by_how_much_they_matter() -> None:
    assert codes(found(valid=plain("b")), "error") == {("empty-split", "train")}
    assert codes(found(train=plain("a")), "warning") == {("empty-split", "valid")}
    assert ("no-parts", "all") in codes(found(all=plain("a")), "note")
    mixed = found(train=plain("t"), all=plain("a", 3))
    assert ("rows-without-part", "all") in codes(mixed, "warning")
    assert any("3 rows are of no part" in problem.message for problem in mixed)


def test_rows_that_share_an_id_are_named() -> None:
    (problem,) = [
        p for p in found(train=[*plain("a"), sample("a-0", 1.0, text="x")], valid=plain("b"))
        if p.code == "duplicate-id"
    ]  # fmt: skip
    assert problem.message == "2 rows with the id of another: a-0, a-0."


def test_a_speaker_in_two_parts_is_told_with_both() -> None:
    problems = found(train=[*plain("a"), sample("x", 1.0, group="v")], test=[sample("y", 0.0, group="v")])
    (problem,) = [p for p in problems if p.code == "group-in-two-splits"]
    assert (problem.severity, problem.where) == ("warning", "train, test")
    assert "In both: v (1 in all)." in problem.message


def test_features_that_leak_into_another_part_are_an_error() -> None:
    copied = np.ones((4, 2))
    problems = found(
        train=[*plain("a"), sample("x", 1.0, audio=copied)],
        test=[*plain("c"), sample("y", 0.0, audio=copied.copy())],
        valid=plain("b"),
    )
    (problem,) = [p for p in problems if p.severity == "error"]
    assert (problem.code, problem.where) == ("features-in-two-splits", "train, test")
    assert "voice features of 1 row of test are also in train: y" in problem.message


def test_long_texts_leak_and_short_ones_are_what_everybody_says() -> None:
    told = "I have never seen anything like it"
    leak = found(
        train=[*plain("a"), sample("x", text=told)], valid=[*plain("b"), sample("y", text=told.upper())]
    )
    assert ("text-in-two-splits", "train, valid") in codes(leak, "error")
    short = found(train=[*plain("a"), sample("x", text="Hi.")], valid=[*plain("b"), sample("y", text="Hi.")])
    assert not [p for p in short if p.code == "text-in-two-splits"]


def test_copies_within_a_part_are_told() -> None:
    one = sample("x", 1.0)
    problems = found(
        train=[*plain("a"), one, sample("y", 1.0, text=one.text, audio=one.audio)], valid=plain("b")
    )
    assert codes(problems) >= {("duplicate-features", "train"), ("duplicate-text", "train")}
    other_label = found(train=[*plain("a"), one, sample("y", -1.0, text=one.text)], valid=plain("b"))
    assert not [p for p in other_label if p.code == "duplicate-text"]


def test_labels_are_held_against_the_scale() -> None:
    rows = [*plain("a"), sample("x", 5.0), sample("y", 7.0)]
    (problem,) = [p for p in found((-3, 3), train=rows, valid=plain("b")) if p.severity == "error"]
    assert problem.code == "label-out-of-range"
    assert "2 labels (-2 to 7) are beyond -3 to 3: x, y." in problem.message
    guessed = [p for p in found(train=rows, valid=plain("b")) if p.code == "label-out-of-range"]
    assert [p.severity for p in guessed] == ["warning"]


def test_labels_that_fill_little_of_the_scale_or_never_change_are_doubtful() -> None:
    rows = [sample(f"a{i}", 0.02 * i) for i in range(30)]
    assert ("label-range-narrow", "labels") in codes(found((-3, 3), train=rows), "warning")
    same = [sample(f"a{i}", 1.0) for i in range(5)]
    assert ("constant-label", "train") in codes(found(train=same, valid=plain("b")), "warning")


def test_rows_without_labels_are_an_error_only_where_nothing_can_be_learned() -> None:
    bare = [sample(f"n{i}") for i in range(3)]
    assert ("no-labels", "train") in codes(found(train=bare, valid=plain("b")), "error")
    assert ("no-labels", "test") in codes(found(train=plain("a"), valid=plain("b"), test=bare), "warning")
    assert ("rows-without-label", "train") in codes(
        found(train=[*plain("a"), *bare], valid=plain("b")), "note"
    )


def test_a_modality_missing_in_one_part_alone_is_told() -> None:
    deaf = [sample(f"d{i}", 1.0 * i, audio=None) for i in range(3)]
    problems = found(train=plain("a"), valid=deaf)
    assert ("modality-missing-in-split", "voice") in codes(problems, "warning")
    some = found(train=[*plain("a"), *deaf], valid=plain("b"))
    assert ("rows-without-modality", "voice") in codes(some, "note")


def test_features_that_never_change_are_told() -> None:
    rows = [sample(f"c{i}", 1.0 * i, audio=np.full((2, 2), 3.0)) for i in range(3)]
    assert ("constant-modality", "voice") in codes(found(train=rows, valid=rows[:0]), "warning")
    half = [sample(f"c{i}", 1.0 * i, audio=np.array([[3.0, i]])) for i in range(3)]
    assert ("constant-features", "voice") in codes(found(train=half), "note")


def test_what_reading_a_dataset_file_mended_is_part_of_the_report(tmp_path: Path, pickled: Pickled) -> None:
    path = tmp_path / "odd.pkl"
    report = check(pickled(), load("mosi", ["network.text_encoder="]))
    assert report.sound
    assert [part.name for part in report.parts] == ["train", "valid", "test"]
    assert report.parts[0].rows == 40
    assert report.parts[0].labels["multimodal"]["count"] == 40
    assert report.features["audio"] == "foreign"
    tree: dict[str, Any] = {"audio": np.zeros((3, 2, 2)), "labels": np.array([1.0, np.nan, 2.0])}
    tree["audio"][0] = np.inf
    path.write_bytes(pickle.dumps(tree))
    report = check(path)
    found_codes = {p.code for p in report.problems}
    assert found_codes >= {"non-finite", "all-zero", "label-not-finite", "no-id", "no-parts"}


def test_a_file_that_cannot_be_read_is_a_report_with_that_error(tmp_path: Path) -> None:
    path = tmp_path / "data.pkl"
    path.write_bytes(b"not a pickle")
    report = check(path)
    assert not report.sound
    assert [p.code for p in report.problems] == ["unreadable"]


def label_folder(root: Path, *rows: tuple[str, bytes]) -> Path:
    (root / "Raw" / "v").mkdir(parents=True)
    for clip, content in rows:
        (root / "Raw" / "v" / f"{clip}.mp4").write_bytes(content)
    with (root / "label.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video_id", "clip_id", "text", "label", "mode"])
        for number, (clip, _) in enumerate(rows):
            writer.writerow(["v", clip, f"said {clip}", number - 1, "train" if number % 2 else "valid"])
    return root


def test_clips_are_not_extracted_for_a_check_but_copies_are_seen(tmp_path: Path) -> None:
    report = check(label_folder(tmp_path / "set", ("1", b"one"), ("2", b"two"), ("3", b"two")))
    assert not report.looked_at
    assert codes(report.problems) >= {("features-in-two-splits", "train, valid"), ("not-extracted", "clips")}
    (leak,) = [p for p in report.problems if p.code == "features-in-two-splits"]
    assert "clip files of 1 row " in leak.message
    with (tmp_path / "set" / "label.csv").open("a") as table:
        table.write("v,9,gone,0,train\n")
    told = [p.message for p in check(tmp_path / "set").problems if p.code == "left-out"]
    assert told == ["label.csv, line 5: no file Raw/v/9.mp4: left out."]


def test_the_command_shows_tables_and_fails_on_errors(
    tmp_path: Path, pickled: Pickled, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(pickled(), None, as_json=False) == 0
    shown = capfd.readouterr().out
    assert "0 errors" in shown
    assert "multimodal" in shown
    (tmp_path / "t.csv").write_text("text,y\nfine,7\n")
    assert command(tmp_path / "t.csv", "mosi", as_json=True) == 1
    told = json.loads(capfd.readouterr().out)
    assert not told["sound"]
    assert {p["code"] for p in told["problems"]} >= {"label-out-of-range"}


def test_real_text_data_is_checked_in_no_time(shared_data: Path) -> None:
    report: Report = check(shared_data / "mosei_text" / "mosei_valid.csv", load("mosei"))
    assert report.sound
    assert report.parts[0].groups == 300
