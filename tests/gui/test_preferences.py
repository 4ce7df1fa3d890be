"""Preferences: only what differs is stored, and nothing stored is lost."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from gui import preferences
from gui.preferences import Preferences
from gui.storage import read_json, write_json


@pytest.fixture(autouse=True)
def empty_home(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path))


def test_without_a_file_everything_is_default() -> None:
    assert preferences.load() == Preferences()


def test_only_what_differs_is_stored_and_it_comes_back() -> None:
    chosen = Preferences().changed(theme="dark")
    preferences.save(chosen)
    assert json.loads(preferences.file().read_text()) == {"theme": "dark"}
    assert preferences.load() == chosen


def test_keys_of_another_version_are_kept_and_a_default_chosen_again_is_dropped() -> None:
    write_json(preferences.file(), {"theme": "dark", "of_the_future": [1, 2]})
    preferences.save(preferences.load().changed(theme="system"))
    assert read_json(preferences.file()) == {"of_the_future": [1, 2]}


def test_a_value_that_makes_no_sense_falls_back_alone() -> None:
    write_json(preferences.file(), {"theme": "pink", "speech_model": "tiny.en"})
    assert preferences.load() == Preferences(speech_model="tiny.en")


@pytest.mark.parametrize("content", ["", "{", "[1]", '"text"'])
def test_a_damaged_file_is_as_good_as_none(content: str) -> None:
    preferences.file().parent.mkdir(parents=True, exist_ok=True)
    preferences.file().write_text(content)
    assert preferences.load() == Preferences()


def test_a_wrong_choice_is_refused() -> None:
    with pytest.raises(ValidationError):
        Preferences().changed(theme="pink")


def test_nothing_is_left_beside_the_file() -> None:
    preferences.save(Preferences(theme="light"))
    assert [path.name for path in preferences.file().parent.iterdir()] == ["preferences.json"]
