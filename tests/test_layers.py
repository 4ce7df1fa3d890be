"""What keeps the code's shape: format, lint, types, layers, and one owner for every import name."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHECKED = ("core", "gui", "tests", "resources/samples")
HEAVY = ("torch", "transformers", "librosa", "mediapipe", "faster_whisper", "sklearn", "scipy")


def run(*command: str) -> None:
    """Fail with what a tool says unless it is content."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_is_formatted() -> None:
    run(sys.executable, "-m", "ruff", "format", "--check", "--no-cache", *CHECKED)


def test_the_linter_is_content() -> None:
    run(sys.executable, "-m", "ruff", "check", "--no-cache", *CHECKED)


def test_the_types_fit() -> None:
    run(sys.executable, "-m", "ty", "check", "--python", sys.prefix, "core", "gui")


def test_core_knows_no_window_and_the_window_computes_nothing() -> None:
    run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")


def test_building_the_window_loads_no_model_library() -> None:
    run(
        sys.executable,
        "-c",
        "import sys; from gui import app, main_window, pictures; from gui.pages import review; "
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules)); assert not loaded, loaded",
    )


def test_the_library_starts_without_qt_and_without_models() -> None:
    run(
        sys.executable,
        "-c",
        "import sys; from core import assets, cli, media, types; from core.commands import tree; "
        f"loaded = sorted({{'PySide6', *{HEAVY!r}}} & set(sys.modules)); assert not loaded, loaded",
    )


@pytest.mark.parametrize("name", ["core", "gui", "cv2"])
def test_one_distribution_owns_the_import_name(name: str) -> None:
    owners = importlib.metadata.packages_distributions().get(name, [])
    assert len(set(owners)) <= 1, owners
