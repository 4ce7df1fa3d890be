"""The Training page in the window, on run folders as training writes them and the real reader process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from core import paths
from core.training.run_state import RunState, read_state, write_state
from gui.main_window import MainWindow
from gui.pages.training import TrainingPage
from gui.run_list import Run

from ..run_folders import write_long_run, write_run

OpenWindow = Callable[..., MainWindow]
WAIT_MS = 20_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and runs of this test alone."""
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def open_page(qtbot: QtBot, open_window: OpenWindow) -> Callable[..., MainWindow]:
    """The window on its Training page, once it has listed `count` runs."""

    def open_it(count: int, **options: object) -> MainWindow:
        window = open_window(**options)
        with qtbot.waitSignal(window.training.reader.listed, timeout=WAIT_MS):
            qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(lambda: len(page(window).runs.runs) == count, timeout=WAIT_MS)
        return window

    return open_it


def page(window: MainWindow) -> TrainingPage:
    return window.training.page


def shown(window: MainWindow) -> Run:
    run = page(window).run
    assert run is not None
    return run


def wait_for_curves(qtbot: QtBot, window: MainWindow, folder: Path, events: int = 1) -> None:
    def there() -> bool:
        curves = page(window).curves.get(str(folder))
        return curves is not None and curves.events >= events and not page(window).drawing

    qtbot.waitUntil(there, timeout=WAIT_MS)


def last(window: MainWindow, key: str, card: int = 0) -> float | None:
    points = page(window).panel.plots.cards[card].plot.points(key)
    return None if points is None else points.last


def test_without_runs_three_things_to_do_are_offered(open_page: OpenWindow) -> None:
    window = open_page(0)
    words = [button.accessibleName() for button in page(window).start_card.buttons]
    assert words == ["New run…", "Open the folder of a run…", "Choose the folder of runs…"]
    assert page(window).start_card.isVisible()
    assert page(window).list.count.text() == "No runs yet"


def test_runs_are_found_again_and_the_latest_is_shown(qtbot: QtBot, open_page: OpenWindow) -> None:
    write_run(paths.runs() / "old", seed=1)
    write_run(paths.runs() / "new", seed=4)
    window = open_page(2)
    qtbot.waitUntil(lambda: page(window).run is not None)
    assert Path(shown(window).folder).name == "new"
    assert "finished" in page(window).panel.state.text()
    assert "no better epoch in 8" in page(window).panel.state.text()


def test_a_run_of_the_command_line_elsewhere_is_listed(tmp_path: Path, open_page: OpenWindow) -> None:
    from core.training import known_runs

    known_runs.remember(write_run(tmp_path / "server run"))
    open_page(1)


@pytest.mark.parametrize(
    ("state", "can"),
    [
        ("running", {"stop-run"}),
        ("finished", set()),
        ("stopped", {"resume-run"}),
        ("failed", {"resume-run"}),
        ("interrupted", {"resume-run"}),
    ],
)
def test_what_can_be_done_with_a_run_depends_on_how_it_stands(
    qtbot: QtBot, open_page: OpenWindow, state: str, can: set[str]
) -> None:
    write_run(paths.runs() / "one", state, epochs=4)
    window = open_page(1)
    qtbot.waitUntil(lambda: page(window).run is not None)
    window.actions_by_id.refresh()
    of = window.actions_by_id.of
    assert {id for id in ("stop-run", "resume-run") if of[id].isEnabled()} == can
    assert of["discard-run"].isEnabled()
    assert of["duplicate-run"].isEnabled()
    assert page(window).list.view.model().index(0).data().startswith("mosi")


def test_a_failed_run_says_why_and_what_to_do(qtbot: QtBot, open_page: OpenWindow) -> None:
    write_run(paths.runs() / "bad", "failed", epochs=3)
    window = open_page(1)
    qtbot.waitUntil(lambda: page(window).run is not None)
    assert page(window).panel.trouble.text() == "The disk is full: checkpoints/best. Free 40 MB, then resume."


def test_an_event_is_drawn_within_a_second(qtbot: QtBot, open_page: OpenWindow) -> None:
    folder = write_run(paths.runs() / "live", "running", epochs=3)
    window = open_page(1)
    wait_for_curves(qtbot, window, folder)
    line = {"v": 1, "seq": 900, "t": 0.0, "kind": "step", "epoch": 4, "batch": 20, "loss_text": 0.125}
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    began = time.perf_counter()
    qtbot.waitUntil(lambda: last(window, "loss_text") == 0.125, timeout=WAIT_MS)
    # The promise is a second; this machine may be busy with other tests.
    assert time.perf_counter() - began < 5


def test_progress_and_end_of_a_run_are_followed(qtbot: QtBot, open_page: OpenWindow) -> None:
    folder = write_run(paths.runs() / "live", "running", epochs=3)
    window = open_page(1)
    qtbot.waitUntil(lambda: "epoch 3 of 20" in page(window).panel.state.text() if page(window).run else False)
    write_state(folder, RunState(state="finished", epoch=20, epochs=20, reason="all epochs done"))
    qtbot.waitUntil(lambda: "all epochs done" in page(window).panel.state.text(), timeout=WAIT_MS)
    assert page(window).list.count.text() == "1 run"


def test_a_null_leaves_a_gap_and_a_mark(qtbot: QtBot, open_page: OpenWindow) -> None:
    folder = write_run(paths.runs() / "gap", epochs=5, nulls=(3,))
    window = open_page(1)
    wait_for_curves(qtbot, window, folder)
    points = page(window).panel.plots.cards[0].plot.points("loss_text")
    assert list(points.gaps) == [2.25, 2.5, 2.75, 3.0]
    assert np.isnan(points.y).sum() == 4


def test_a_long_run_is_drawn_whole_in_few_points(qtbot: QtBot, open_page: OpenWindow) -> None:
    folder = write_long_run(paths.runs() / "long", events=20_000)
    window = open_page(1)
    wait_for_curves(qtbot, window, folder, events=20_001)
    points = page(window).panel.plots.cards[0].plot.points("loss_text")
    assert points.x[-1] == 10.0
    assert len(points.x) < 1500


def test_settings_log_and_report_have_tabs(qtbot: QtBot, open_page: OpenWindow) -> None:
    folder = write_run(paths.runs() / "one", overrides=("alignment.weight=0.4",))
    window = open_page(1)
    wait_for_curves(qtbot, window, folder)
    panel = page(window).panel
    qtbot.waitUntil(lambda: "reading data" in panel.log.toPlainText(), timeout=WAIT_MS)
    table = panel.settings.table
    cells = [[table.item(r, c).text() for c in range(3)] for r in range(table.rowCount())]
    assert ["Alignment · Weight λ", "0.4", "0.1"] in cells
    panel.settings.only.click()
    assert table.rowCount() > 60
    report = panel.report.toPlainText()
    assert "Why it ended: no better epoch in 8" in report
    assert "12 rows are in two splits" in report


def test_a_hostile_report_is_shown_as_text(qtbot: QtBot, open_page: OpenWindow) -> None:
    folder = write_run(paths.runs() / "one")
    (folder / "report.json").write_text(
        json.dumps({"ended": "<img src='file:///etc/passwd'>", "notes": ["<b>"]})
    )
    window = open_page(1)
    qtbot.waitUntil(
        lambda: "<img" in page(window).panel.report.toPlainText() if page(window).panel else False
    )


def tick(qtbot: QtBot, window: MainWindow, folders: list[Path]) -> None:
    for folder in folders:
        page(window).list.select(str(folder))
        qtbot.keyClick(page(window).list.view, Qt.Key.Key_Space)


def test_ticked_runs_are_compared(qtbot: QtBot, open_page: OpenWindow) -> None:
    runs = paths.runs()
    one = [write_run(runs / f"a{s}", seed=s, name=f"a{s}") for s in (1, 2, 3)]
    other = [
        write_run(runs / f"b{s}", seed=s, name=f"b{s}", overrides=("alignment.weight=0.0",), quality=-0.05)
        for s in (1, 2, 3)
    ]
    window = open_page(6)
    assert not page(window).list.compare.isEnabled()
    tick(qtbot, window, [*one, *other])
    assert page(window).list.compare.text() == "Compare 6"
    qtbot.mouseClick(page(window).list.compare, Qt.MouseButton.LeftButton)
    comparison = page(window).comparison
    qtbot.waitUntil(lambda: comparison.figures.columnCount() == 5, timeout=WAIT_MS)
    heads = [
        comparison.settings.horizontalHeaderItem(c).text() for c in range(comparison.settings.columnCount())
    ]
    assert heads == ["Setting", "A · a1 and 2 more", "B · b1 and 2 more"]
    rows = {
        comparison.figures.item(r, 0).text(): [comparison.figures.item(r, c).text() for c in range(1, 5)]
        for r in range(comparison.figures.rowCount())
    }
    mean, _, difference, p = rows["mean absolute error"]
    assert "±" in mean
    assert (difference, p) == ("\N{MINUS SIGN}0.050", "0.25")
    assert "no p below 0.25" in comparison.note.text()
    qtbot.waitUntil(lambda: all(comparison.overlays[0].plot.points(str(f)) for f in one), timeout=WAIT_MS)
    qtbot.mouseClick(comparison.back, Qt.MouseButton.LeftButton)
    assert not page(window).comparing


def test_a_run_is_discarded_after_one_question_and_undo_brings_it_back(
    qtbot: QtBot, open_page: OpenWindow
) -> None:
    folder = write_run(paths.runs() / "one")
    window = open_page(1)
    qtbot.waitUntil(lambda: page(window).run is not None)
    window.training.ask_discard()
    box = window.findChild(QMessageBox)
    assert box.defaultButton().text() == "Keep"
    next(b for b in box.findChildren(QPushButton) if b.text() == "Discard").click()
    qtbot.waitUntil(lambda: page(window).runs.rowCount() == 0)
    assert (folder / "settings.toml").exists()
    window.actions_by_id.refresh()
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page(window).runs.rowCount() == 1


def test_what_was_discarded_goes_when_the_window_closes_and_nothing_else_does(
    qtbot: QtBot, open_page: OpenWindow
) -> None:
    folder = write_run(paths.runs() / "one")
    kept = write_run(paths.runs() / "two")
    (folder / "my notes.txt").write_text("mine")
    window = open_page(2)
    window.training.discard(page(window).runs.runs[str(folder)])
    with qtbot.waitSignal(window.finished, timeout=WAIT_MS):
        window.close()
    qtbot.waitUntil(lambda: [path.name for path in folder.iterdir()] == ["my notes.txt"], timeout=WAIT_MS)
    assert read_state(kept).state == "finished"


def test_opening_a_folder_that_is_no_run_is_told(qtbot: QtBot, open_page: OpenWindow, tmp_path: Path) -> None:
    window = open_page(0)
    window.training.open_folder(tmp_path)
    qtbot.waitUntil(lambda: "There is no run in" in window.banner.text)


def test_a_run_opened_by_hand_is_shown_and_listed_from_then_on(
    qtbot: QtBot, open_page: OpenWindow, tmp_path: Path
) -> None:
    write_run(paths.runs() / "one")
    window = open_page(1)
    elsewhere = write_run(tmp_path / "elsewhere", "stopped")
    window.training.open_folder(elsewhere)
    qtbot.waitUntil(
        lambda: page(window).run is not None and shown(window).folder == str(elsewhere), timeout=WAIT_MS
    )


def test_the_filter_finds_by_name_and_state(qtbot: QtBot, open_page: OpenWindow) -> None:
    write_run(paths.runs() / "one", name="first")
    write_run(paths.runs() / "two", "failed", name="second")
    window = open_page(2)
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(window.focusWidget(), "disk full fail")
    assert page(window).runs.rowCount() == 1
    assert page(window).runs.at(0).name == "second"


def test_everything_on_the_page_has_a_name(qtbot: QtBot, open_page: OpenWindow) -> None:
    write_run(paths.runs() / "one", "running")
    window = open_page(1)
    qtbot.waitUntil(lambda: page(window).run is not None)
    unnamed = [
        widget
        for kind in (QAbstractButton, QComboBox)
        for widget in page(window).findChildren(kind)
        if widget.focusPolicy() and not (widget.accessibleName() or getattr(widget, "text", str)())
    ]
    assert unnamed == []


def test_a_reader_that_is_killed_is_told_and_comes_back(qtbot: QtBot, open_page: OpenWindow) -> None:
    import psutil

    write_run(paths.runs() / "one")
    window = open_page(1)
    psutil.Process(window.training.reader.process_id).kill()
    qtbot.waitUntil(lambda: "Reading the runs stopped" in window.banner.text, timeout=WAIT_MS)
    write_run(paths.runs() / "two")
    qtbot.waitUntil(lambda: len(page(window).runs.runs) == 2, timeout=WAIT_MS)


def test_the_page_can_be_used_by_keys_alone(qtbot: QtBot, open_page: OpenWindow) -> None:
    for seed in (1, 2):
        write_run(paths.runs() / f"run-{seed}", seed=seed, name=f"run-{seed}")
    window = open_page(2)
    qtbot.waitUntil(lambda: page(window).run is not None)

    def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        qtbot.keyClick(window.focusWidget(), key, modifiers)

    press(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    press(Qt.Key.Key_Tab)
    assert window.focusWidget() is page(window).list.view
    press(Qt.Key.Key_Space)
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Space)
    qtbot.waitUntil(window.actions_by_id.of["compare-runs"].isEnabled)
    press(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert page(window).comparing


def tab_names(qtbot: QtBot, window: MainWindow, presses: int) -> set[str]:
    """Names of what Tab reaches."""
    names = set()
    for _ in range(presses):
        qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        widget = window.focusWidget()
        names.add("" if widget is None else widget.accessibleName() or getattr(widget, "text", str)())
    return names


def test_tab_reaches_everything_and_all_of_it_has_a_name(qtbot: QtBot, open_page: OpenWindow) -> None:
    write_run(paths.runs() / "one", "running")
    window = open_page(1)
    qtbot.waitUntil(lambda: page(window).run is not None)
    qtbot.waitUntil(page(window).panel.buttons["stop-run"].isVisible)
    names = tab_names(qtbot, window, 40)
    assert "" not in names
    expected = {"Runs", "Filter runs by name, data or state", "New run…", "Stop", "Discard…", "Open folder"}
    assert expected <= names
    assert {"Loss per task", "Logarithmic: Loss per task", "Validation: error"} <= names
