"""What a run folder says of its run, for whoever only looks: the list, the settings, the report, the log.

Light on purpose (no torch). Every reader bears what is missing, half-written or foreign: a folder that can
not be read is a run that says so, never an exception.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from core.model import chosen
from core.training import runs
from core.training.comparison import Compared
from core.training.settings import Settings, presets
from core.types import MODALITIES

DEEPEST = 2
"""Folders below the runs folder: runs themselves, and groups of runs (a search, a set of seeds)."""
LOG_BYTES = 24_000
SMALL_BYTES = 4_000_000
"""No file that describes a run is longer; a longer one is not read."""


def is_run(folder: Path) -> bool:
    """Whether a run of this program lies here: settings, and a run.json with its version and id.

    Nothing less is enough, for what is a run can be discarded.
    """
    about = folder / runs.ABOUT
    return (folder / runs.SETTINGS).is_file() and _identified(about, changed(about))


@lru_cache(maxsize=4096)
def _identified(about: Path, changed: float) -> bool:
    """Remembered until the file changes, for the list asks every second."""
    told = read_json(about)
    version, name = told.get("v"), told.get("id")
    return type(version) is int and isinstance(name, str) and bool(name)


def find(root: Path, also: Iterable[Path] = ()) -> list[Path]:
    """The run folders below `root`, and those named beside it that are runs."""
    found = [folder for folder in also if is_run(folder)]
    return list(dict.fromkeys([*_below(root, DEEPEST), *found]))


def _below(folder: Path, depth: int) -> list[Path]:
    try:
        entries = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=True))
    except OSError:
        return []
    found = []
    for path in map(Path, entries):
        if path.name.startswith("."):
            continue
        if is_run(path):
            found.append(path)
        elif depth > 1:
            found += _below(path, depth - 1)
    return found


def stamp(folder: Path) -> tuple[float, ...]:
    """Changes whenever the list may have something else to say of this run."""
    return tuple(changed(folder / name) for name in ("state.json", runs.REPORT, runs.ABOUT, runs.SETTINGS))


def changed(path: Path) -> float:
    """When a file or folder was last written, in seconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def summary(folder: Path) -> dict[str, Any]:
    """What the list shows of a run, ready for JSON; "state" is "interrupted" where its process is gone."""
    told = read_json(folder / "run.json")
    settings = read_settings(folder)
    state = runs.read_state(folder)
    best = state.best or {}
    return {
        "folder": str(folder),
        "name": str(told.get("name") or folder.name),
        "data": _data_path(told),
        "seed": _seed(settings),
        "created": _seconds(told.get("created"), folder),
        "state": state.state,
        "epoch": state.epoch,
        "epochs": state.epochs,
        "share": state.share,
        "left_s": state.left_s,
        "best": best.get("figure"),
        "best_epoch": best.get("epoch"),
        "monitor": best.get("monitor") or str(settings.get("training.monitor") or "mae"),
        "reason": state.reason or "",
        "error": state.error,
        "changed": max(stamp(folder)),
    }


def _seed(settings: Mapping[str, Any]) -> int | None:
    seed = settings.get("training.seed")
    return seed if type(seed) is int else None


def _data_path(told: Mapping[str, Any]) -> str:
    return str(told.get("data") or "")


def _seconds(created: Any, folder: Path) -> float:
    """When the run began, in seconds since 1970: as it says, else as its settings' file says."""
    try:
        return datetime.fromisoformat(str(created)).timestamp()
    except (ValueError, OverflowError):
        return changed(folder / runs.SETTINGS)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none that can be read."""
    try:
        if path.stat().st_size > SMALL_BYTES:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of a run as dotted names to values; empty where they cannot be read."""
    try:
        return flat(tomllib.loads((folder / runs.SETTINGS).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names and values."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


@cache
def preset_settings() -> dict[str, dict[str, Any]]:
    """The settings of each preset, complete."""
    found = {}
    for name, path in presets().items():
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        found[name] = flat(Settings.model_validate(tree).model_dump(mode="json"))
    return found


@cache
def titles() -> dict[str, str]:
    """Dotted name of each setting to its title in words, the section's before it."""
    return dict(_titles(Settings, "", ""))


def _titles(model: Any, prefix: str, words: str) -> Iterable[tuple[str, str]]:
    for name, declared in model.model_fields.items():
        title = " · ".join(filter(None, (words, declared.title or name)))
        inner = declared.annotation
        if isinstance(inner, type) and hasattr(inner, "model_fields"):
            yield from _titles(inner, f"{prefix}{name}.", title)
        else:
            yield f"{prefix}{name}", title


def settings_table(folder: Path) -> dict[str, Any]:
    """All settings beside those of the preset that they differ least from.

    {"preset": its name or "", "rows": [{"name", "title", "value", "usual", "differs"}]}
    """
    mine = read_settings(folder)
    known = preset_settings()
    nearest = min(known, key=lambda name: _distance(mine, known[name]), default="")
    usual = known.get(nearest, {})
    rows = [
        {
            "name": name,
            "title": titles().get(name, name),
            "value": shown(value),
            "usual": shown(usual.get(name)),
            "differs": value != usual.get(name),
        }
        for name, value in mine.items()
    ]
    return {"preset": nearest if mine else "", "rows": rows}


def _distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    return sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())


def shown(value: Any) -> str:
    """A setting's value in words of one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], dict):
            return f"{len(value)} entries"
        return ", ".join(map(shown, value)) or "none"
    return "" if value is None else (f"{value:g}" if isinstance(value, float) else str(value))


def report(folder: Path) -> dict[str, Any]:
    """report.json; empty where the run has not written one."""
    return read_json(folder / runs.REPORT)


def figures(report: Mapping[str, Any]) -> dict[str, float | None]:
    """The test figures of a report by name, "MOSI.csv · mae" where there are several sources.

    Of each source the fusion's, or of the only head it has labels for.
    """
    found: dict[str, float | None] = {}
    test = report.get("test")
    sources = test.get("sources") if isinstance(test, dict) else None
    sources = sources if isinstance(sources, dict) else {}
    for source, scored in sources.items():
        heads = scored.get("metrics") or {}
        for head in list(heads)[:1]:
            for name, figure in heads[head].items():
                key = name if len(sources) == 1 else f"{source} · {name}"
                found[key] = figure.get("value") if isinstance(figure, dict) else figure
    return found


def compared(folder: Path) -> Compared:
    """What a comparison needs of a run."""
    told, settings = read_json(folder / "run.json"), read_settings(folder)
    data = str(told.get("fingerprint") or _data_path(told))
    return Compared(
        folder=str(folder),
        name=str(told.get("name") or folder.name),
        seed=_seed(settings),
        settings={name: value for name, value in settings.items() if name != "data.name"},
        data=data,
        figures=figures(report(folder)),
    )


def usable(folder: Path) -> dict[str, Any]:
    """Whether this run's model can be used in Review and Live.

    {"why": why not, "" where it can; "foreign": modalities that it can be used without, where that helps}
    """
    why = chosen.usable(folder) or ""
    told = chosen.told_of(folder)
    foreign = list(chosen.foreign(told)) if told and why else []
    own = [m for m in MODALITIES if m not in foreign and (told.get("features") or {}).get(m) != chosen.ABSENT]
    return {"why": why, "foreign": foreign if own else []}


def log_tail(folder: Path, names: Sequence[str] = ("stdout.log", "stderr.log")) -> dict[str, str]:
    """The last lines of each log: at most LOG_BYTES of each, from the start of a line."""
    found = {}
    for name in names:
        try:
            with (folder / name).open("rb") as file:
                file.seek(0, os.SEEK_END)
                start = max(0, file.tell() - LOG_BYTES)
                file.seek(start)
                text = file.read(LOG_BYTES).decode("utf-8", errors="replace")
        except OSError:
            continue
        found[name] = text.partition("\n")[2] if start else text
    return found
