"""Many runs from one set of settings: every choice of the varied values, with every seed. Light: no torch."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from core.errors import SettingsError
from core.training.search_space import Varied, listed
from core.training.settings import Settings, changed, names, unknown

MOST_RUNS = 500
LABEL_BYTES = 120
"""Of a folder's name, which may have 255 on most systems, with the name of the runs before it."""
_REMEDY = "Correct what is to be varied."
_NO_NAME = re.compile(r"[^\w.+=-]+")


@dataclass(frozen=True, slots=True)
class Planned:
    """A run to be. label: what tells it from the others, fit for a folder; "" for the only one."""

    label: str
    settings: Settings


def expand(settings: Settings, vary: Sequence[str] = (), seeds: Sequence[int] = ()) -> list[Planned]:
    """A run for every choice of values and every seed, seeds innermost; no seeds: that of the settings.

    vary: `key = a, b, c`, one setting each. Raises SettingsError that lists everything that is wrong.
    """
    axes = varied(vary)
    seeds = tuple(dict.fromkeys(seeds)) or (settings.training.seed,)
    if (count := math.prod(sizes(axes)) * len(seeds)) > MOST_RUNS:
        raise SettingsError(f"{count} runs are too many: at most {MOST_RUNS} at a time", _REMEDY)
    tried = [*axes, Varied("training.seed", "choice", choices=tuple(str(seed) for seed in seeds))]
    if problems := [problem for axis in tried for problem in _refused(settings, axis)]:
        raise SettingsError("; ".join(problems), _REMEDY)
    planned = []
    for values in product(*(axis.choices for axis in axes)):
        chosen = [(axis.key, value) for axis, value in zip(axes, values, strict=True)]
        laid = changed(settings, [f"{key}={value}" for key, value in chosen])
        for seed in seeds:
            planned.append(Planned(_label(chosen, seed if len(seeds) > 1 else None), _seeded(laid, seed)))
    return _told_apart(planned)


def varied(texts: Sequence[str]) -> tuple[Varied, ...]:
    """What is varied, not yet tried out on settings. SettingsError lists every problem."""
    found, problems, known = [], [], set(names())
    for text in texts:
        try:
            axis = listed(text)
        except ValueError as error:
            problems.append(f"{text.strip()}: {error}")
            continue
        found.append(axis)
        if axis.key in ("training.seed", "training.seeds"):
            problems.append(f"{axis.key}: seeds are not named here, but as the seeds of the runs")
        elif axis.key not in known:
            problems.append(unknown(axis.key))
    keys = [axis.key for axis in found]
    problems += [f"{key} is varied twice" for key in dict.fromkeys(keys) if keys.count(key) > 1]
    if problems:
        raise SettingsError("; ".join(problems), _REMEDY)
    return tuple(found)


def sizes(axes: Sequence[Varied]) -> list[int]:
    """How many values each has."""
    return [len(axis.choices) for axis in axes]


def _refused(settings: Settings, axis: Varied) -> list[str]:
    """What is wrong with the values: refused by the setting, or the same one written in two ways."""
    found: list[tuple[str, Settings]] = []
    problems = []
    for value in axis.choices:
        try:
            laid = changed(settings, [f"{axis.key}={value}"])
        except SettingsError as error:
            told = error.message.removeprefix(f"{axis.key}: ")
            problems.append(f"{axis.key} = {value}: {told}")
            continue
        problems += [f"{axis.key}: {value} is {other}" for other, known in found if known == laid]
        found.append((value, laid))
    return problems


def _seeded(settings: Settings, seed: int) -> Settings:
    training = settings.training.model_copy(update={"seed": seed})
    return settings.model_copy(update={"training": training})


def _label(chosen: Sequence[tuple[str, str]], seed: int | None) -> str:
    words = [f"{key}={_word(value)}" for key, value in chosen]
    return "-".join([*words, f"seed={seed}"] if seed is not None else words)


def _word(value: str) -> str:
    return _NO_NAME.sub("_", value.strip("\"'")).strip("._") or "empty"


def _told_apart(planned: Sequence[Planned]) -> list[Planned]:
    """Labels short enough, and different also where capitals count for nothing: else with a number."""
    short = [len(run.label.encode()) <= LABEL_BYTES for run in planned]
    folded = [run.label.casefold() for run in planned]
    if all(short) and len(set(folded)) == len(folded):
        return list(planned)
    return [Planned(f"{number}-{_cut(run.label)}", run.settings) for number, run in enumerate(planned, 1)]


def _cut(label: str) -> str:
    return label.encode()[:LABEL_BYTES].decode(errors="ignore").rstrip(" .")
