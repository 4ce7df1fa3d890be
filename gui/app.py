"""`consonance app`: open the window; without a display, draw it offscreen into two pictures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from gui.main_window import MainWindow

PICTURE = (1280, 800)
"""Pixels of the window in pictures; Qt's own offscreen screen is smaller."""


def main(arguments: Sequence[str]) -> int:
    """Run the window until it is closed; returns the exit code."""
    options = parse(arguments)
    measured = options.exit_after_paint or options.bench
    if no_display() and not options.screenshots and not measured:
        options.screenshots = Path.cwd()
        _say("No display here: drawing the window offscreen instead.")
    if options.screenshots:
        options.size = options.size or PICTURE
        os.environ["QT_QPA_PLATFORM"] = "offscreen"

    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    from gui import faults

    qInstallMessageHandler(_tell_qt)
    application = QApplication([sys.argv[0]])
    application.setApplicationName("Consonance")
    application.setQuitOnLastWindowClosed(False)
    window = build(application, options.size, remember=options.screenshots is None)
    faults.install(window)
    window.finished.connect(application.quit)
    window.painted.connect(lambda: _after_paint(window, options))
    window.show()
    return application.exec() or window.exit_code


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Clips and the options for pictures and measurements."""
    parser = argparse.ArgumentParser(prog="consonance app", description="Open the window.")
    parser.add_argument("files", nargs="*", type=Path, help="clips and folders to open")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="draw light and dark pictures")
    parser.add_argument(
        "--page", choices=("review", "live", "training"), default="review", help="page to begin with"
    )
    parser.add_argument("--live", type=Path, metavar="FILE", help="play a clip as if it were live")
    parser.add_argument("--size", type=_size, metavar="WIDTHxHEIGHT", help="size of the window in pixels")
    parser.add_argument("--exit-after-paint", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(list(arguments))
    options.page = "live" if options.live else options.page
    options.bench = os.environ.get("CONSONANCE_BENCH", "")
    return options


def no_display() -> bool:
    """Whether nobody could see a window: Linux without a screen, or a platform of Qt that shows nothing."""
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform:
        return platform.partition(":")[0] in ("offscreen", "minimal")
    screens = (os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return sys.platform.startswith("linux") and not any(screens)


def build(
    application: QApplication,
    size: tuple[int, int] | None = None,
    remember: bool = True,
    silence_s: float = 30.0,
) -> MainWindow:
    """The window with its engine, theme and preferences, not shown yet.

    size: of the window in pixels; remember: open where it was left, and keep where it is left this time;
    silence_s: after how many seconds without a word from a working engine the user is asked.
    """
    from core.workers import command
    from gui import preferences
    from gui.engine_process import EngineProcess
    from gui.main_window import MainWindow
    from gui.theme import Theme
    from gui.window_state import WindowState, window_state_file

    chosen = preferences.load()
    theme = Theme(application)
    theme.choose(chosen.theme)

    def engine_command() -> list[str]:
        now = window.preferences
        return command("engine", "--model", now.model_folder, "--speech", now.speech_model)

    engine = EngineProcess(engine_command, silence_s=silence_s)
    window = MainWindow(engine, theme, chosen, WindowState(window_state_file() if remember else None))
    engine.setParent(window)
    theme.setParent(window)
    if size:
        window.resize(*size)
    return window


def _after_paint(window: MainWindow, options: argparse.Namespace) -> None:
    if options.exit_after_paint:
        from gui.measure import milliseconds_since_start

        _say(f"{milliseconds_since_start():.0f}")
        window.close()
        return
    from gui.main_window import LIVE, REVIEW, TRAINING

    window.load()
    window.show_page({"review": REVIEW, "live": LIVE, "training": TRAINING}[options.page])
    if options.live:
        window.live.play(options.live)
    if options.screenshots:
        from gui.pictures import LivePhotographer, Photographer, TrainingPhotographer

        kinds = {"review": Photographer, "live": LivePhotographer, "training": TrainingPhotographer}
        kinds[options.page](window, options.screenshots, _say)
    elif options.bench == "gaps":
        from gui.measure import GapBench

        GapBench(window, _say)
    elif options.bench == "training-page":
        from gui.measure_training import TrainingBench

        TrainingBench(window, _say)
    elif options.bench == "live":
        from gui.measure_live import LiveBench

        LiveBench(window, _say)
    if options.files:
        window.open_paths(options.files)
    elif options.page == "review":
        window.open_sample()


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    try:
        return int(width), int(height)
    except ValueError as error:
        raise argparse.ArgumentTypeError("give a size as 1280x800") from error


def _tell_qt(kind: object, context: object, message: str) -> None:
    """Qt's own messages on stderr, less what its offscreen platform says of itself."""
    if "This plugin does not support" not in message:
        sys.stderr.write(message + "\n")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
