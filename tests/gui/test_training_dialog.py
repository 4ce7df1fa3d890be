"""The dialog of a new run: what is chosen, what is wrong, what is found and what is asked for."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from core.training.settings import Settings, load
from core.workers import command
from gui import new_run
from gui.background import Background
from gui.new_run import NewRun, Origin
from gui.theme import Theme
from gui.training_dialog import NewRunDialog

FAKE = Path(__file__).with_name("fake_preflight.py")
OpenDialog = Callable[..., NewRunDialog]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "clips.csv"
    path.write_text("text,y\ngood,1\n")
    return path


@pytest.fixture
def open_dialog(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., NewRunDialog]]:
    """Opens the dialog on a scripted preflight; its process has ended after the test."""
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / "home"))
    parent, background = QWidget(), Background()
    opened: list[NewRunDialog] = []

    def open_it(behaviour: str = "good", origin: Origin | None = None) -> NewRunDialog:
        monkeypatch.setattr(
            "gui.training_dialog.command",
            command if behaviour == "real" else lambda *arguments: [sys.executable, str(FAKE), behaviour],
        )
        dialog = NewRunDialog(background, parent, origin)
        opened.append(dialog)
        with qtbot.waitExposed(dialog):
            dialog.show()
        qtbot.waitUntil(lambda: dialog.form.complete and bool(dialog.choices.name), timeout=20000)
        return dialog

    yield open_it
    for dialog in opened:
        preflight = dialog.preflight
        dialog.close()
        dialog.deleteLater()
        qtbot.waitUntil(lambda preflight=preflight: not isValid(preflight), timeout=8000)
    with qtbot.waitSignal(background.closed, timeout=5000):
        background.close()
    parent.deleteLater()


def checked(qtbot: QtBot, dialog: NewRunDialog) -> None:
    """Wait until what is chosen has been looked at."""
    qtbot.waitUntil(lambda: "Looked at" in dialog.view._state.text(), timeout=10000)


def test_it_opens_on_the_quick_check_and_says_what_is_missing(open_dialog: OpenDialog) -> None:
    dialog = open_dialog()
    assert dialog.form.result == load("quick")
    assert [line.where for line in dialog.problems.errors] == ["data"]
    assert not dialog.start.isEnabled()
    assert dialog.choices.name == "quick"


def test_data_and_a_preset_are_enough_for_a_start(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path, tmp_path: Path
) -> None:
    dialog = open_dialog()
    dialog.choices.choose_data(data)
    qtbot.waitUntil(dialog.start.isEnabled, timeout=5000)
    with qtbot.waitSignal(dialog.start_asked) as asked:
        dialog.start.click()
    wanted = asked.args[0]
    assert wanted == NewRun(load("quick"), data, "clips-quick", tmp_path / "home" / "runs", (1111,))
    assert [folder.name for folder, _settings in wanted.runs()] == ["clips-quick"]
    qtbot.waitUntil(lambda: new_run.recent_data() == [data], timeout=5000)


def test_what_is_found_before_the_start_is_shown(qtbot: QtBot, open_dialog: OpenDialog, data: Path) -> None:
    dialog = open_dialog()
    dialog.choices.choose_data(data)
    checked(qtbot, dialog)
    values = {name: label.text() for name, label in dialog.view.values.items()}
    document = QTextDocument()
    document.setHtml(values["data"])
    told = " ".join(document.toPlainText().split())
    assert told == "rows groups labels of train 1,284 52 multimodal"
    assert values["time"] == "at most 8 min, 9 s an epoch"
    assert values["memory"] == "about unknown of 8.0 GB free"
    assert values["device"] == "cpu  1 threads"


def test_what_keeps_a_run_from_starting_is_listed_and_leads_to_its_field(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path
) -> None:
    dialog = open_dialog("faulty")
    dialog.choices.choose_data(data)
    checked(qtbot, dialog)
    assert [(line.severity, line.where) for line in dialog.problems.lines] == [
        ("error", "data.scale"),
    ]
    assert dialog.view.values["notes"].text() == "Cut."
    assert dialog.start.text() == "Start anyway"
    assert not dialog.start.isDefault()
    dialog.activateWindow()
    dialog.problems.list.setCurrentRow(0)
    QTest.keyClick(dialog.problems.list, Qt.Key.Key_Return)
    assert dialog.form.rows["data.scale"].editor.isAncestorOf(dialog.focusWidget())


def test_a_change_puts_what_was_found_in_doubt_and_is_looked_at_again(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path
) -> None:
    dialog = open_dialog("faulty")
    dialog.choices.choose_data(data)
    checked(qtbot, dialog)
    dialog.form.put("data.scale", (-4.0, 4.0))
    assert dialog.problems.errors == []
    qtbot.waitUntil(lambda: len(dialog.problems.errors) == 1, timeout=5000)


def test_a_check_can_be_cancelled_and_asked_for_again(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path
) -> None:
    dialog = open_dialog("silent")
    dialog.choices.choose_data(data)
    qtbot.waitUntil(lambda: dialog.view._state.text() == "Reading the data…", timeout=8000)
    dialog.view._cancel.click()
    assert dialog.view._state.text() == "Not looked at."
    assert not dialog.preflight.busy
    dialog.view._again.click()
    assert dialog.preflight.busy


def test_a_check_that_dies_says_so_and_the_run_can_be_started_anyway(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path
) -> None:
    dialog = open_dialog("dies")
    dialog.choices.choose_data(data)
    qtbot.waitUntil(lambda: "ended with code 3" in dialog.view._state.text(), timeout=8000)
    assert dialog.start.isEnabled()


def test_several_seeds_are_several_runs(qtbot: QtBot, open_dialog: OpenDialog, data: Path) -> None:
    dialog = open_dialog()
    dialog.choices.choose_data(data)
    dialog.choices._several.click()
    qtbot.waitUntil(dialog.start.isEnabled, timeout=5000)
    assert dialog.start.text() == "Start 5 runs"
    assert dialog.wanted is not None
    runs = dialog.wanted.runs()
    assert [folder.name for folder, _ in runs] == [f"clips-quick-{seed}" for seed in range(1111, 1116)]
    assert [settings.training.seed for _, settings in runs] == list(range(1111, 1116))


def test_varied_values_and_seeds_are_counted_and_named(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path
) -> None:
    dialog = open_dialog()
    dialog.choices.choose_data(data)
    dialog.choices._several.click()
    QTest.keyClicks(dialog.choices.vary.text, "alignment.weight = 0, 0.1, 1")
    qtbot.waitUntil(dialog.start.isEnabled, timeout=5000)
    assert dialog.choices.vary.told.text() == "3 values × 5 seeds = 15 runs"  # noqa: RUF001 - a true times sign
    assert dialog.start.text() == "Start 15 runs"
    assert dialog.wanted is not None
    runs = dialog.wanted.runs()
    assert len(runs) == 15
    assert runs[5][0].name == "clips-quick-alignment.weight=0.1-seed=1111"
    assert (runs[5][1].alignment.weight, runs[5][1].training.seed) == (0.1, 1111)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("alignment.wieght = 0, 1", "did you mean alignment.weight?"),
        ("alignment.weight = 0, -1", "alignment.weight = -1: Input should be greater than or equal to 0"),
        ("alignment.weight = 0:1", "only a search takes ranges"),
    ],
)
def test_what_cannot_be_varied_is_told_at_the_field_and_keeps_from_starting(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path, typed: str, told: str
) -> None:
    dialog = open_dialog()
    dialog.choices.choose_data(data)
    qtbot.waitUntil(dialog.start.isEnabled, timeout=5000)
    QTest.keyClicks(dialog.choices.vary.text, typed)
    assert told in dialog.choices.vary.wrong.text()
    assert dialog.choices.vary.wrong.isVisible()
    assert [line.where for line in dialog.problems.errors] == ["vary"]
    assert not dialog.start.isEnabled()
    dialog.activateWindow()
    dialog.problems.list.setCurrentRow(0)
    QTest.keyClick(dialog.problems.list, Qt.Key.Key_Return)
    assert dialog.focusWidget() is dialog.choices.vary.text
    dialog.choices.vary.text.clear()
    assert dialog.start.text() == "Start"
    assert dialog.start.isEnabled()


@pytest.mark.parametrize("typed", ["", "7, 7", "-1", "seven", "2147483648"])
def test_what_are_no_seeds_are_explained(open_dialog: OpenDialog, typed: str) -> None:
    dialog = open_dialog()
    dialog.choices.seed_line.selectAll()
    QTest.keyClicks(dialog.choices.seed_line, typed) if typed else dialog.choices.seed_line.clear()
    dialog.choices.changed.emit()
    assert "seeds" in [line.where for line in dialog.problems.errors]


def test_the_first_seed_and_the_settings_are_one(open_dialog: OpenDialog) -> None:
    dialog = open_dialog()
    dialog.choices.seed_line.selectAll()
    QTest.keyClicks(dialog.choices.seed_line, "77")
    assert isinstance(dialog.form.result, Settings)
    assert dialog.form.result.training.seed == 77


def test_a_name_that_is_taken_is_told_and_another_one_suggested(
    qtbot: QtBot, open_dialog: OpenDialog, tmp_path: Path
) -> None:
    (tmp_path / "home" / "runs" / "quick").mkdir(parents=True)
    dialog = open_dialog()
    qtbot.waitUntil(lambda: dialog.choices.name == "quick-2", timeout=5000)
    dialog.choices.line.setText("quick")
    dialog.choices.changed.emit()
    assert "Name: quick is there already." in [line.text for line in dialog.problems.errors]


def test_another_preset_can_be_put_back(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    dialog = open_dialog()
    dialog.form.put("training.epochs", 9)
    dialog.choices.preset.setCurrentIndex(dialog.choices.preset.findData("mosei"))
    dialog.choices.preset.activated.emit(dialog.choices.preset.currentIndex())
    qtbot.waitUntil(lambda: dialog.form.result == load("mosei"), timeout=5000)
    assert dialog.form.differing == []
    dialog.panel._back.click()
    assert dialog.form.differing == ["training.epochs"]
    assert dialog.choices.preset.currentText() == "Quick check"


def test_settings_are_exported_and_imported_whole(
    qtbot: QtBot, open_dialog: OpenDialog, tmp_path: Path
) -> None:
    dialog = open_dialog()
    dialog.form.put("training.learning_rate", load("mosei").training.learning_rate)
    dialog.write_settings(tmp_path / "mine.toml")
    qtbot.waitUntil((tmp_path / "mine.toml").exists, timeout=5000)
    assert load(tmp_path / "mine.toml") == dialog.form.result
    dialog.choices.choose_first_preset()
    qtbot.waitUntil(lambda: dialog.form.result == load("quick"), timeout=5000)
    dialog.read_settings(tmp_path / "mine.toml")
    qtbot.waitUntil(lambda: dialog.form.result == load(tmp_path / "mine.toml"), timeout=5000)
    assert dialog.choices.preset.currentText() == "mine.toml"


def test_a_file_with_an_unknown_setting_is_told_with_the_nearest_name(
    qtbot: QtBot, open_dialog: OpenDialog, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("[training]\nepoch = 3\n")
    dialog = open_dialog()
    dialog.read_settings(tmp_path / "bad.toml")
    qtbot.waitUntil(lambda: "did you mean training.epochs?" in dialog.panel._told.text(), timeout=5000)


def test_dropped_data_becomes_the_data_and_a_dropped_settings_file_the_settings(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text("[training]\nepochs = 4\n")
    dialog = open_dialog()
    for path in (data, tmp_path / "mine.toml"):
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        action, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        dialog.dropEvent(QDropEvent(QPointF(5, 5), action, mime, buttons, Qt.KeyboardModifier.NoModifier))
    qtbot.waitUntil(lambda: dialog.form.result == load(tmp_path / "mine.toml"), timeout=5000)
    assert dialog.choices.chooser.path == data
    assert [widget for widget in dialog.findChildren(QWidget) if widget.acceptDrops()] == []


def test_a_real_check_is_made_in_a_process_of_its_own(
    qtbot: QtBot, open_dialog: OpenDialog, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    tree = {
        "id": [f"video{i // 4}$_${i}" for i in range(80)],
        "text": random.normal(size=(80, 3, 8)).astype(np.float32),
        "regression_labels": random.uniform(-3, 3, 80),
    }
    (tmp_path / "features.pkl").write_bytes(pickle.dumps(tree))
    dialog = open_dialog("real")
    dialog.form.put("network.text_encoder", "")
    dialog.choices.choose_data(tmp_path / "features.pkl")
    qtbot.waitUntil(lambda: "Looked at" in dialog.view._state.text(), timeout=60000)
    assert dialog.problems.errors == []
    assert "an epoch" in dialog.view.values["time"].text()


def test_a_duplicate_begins_with_the_runs_settings_and_data(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path
) -> None:
    settings = load("mosei", ["training.epochs=2"])
    dialog = open_dialog(origin=Origin("As the run mosei-1", settings, data, "mosei-1"))
    assert dialog.form.result == settings
    assert dialog.choices.chooser.path == data
    assert dialog.choices.name == "mosei-1"
    assert dialog.choices.preset.currentText() == "As the run mosei-1"


def test_data_that_is_not_there_is_told(qtbot: QtBot, open_dialog: OpenDialog, tmp_path: Path) -> None:
    dialog = open_dialog()
    dialog.choices.choose_data(tmp_path / "none.pkl")
    qtbot.waitUntil(lambda: any("there is no" in p.text for p in dialog.problems.errors), timeout=5000)


def test_recent_data_that_is_gone_is_greyed_and_not_dropped(
    qtbot: QtBot, open_dialog: OpenDialog, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path / "home"))
    for path in (data, tmp_path / "gone.pkl"):
        assert list(new_run.remember_data(path)) == [True]
    box = open_dialog().choices.chooser.box
    qtbot.waitUntil(lambda: box.count() == 2, timeout=5000)
    enabled = [bool(box.model().index(row, 0).flags() & Qt.ItemFlag.ItemIsEnabled) for row in range(2)]
    assert enabled == [False, True]


def test_every_control_can_be_reached_by_tab_and_has_a_name(qtbot: QtBot, open_dialog: OpenDialog) -> None:
    dialog = open_dialog()
    dialog.activateWindow()
    reached: list[QWidget] = []
    for _step in range(200):
        QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Tab)
        if (found := dialog.focusWidget()) in reached:
            break
        reached.append(found)
    assert dialog.start.isEnabled() or dialog.panel.search in reached
    choices = dialog.choices
    assert {choices.line, choices.seed_line, choices.vary.text, dialog.form.fold} <= set(reached)
    basic = [row for row in dialog.form.rows.values() if row.basic]
    assert all(any(row.isAncestorOf(widget) for widget in reached) for row in basic)
    nameless = [w for w in reached if not (w.accessibleName() or getattr(w, "text", str)())]
    assert nameless == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_at_twice_the_font_nothing_is_cut(
    qtbot: QtBot, qapp: QApplication, open_dialog: OpenDialog, data: Path, theme: str
) -> None:
    usual = qapp.font()
    Theme(qapp).choose(theme)
    large = qapp.font()
    large.setPointSizeF(2 * large.pointSizeF())
    qapp.setFont(large)
    try:
        dialog = open_dialog("faulty")
        dialog.resize(1280, 720)
        dialog.choices.choose_data(data)
        dialog.form.put("training.epochs", 7)
        dialog.form.fold.click()
        checked(qtbot, dialog)
        qtbot.wait(50)
        assert dialog.width() == 1280
        assert dialog.form.horizontalScrollBar().maximum() == 0
        viewport = dialog.choices.parentWidget()
        assert viewport is not None
        assert dialog.choices.width() <= viewport.width()
        labels = [label for label in dialog.findChildren(QLabel) if label.isVisible() and label.text()]
        assert [label.text() for label in labels if _cut(label)] == []
    finally:
        qapp.setFont(usual)


def _cut(label: QLabel) -> bool:
    if label.wordWrap():
        return label.height() < label.heightForWidth(label.width()) - 1
    return label.width() < label.minimumSizeHint().width() or label.height() < label.fontMetrics().height()
