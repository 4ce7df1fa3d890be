"""Fixtures every test may take: real data beside the checkout, pretrained assets, a home of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data sets; the test skips where there is none."""
    folder = (
        Path(os.environ.get("CONSONANCE_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"
    )
    if not folder.is_dir():
        pytest.skip("no real data here: set CONSONANCE_SHARED to a folder that holds data/")
    return folder


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Preferences and window state of this test alone."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CONSONANCE_HOME", str(home))
    return home
