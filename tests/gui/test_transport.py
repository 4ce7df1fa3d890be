"""The row of buttons under the timeline."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gui import transport
from gui.main_window import MainWindow

OpenWindow = Callable[..., MainWindow]


def tip(window: MainWindow) -> tuple[str, str]:
    button = window.review.transport._buttons["mute"]
    return button.toolTip(), button.defaultAction().property("icon_name")


@pytest.mark.parametrize(
    ("there", "expected"),
    [(True, ("Mute (M)", "sound")), (False, ("No sound device was found", "muted"))],
)
def test_the_button_for_sound_says_when_there_is_no_sound_device(
    open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, there: bool, expected: tuple[str, str]
) -> None:
    monkeypatch.setattr(transport, "sound_system", lambda: there)
    assert tip(open_window()) == expected


def test_a_sound_device_is_looked_for_again_when_playing_starts(
    open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "sound_system", lambda: True)
    monkeypatch.setattr(transport, "output_device", lambda: None)
    window = open_window()
    window.review.player._plays(True)
    assert tip(window)[1] == "muted"
    monkeypatch.setattr(transport, "output_device", object)
    window.review.player._plays(False)
    window.review.player._plays(True)
    assert tip(window)[1] == "sound"


def test_muted_sound_shows_in_the_icon(open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "sound_system", lambda: True)
    window = open_window()
    window.review.player.toggle_muted()
    assert tip(window) == ("Mute (M)", "muted")
