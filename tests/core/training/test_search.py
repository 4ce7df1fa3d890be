"""A search: what may be varied, how trials are led, what survives a kill, what never sees the test part.

Most tests let a stand-in write the runs' folders, as `core.training.runs` writes them; the last one trains.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core.benchmarks import mosi_like
from core.errors import DataError, SettingsError
from core.sole import sole
from core.training import search as searching
from core.training import search_plots
from core.training.run_state import read_state
from core.training.runs import Run, create
from core.training.search import search
from core.training.search_space import parse
from core.training.settings import Settings
from core.training.settings import load as load_settings
from core.workers import command

WEIGHT = "alignment.weight=0:1"


@dataclass
class Runs:
    """In place of processes that train: every run is over at once, after `epochs`, as `figure` says."""

    figure: Callable[[Settings, int], float] = lambda settings, epoch: settings.alignment.weight + 1 / epoch
    epochs: int = 2
    started: list[tuple[str, str]] = field(default_factory=list)
    fails: str = ""

    def start(self, folder: Path, settings: Settings, data: Path, purpose: str = "") -> int:
        self.started.append((folder.name, purpose))
        run = create(folder, settings, data, purpose)
        if self.fails:
            run.tell(now=True, state="failed", error={"message": self.fails, "remedy": ""})
            return 0
        for epoch in range(1, self.epochs + 1):
            run.event("epoch", epoch=epoch, valid={"mae": self.figure(settings, epoch)})
        run.report({"test": {"sources": {}}})
        run.tell(now=True, state="finished")
        return 0


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(searching, "start", made.start)
    monkeypatch.setattr(searching, "LOOK_EVERY", 0.0)
    return made


def _search(tmp_path: Path, *vary: str, trials: int = 4, **options: Any) -> dict[str, Any]:
    return search("mosi", tmp_path / "d.pkl", tmp_path / "study", vary or (WEIGHT,), trials, **options)


@pytest.mark.parametrize(
    ("text", "kind", "ends"),
    [
        ("alignment.weight=0:1", "float", ("0.0", "1.0")),
        ("network.aligned_width=8:64:log", "int", ("8", "64")),
        ("training.learning_rate.other=1e-4:1e-2:log", "float", ("0.0001", "0.01")),
        ("network.fusion=concatenation, graph", "choice", ("concatenation", "graph")),
        ("training.batch_size=16,32", "choice", ("16", "32")),
    ],
)
def test_a_range_or_choices_of_any_setting_can_be_varied(text: str, kind: str, ends: tuple[str, ...]) -> None:
    (varied,) = parse([text], "mosi")
    assert (varied.kind, varied.ends) == (kind, ends)


@given(low=st.integers(1, 500), span=st.integers(1, 500), log=st.booleans())
@examples(max_examples=10, deadline=None)
def test_both_ends_of_a_range_are_what_was_typed(low: int, span: int, log: bool) -> None:
    (varied,) = parse([f"training.patience={low}:{low + span}" + (":log" if log else "")], "mosi")
    assert (varied.low, varied.high, varied.log) == (low, low + span, log)


def test_everything_that_cannot_be_varied_is_told_at_once() -> None:
    wrong = [
        "alignment.weigth=0:1",
        "alignment.weight=-1:1",
        "alignment.weight=1:0",
        "alignment.weight=0:1:log",
        "network.fusion=a:b",
        "network.fusion=graph",
        "network.fusion=graph,telepathy",
        "training.seed",
        WEIGHT,
        WEIGHT,
    ]
    with pytest.raises(SettingsError) as told:
        parse(wrong, "mosi")
    for part in (
        "did you mean alignment.weight",
        "greater than or equal to 0",
        "below the second",
        "and above 0",
        "holds no number",
        "one value is no choice",
        "network.fusion",
        "expected key=low:high",
        "alignment.weight is varied twice",
    ):
        assert part in told.value.message
    with pytest.raises(SettingsError, match="something to vary"):
        parse([], "mosi")


def test_the_best_trial_is_trained_once_more_and_only_that_run_is_no_trial(
    runs: Runs, tmp_path: Path
) -> None:
    found = _search(tmp_path, trials=6, jobs=2)
    values = [trial["value"] for trial in found["trials"]]
    assert found["best"] == values.index(min(values))
    assert runs.started == [(f"{n:04}", "trial") for n in range(1, 7)] + [("chosen", "")]
    chosen = load_settings(tmp_path / "study" / "chosen" / "settings.toml")
    assert chosen.alignment.weight == found["trials"][found["best"]]["settings"]["alignment.weight"]
    assert found["importance"] == {"alignment.weight": 1.0}
    assert json.loads((tmp_path / "study" / "search.json").read_text())["state"] == "finished"


def test_a_search_whose_choice_has_met_the_test_part_is_over(runs: Runs, tmp_path: Path) -> None:
    _search(tmp_path, trials=2)
    with pytest.raises(DataError, match="has met the test part"):
        _search(tmp_path, trials=9)


def test_a_hopeless_trial_is_cut_short_and_cannot_be_the_best(runs: Runs, tmp_path: Path) -> None:
    runs.epochs = 8
    found = _search(tmp_path, trials=20)
    pruned = [trial for trial in found["trials"] if trial["state"] == "pruned"]
    assert pruned
    assert all((tmp_path / "study" / trial["run"] / "stop").exists() for trial in pruned)
    assert found["trials"][found["best"]]["state"] == "complete"


def test_when_no_trial_comes_to_an_end_the_reason_is_told(runs: Runs, tmp_path: Path) -> None:
    runs.fails = "the data is upside down"
    with pytest.raises(DataError, match="upside down"):
        _search(tmp_path, trials=2)
    told = json.loads((tmp_path / "study" / "search.json").read_text())
    assert (told["state"], [trial["state"] for trial in told["trials"]]) == ("failed", ["fail", "fail"])


def test_without_a_validation_figure_there_is_nothing_to_choose_by(runs: Runs, tmp_path: Path) -> None:
    runs.epochs = 0
    with pytest.raises(DataError, match="validation part"):
        _search(tmp_path, trials=1)


def test_a_folder_with_another_search_is_refused(runs: Runs, tmp_path: Path) -> None:
    runs.fails = "no"
    with pytest.raises(DataError):
        _search(tmp_path, trials=1)
    with pytest.raises(DataError, match="other vary"):
        _search(tmp_path, "alignment.weight=0:2", trials=1)


def test_two_searches_never_work_in_one_folder(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    with sole(tmp_path / "study"), pytest.raises(DataError, match=f"{os.getpid()} is searching .* already"):
        _search(tmp_path)
    worker = tmp_path / "study" / "worker.json"
    worker.write_text(json.dumps({"pid": 2**22 + 1, "started": 1.0}))  # a search that was killed
    assert _search(tmp_path, trials=1)["state"] == "finished"


def test_the_pictures_are_svg_and_show_every_trial() -> None:
    trials = [
        {"number": 0, "state": "complete", "value": 1.0},
        {"number": 1, "state": "pruned", "value": 2.0},
        {"number": 2, "state": "fail", "value": None},
    ]
    page = ElementTree.fromstring(search_plots.history(trials, "a <b> & c"))
    assert len(page.findall("{*}circle")) == 2
    assert len(page.findall("{*}polyline")) == 1
    bars = ElementTree.fromstring(search_plots.importance({"x": 0.75, "y": 0.25}))
    assert len(bars.findall("{*}rect")) == 3  # the ground, and two bars
    for empty in (search_plots.history([], "mae"), search_plots.importance({})):
        assert ElementTree.fromstring(empty).findall("{*}text") or "trial" in empty


SETTINGS = """
[network]
text_encoder = ""
audio_input_width = 0
visual_input_width = 0
[training]
epochs = 3
threads = 1
device = "cpu"
"""


def test_a_search_that_was_killed_goes_on_and_its_trials_never_meet_the_test_part(tmp_path: Path) -> None:
    settings, data, study = tmp_path / "s.toml", tmp_path / "d.pkl", tmp_path / "study"
    settings.write_text(SETTINGS)
    mosi_like.write(data, 96, 48, aligned=True)
    asked = ["search", str(settings), "--data", str(data), "--study", str(study)]
    asked += ["--vary", WEIGHT, "--trials", "2", "--jobs", "2"]
    process = subprocess.Popen(command(*asked), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (study / "trials" / "0002" / "state.json").exists() and time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    process.kill()
    process.wait()

    found = search(str(settings), data, study, [WEIGHT], trials=2, jobs=2)
    assert [trial["state"] for trial in found["trials"]] == ["complete", "complete"]
    for trial in found["trials"]:
        run = Run(study / trial["run"])
        assert run.about["purpose"] == "trial"
        assert json.loads((run.folder / "report.json").read_text())["test"]["sources"] == {}
        assert "test" not in next(e for e in run.events()[0] if e["kind"] == "data")["rows"]["data"]
        assert read_state(run.folder).state == "finished"
    (scored,) = found["chosen"]["test"]["sources"].values()
    assert scored["rows"] == 32
