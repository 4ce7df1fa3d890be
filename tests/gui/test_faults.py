"""An exception nobody caught is told in the window, which goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from gui import faults
from gui.main_window import MainWindow


def test_a_fault_of_ours_is_told_with_what_a_report_needs(
    open_window: Callable[..., MainWindow],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    window = open_window()
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    faults.install(window)
    try:
        raise ZeroDivisionError("by accident")
    except ZeroDivisionError:
        sys.excepthook(*sys.exc_info())
    assert "went wrong: by accident" in window.banner.text
    assert "finished results are kept" in window.banner.text
    assert "ZeroDivisionError" in window.banner.notice.details
    assert "Qt 6." in window.banner.notice.details
    assert "by accident" in capsys.readouterr().err
