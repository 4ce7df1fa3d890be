"""What is said below the estimates."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow


def test_what_the_answer_notes_stands_below_the_estimates(
    qtbot: QtBot, open_window: Callable[..., MainWindow]
) -> None:
    window = open_window()
    review = window.review
    window.open_sample()
    qtbot.waitUntil(lambda: review.full and review.session.settled() and review.session.current is not None)
    assert review.notes.isHidden()
    analysis = review.session.answer(review.session.current).analysis
    analysis["notes"] = ["2 faces were seen at once."]
    review.session.answered.emit(review.session.current)
    assert (review.notes.isVisible(), review.notes.text()) == (True, "2 faces were seen at once.")
