"""Where the window opens, and what it remembers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect

from gui.storage import write_json
from gui.window_state import FIRST_SIZE, RECENT, WindowState, clamp, window_state_file

SCREENS = [QRect(0, 0, 1920, 1040), QRect(1920, 200, 1280, 984)]
rectangles = st.builds(
    QRect, st.integers(-9000, 9000), st.integers(-9000, 9000), st.integers(1, 5000), st.integers(1, 5000)
)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WindowState:
    monkeypatch.setenv("CONSONANCE_HOME", str(tmp_path))
    return WindowState(window_state_file())


@given(rectangles)
def test_the_window_always_opens_whole_on_one_screen(wanted: QRect) -> None:
    placed = clamp(wanted, SCREENS)
    assert any(screen.contains(placed) for screen in SCREENS)


@pytest.mark.parametrize("wanted", [QRect(2000, 300, 800, 600), QRect(10, 10, 1280, 800)])
def test_a_window_that_fits_stays_where_it_was(wanted: QRect) -> None:
    assert clamp(wanted, SCREENS) == wanted


def test_the_first_window_is_centred_on_the_first_screen() -> None:
    placed = clamp(None, SCREENS)
    assert (placed.width(), placed.height()) == FIRST_SIZE
    assert placed.center() == SCREENS[0].center()


def test_layout_and_recent_files_come_back(state: WindowState) -> None:
    state.remember([Path("/clips/a.mp4")])
    state.remember([Path("/clips/b.mp4"), Path("/clips/a.mp4")])
    state.set_layout(QRect(1, 2, 900, 700), True, {"page": [200, 500, 300]})
    assert state.save()
    again = WindowState(window_state_file())
    assert again.recent == [Path("/clips/b.mp4"), Path("/clips/a.mp4")]
    assert (again.rectangle, again.maximised) == (QRect(1, 2, 900, 700), True)
    assert again.splitter("page") == [200, 500, 300]


def test_the_list_of_recent_files_is_short(state: WindowState) -> None:
    state.remember([Path(f"/{n}.mp4") for n in range(100)])
    assert len(state.recent) == RECENT


@pytest.mark.parametrize(
    "stored",
    [{"rectangle": "wide", "splitters": [], "recent": 4}, {"rectangle": [1, 2, 3], "recent": [1, None]}],
)
def test_nonsense_in_the_file_is_passed_over(state: WindowState, stored: dict) -> None:
    write_json(state.file, stored)
    again = WindowState(window_state_file())
    assert (again.rectangle, again.recent, again.splitter("page")) == (None, [], [])
    assert not again.maximised


def test_a_folder_that_cannot_be_written_is_no_crash(state: WindowState, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    state.file = tmp_path / "file" / "window.json"
    assert state.save() is False


def test_how_clips_are_played_is_remembered_and_nonsense_is_not(state: WindowState) -> None:
    assert (state.speed, state.looping) == (1.0, False)
    state.set_playback(1.5, True)
    state.save()
    again = WindowState(window_state_file())
    assert (again.speed, again.looping) == (1.5, True)
    write_json(window_state_file(), {"speed": 40, "looping": "yes"})
    broken = WindowState(window_state_file())
    assert (broken.speed, broken.looping) == (1.0, False)
