"""Runs beside each other: settings that differ, test figures over seeds, a paired test of two groups.

A group is the runs whose settings agree in everything but the seed. Light on purpose (no torch, no scipy).
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

NOT_THE_SAME_RUN = (
    "training.seed",
    "training.seeds",
    "training.threads",
    "training.checkpoint_minutes",
)
"""Settings in which runs of one group may differ."""
EXACT_PAIRS = 14
"""Up to so many pairs every flip of signs is tried; of more, DRAWS of them at random."""
DRAWS = 50_000


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison needs of one run. settings: dotted names to values; figures: of the test part."""

    folder: str
    name: str
    seed: int | None
    settings: Mapping[str, Any]
    data: str = ""
    figures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (n - 1) over n runs; `why` tells what is undefined and why."""

    mean: float | None
    sd: float | None
    n: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean of the differences first - second over pairs of one seed, and how often signs alone give
    as much (two-sided); `why` tells why there is none."""

    difference: float | None
    p: float | None
    n: int
    why: str = ""


def group_key(settings: Mapping[str, Any], data: str) -> str:
    """The same for runs that differ in their seed alone."""
    kept = {name: value for name, value in settings.items() if name not in NOT_THE_SAME_RUN}
    return json.dumps([data, kept], sort_keys=True, default=str)


def differing(runs: Sequence[Compared]) -> dict[str, list[Any]]:
    """Settings whose value is not the same in all runs: name to the value of each; `data` among them."""
    rows = [{"data": run.data, **run.settings} for run in runs]
    names = list(dict.fromkeys(name for row in rows for name in row))
    found = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if any(value != values[0] for value in values):
            found[name] = values
    return found


def spread(values: Sequence[float | None]) -> Spread:
    """Mean ± sd of the values that are there."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    lacking = len(values) - len(known)
    told = [f"{lacking} of {len(values)} runs have no such figure"] if lacking and known else []
    if not known:
        return Spread(None, None, 0, "no run of this group has such a figure yet")
    if len(known) == 1:
        told.append("one run has no spread: train more seeds")
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return Spread(float(np.mean(known)), sd, len(known), "; ".join(told))


def sign_flip_p(differences: Sequence[float]) -> float:
    """Two-sided p of the mean of n paired differences under random signs (Fisher's permutation test).

    Exact up to EXACT_PAIRS pairs; beyond, from DRAWS random flips with the observed one counted in.
    """
    observed = np.asarray(differences, dtype=np.float64)
    n = len(observed)
    if n <= EXACT_PAIRS:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = np.random.default_rng(0).choice((-1, 1), size=(DRAWS, n))
    sums = np.abs(signs @ observed)
    least = abs(observed.sum()) * (1 - 1e-12)  # sums of one set in another order differ in the last bits
    reached = int((sums >= least).sum())
    return reached / len(sums) if n <= EXACT_PAIRS else (reached + 1) / (len(sums) + 1)


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> Paired:
    """Two groups over the seeds that both have: figure by seed."""
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return Paired(None, None, 0, "the two groups share no seed with this figure")
    differences = [first[seed] - second[seed] for seed in seeds]
    mean = float(np.mean(differences))
    if len(seeds) == 1:
        return Paired(mean, None, 1, "one shared seed: a test needs two, and six to reach 0.05")
    why = ""
    if len(seeds) < 6:
        why = f"with {len(seeds)} pairs no p below {2 / 2 ** len(seeds):.3g} is possible"
    return Paired(mean, sign_flip_p(differences), len(seeds), why)


def compare(runs: Sequence[Compared]) -> dict[str, Any]:
    """Everything the comparison shows, ready for JSON.

    settings: differing settings, name to one value a run; groups: label, folders, seeds, figures (Spread);
    tests: of each pair of groups, by figure (Paired).
    """
    groups: dict[str, list[Compared]] = defaultdict(list)
    for run in runs:
        groups[group_key(run.settings, run.data)].append(run)
    letters = [_letter(number) for number in range(len(groups))]
    members = dict(zip(letters, groups.values(), strict=True))
    names = list(dict.fromkeys(name for run in runs for name in run.figures))
    return {
        "folders": [run.folder for run in runs],
        "settings": differing(runs),
        "groups": [_told(letter, group, names) for letter, group in members.items()],
        "tests": [
            {
                "first": one,
                "second": other,
                "figures": {name: asdict(_tested(members[one], members[other], name)) for name in names},
            }
            for one, other in combinations(letters, 2)
        ],
        "figures": names,
    }


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"A{number}"


def _told(letter: str, group: Sequence[Compared], names: Iterable[str]) -> dict[str, Any]:
    return {
        "label": letter,
        "folders": [run.folder for run in group],
        "names": [run.name for run in group],
        "seeds": [run.seed for run in group],
        "figures": {name: asdict(spread([run.figures.get(name) for run in group])) for name in names},
    }


def _tested(one: Sequence[Compared], other: Sequence[Compared], name: str) -> Paired:
    first, second = _by_seed(one, name), _by_seed(other, name)
    twice = _twice(one) or _twice(other)
    if len({run.data for run in (*one, *other)}) > 1:
        return Paired(None, None, 0, "their data differ: figures of different data cannot be paired")
    if twice:
        return Paired(None, None, 0, f"seed {twice} is there twice in one group: untick one of its runs")
    return paired(first, second)


def _by_seed(group: Sequence[Compared], name: str) -> dict[int, float]:
    return {
        run.seed: value
        for run in group
        if run.seed is not None and (value := run.figures.get(name)) is not None and math.isfinite(value)
    }


def _twice(group: Sequence[Compared]) -> int | None:
    seeds = [run.seed for run in group]
    return next((seed for seed in seeds if seed is not None and seeds.count(seed) > 1), None)
