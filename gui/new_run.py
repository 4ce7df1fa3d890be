"""What a person has decided about a new run, and what that stands on: presets, names, recent data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from core import paths
from core.errors import SettingsError
from core.training import settings as declared
from core.training.grid import Planned, expand
from core.training.settings import Settings
from gui.storage import read_json, write_json
from gui.widgets.value_text import list_of

MOST_SEEDS = 100
RECENT = 12
_NAME = re.compile(r"[^\W_][\w .+=-]{0,79}")
_PRESETS = ("quick", "mosi", "mosei", "sims", "own")
"""Presets in the order in which they are offered; any other comes after them under its file's name."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("new_run", text)


@dataclass(frozen=True, slots=True)
class NewRun:
    """Runs to be started, in folders of their own under `folder`: each choice of `vary` with each seed.

    vary: `key = a, b`, one setting each, as `core.training.grid` reads it.
    """

    settings: Settings
    data: Path
    name: str
    folder: Path
    seeds: tuple[int, ...]
    vary: tuple[str, ...] = ()

    def runs(self) -> list[tuple[Path, Settings]]:
        """Folder and settings of each run. Raises SettingsError where something cannot be varied so."""
        planned = expand(self.settings, self.vary, self.seeds)
        return [(self.folder / run_name(self.name, each), each.settings) for each in planned]


def run_name(name: str, planned: Planned) -> str:
    """Name of a run's folder: with what it differs in after it; the seed alone is told without a word."""
    seed = planned.settings.training.seed
    label = str(seed) if planned.label == f"seed={seed}" else planned.label
    return f"{name}-{label}" if label else name


@dataclass(frozen=True, slots=True)
class Origin:
    """Settings to start from, and what they are called: a preset, a file, an earlier run."""

    title: str
    settings: Settings
    data: Path | None = None
    name: str = ""


def preset_titles() -> dict[str, str]:
    """Presets by name, in the order in which they are offered, with what they are called."""
    words = {
        "quick": _tr("Quick check"),
        "mosi": "CMU-MOSI",
        "mosei": "CMU-MOSEI",
        "sims": "CH-SIMS",
        "own": _tr("Your data"),
        "mosi-self-mm": _tr("CMU-MOSI as the public code of Self-MM"),
        "starter": _tr("The starter model"),
    }
    there = declared.presets()
    ordered = [name for name in _PRESETS if name in there] + [n for n in there if n not in _PRESETS]
    return {name: words.get(name, name) for name in ordered}


def read_preset(name: str, title: str) -> Iterator[Origin | SettingsError]:
    """Work for the background: the preset, or the file of settings, of this name."""
    try:
        yield Origin(title, declared.load(name))
    except SettingsError as error:
        yield error


def seeds_of(text: str) -> tuple[int, ...]:
    """The seeds of a list with commas between. ValueError says what is wrong with it."""
    words = list_of(text)
    if not words:
        raise ValueError(_tr("Name one seed, or several with commas between."))
    wrong = [word for word in words if not (word.isascii() and word.isdigit() and int(word) < 2**31)]
    if wrong:
        raise ValueError(_tr("%1: no whole number from 0 to 2147483647.").replace("%1", ", ".join(wrong)))
    seeds = tuple(int(word) for word in words)
    if len(set(seeds)) < len(seeds):
        raise ValueError(_tr("The same seed twice gives the same run twice."))
    if len(seeds) > MOST_SEEDS:
        raise ValueError(_tr("At most %1 seeds at a time.").replace("%1", str(MOST_SEEDS)))
    return seeds


def name_problem(name: str) -> str:
    """Why a run cannot be called that, "" where it can: its folder must be one on every system."""
    if not name:
        return _tr("Give the run a name.")
    if not _NAME.fullmatch(name) or name != name.rstrip(" ."):
        return _tr("A name begins with a letter or figure and holds letters, figures, space and . _ + = -")
    return ""


def free_name(wanted: str, taken: Sequence[str]) -> str:
    """The wanted name, made fit for a folder, with a number after it where others have it already."""
    name = re.sub(r"[^\w .+=-]+", "-", wanted).strip(" ._+=-")[:60] or "run"
    used, number, found = {other.casefold() for other in taken}, 1, name
    while found.casefold() in used or any(other.startswith(f"{found.casefold()}-") for other in used):
        number += 1
        found = f"{name}-{number}"
    return found


def folders_in(folder: Path) -> Iterator[list[str]]:
    """Work for the background: names that are taken in a folder of runs."""
    try:
        yield [entry.name for entry in folder.iterdir()]
    except OSError:
        yield []


def recent_file() -> Path:
    """Where the data used lately is kept."""
    return paths.settings() / "training.json"


def recent_data() -> list[Path]:
    """Data used lately, the newest first."""
    stored = read_json(recent_file()).get("recent_data")
    return [Path(name) for name in stored if isinstance(name, str)] if isinstance(stored, list) else []


def remember_data(path: Path) -> Iterator[bool]:
    """Work for the background: put data in front of the recent ones; whether that could be written."""
    names = dict.fromkeys([str(path), *(str(other) for other in recent_data())])
    try:
        write_json(recent_file(), read_json(recent_file()) | {"recent_data": list(names)[:RECENT]})
    except OSError:
        yield False
    else:
        yield True
