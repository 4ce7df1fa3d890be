"""Where things live: shipped resources, the cache outside the repository, the user's settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

_ROOT = Path(getattr(sys, "_MEIPASS", Path(__file__).resolve().parent.parent))


def resources() -> Path:
    """Folder of the files shipped with the program (the same in the frozen bundle)."""
    return _ROOT / "resources"


def cache() -> Path:
    """Folder for what can be made again: assets, extracted features. CONSONANCE_CACHE moves it."""
    return Path(
        os.environ.get("CONSONANCE_CACHE") or platformdirs.user_cache_dir("consonance", appauthor=False)
    )


def settings() -> Path:
    """Folder of the user's preferences and window state. CONSONANCE_HOME moves it (tests, portable use)."""
    return Path(
        os.environ.get("CONSONANCE_HOME") or platformdirs.user_config_dir("consonance", appauthor=False)
    )


def runs() -> Path:
    """Folder that new training runs are put in. CONSONANCE_RUNS moves it, and so does CONSONANCE_HOME."""
    if chosen := os.environ.get("CONSONANCE_RUNS"):
        return Path(chosen)
    if home := os.environ.get("CONSONANCE_HOME"):
        return Path(home) / "runs"
    return Path(platformdirs.user_data_dir("consonance", appauthor=False)) / "runs"
