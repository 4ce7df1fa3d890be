"""The form made from a settings model: all goes in and out unchanged, and what is wrong is said in place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QListWidget, QPlainTextEdit
from pytestqt.qtbot import QtBot

from core.training.settings import DataSettings, Settings, Source, load, names, presets
from gui.preferences import Preferences
from gui.widgets import field_facts
from gui.widgets.settings_form import SettingsForm

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def models(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Valid instances of a settings model, made from what its fields allow."""
    fields = {
        name: models(inner) if (inner := field_facts.nested(field)) else _values(field.annotation, field)
        for name, field in model.model_fields.items()
    }
    if model is DataSettings:
        fields["scale"] = st.tuples(st.floats(-1e6, 0), st.floats(0.001, 1e6))
    return st.builds(model, **fields)


def _values(annotation: Any, field: Any) -> st.SearchStrategy[Any]:
    if (inner := field_facts.item_model(field)) is not None:
        return st.lists(models(inner), max_size=2).map(tuple)
    if choices := field_facts.choices(annotation):
        return st.sampled_from(choices)
    if annotation in (int, float):
        return _numbers(annotation, field)
    if annotation is tuple or getattr(annotation, "__origin__", None) is tuple:
        item = annotation.__args__[0]
        inner = st.integers(0, 2**31 - 1) if item is int else _values(item, field)
        return st.lists(inner, max_size=4, unique=True).map(tuple)
    return st.from_type(annotation) if annotation is not str else text


def _numbers(kind: type, field: Any) -> st.SearchStrategy[Any]:
    limits = {n: getattr(m, n) for m in field.metadata for n in ("ge", "gt", "le", "lt") if hasattr(m, n)}
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    if kind is int:
        return st.integers(low, high)
    return st.floats(
        low,
        high,
        exclude_min="gt" in limits,
        exclude_max="lt" in limits,
        allow_nan=False,
        allow_infinity=False,
    )


st.register_type_strategy(str, text)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@pytest.fixture
def form(qtbot: QtBot) -> SettingsForm:
    made = SettingsForm(Settings)
    qtbot.addWidget(made)
    return made


def typed(form: SettingsForm, name: str, words: str) -> None:
    """Type into the first control of a setting."""
    line = form.rows[name].editor.parts[0]
    assert isinstance(line, QLineEdit)
    line.selectAll()
    QTest.keyClicks(line, words)


def seen(form: SettingsForm) -> list[str]:
    return [name for name, row in form.rows.items() if not row.isHidden()]


@QUICK
@given(values=models(Settings))
def test_any_valid_settings_go_through_the_form_unchanged(form: SettingsForm, values: Settings) -> None:
    form.set(values)
    assert form.result == values
    assert form.problems == []


@pytest.mark.parametrize("model", [Source, Preferences])
def test_other_models_go_through_forms_unchanged_too(qtbot: QtBot, model: type[BaseModel]) -> None:
    form = SettingsForm(model)
    qtbot.addWidget(form)

    @QUICK
    @given(values=models(model))
    def goes_through(values: BaseModel) -> None:
        form.set(values)
        assert form.result == values

    goes_through()


def test_every_setting_has_a_row(form: SettingsForm) -> None:
    assert {".".join(name.split(".")[:2]) for name in names()} == form.rows.keys()


def test_every_preset_goes_through_unchanged(form: SettingsForm) -> None:
    for name in presets():
        preset = load(name)
        form.set(preset)
        assert form.result == preset


def test_a_rate_typed_as_1e_4_stays_1e_4(form: SettingsForm) -> None:
    typed(form, "training.learning_rate", "1e-4")
    assert isinstance(form.result, Settings)
    assert form.result.training.learning_rate.text == 1e-4


def test_what_is_invalid_is_explained_at_its_field_and_listed_in_pydantics_words(form: SettingsForm) -> None:
    typed(form, "training.batch_size", "0")
    typed(form, "training.learning_rate", "2")
    typed(form, "data.scale", "5")
    told = {problem.name: problem.message for problem in form.problems}
    assert told == {
        "training.batch_size": "Input should be greater than or equal to 1",
        "training.learning_rate.text": "Text encoder: Input should be less than or equal to 1",
        "data.scale": "the lowest label 5.0 is not below the highest 3.0",
    }
    assert form.result is None
    assert form.rows["training.batch_size"].problem == "Input should be greater than or equal to 1"
    assert form.rows["training.epochs"].problem == ""


def test_letters_cannot_be_typed_into_a_number(form: SettingsForm) -> None:
    typed(form, "training.epochs", "1x2")
    assert form.values()["training"]["epochs"] == "12"


def test_what_differs_from_the_preset_is_marked_listed_and_can_be_reset(form: SettingsForm) -> None:
    preset = load("mosei")
    form.compare_with(preset, "CMU-MOSEI")
    form.set(preset)
    assert form.differing == []
    typed(form, "training.batch_size", "33")
    typed(form, "labels.limit", "3.0")  # the same number, typed otherwise
    assert form.differing == ["training.batch_size"]
    form.filter("", only_differing=True)
    assert seen(form) == ["training.batch_size"]
    form.rows["training.batch_size"].reset()
    assert form.result == preset
    assert seen(form) == []


def test_one_invalid_field_does_not_make_the_others_differ(form: SettingsForm) -> None:
    typed(form, "training.batch_size", "0")
    assert form.differing == ["training.batch_size"]


def test_advanced_settings_wait_under_their_fold(form: SettingsForm) -> None:
    assert "training.batch_size" in seen(form)
    assert "training.average" not in seen(form)
    form.fold.click()
    assert set(seen(form)) == form.rows.keys()


def test_a_search_finds_titles_helps_and_names_under_the_fold_too(form: SettingsForm) -> None:
    form.filter("averag")
    assert seen(form) == ["training.average"]
    form.filter("gradient_limit")
    assert seen(form) == ["training.gradient_limit"]
    form.filter("no such words")
    assert seen(form) == []
    assert not form.nothing.isHidden()


def test_a_problem_leads_to_its_field(qtbot: QtBot, form: SettingsForm) -> None:
    form.resize(700, 300)
    with qtbot.waitExposed(form):
        form.show()
    form.activateWindow()
    form.show_setting("training.weight_decay.audio")
    row = form.rows["training.weight_decay"]
    seen_part = form.viewport().rect()
    assert seen_part.contains(row.mapTo(form.viewport(), row.rect().center()))
    assert row.editor.isAncestorOf(form.focusWidget())


def test_sources_are_added_edited_and_removed(qtbot: QtBot, form: SettingsForm) -> None:
    from gui.widgets.entries_editor import EntriesEditor, EntryDialog

    editor = form.rows["data.sources"].editor
    assert isinstance(editor, EntriesEditor)
    editor.put(0, Source(path="a.csv"))
    editor.put(1, Source(path="b.csv", class_values={"neg": -2}))
    dialog = EntryDialog(Source(path="b.csv"), "Sources", form)
    typed(dialog.form, "path", "c.csv")
    editor.put(1, dialog.form.result or Source())
    assert isinstance(form.result, Settings)
    assert [source.path for source in form.result.data.sources] == ["a.csv", "c.csv"]


def test_every_control_has_a_name_and_takes_the_focus_by_tab(form: SettingsForm) -> None:
    kinds = (QLineEdit, QComboBox, QPlainTextEdit, QListWidget, QAbstractButton)
    controls = [part for row in form.rows.values() for part in row.editor.parts]
    assert all(isinstance(part, kinds) for part in controls)
    assert [part for part in controls if not part.accessibleName()] == []
    assert [part for part in controls if not part.focusPolicy() & Qt.FocusPolicy.TabFocus] == []


def test_a_form_made_in_slices_shows_what_was_set_meanwhile(qtbot: QtBot) -> None:
    form = SettingsForm(Settings, at_once=False)
    qtbot.addWidget(form)
    preset = load("sims")
    form.set(preset)
    with qtbot.waitSignal(form.completed, timeout=20000):
        pass
    assert form.result == preset
