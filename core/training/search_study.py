"""The study of a search on disk: optuna's trials in SQLite, what was asked, who works on it, what is told."""

from __future__ import annotations

import json
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from core.files import write_whole
from core.sole import sole, worker
from core.training import search_plots
from core.training.runs import finite
from core.training.search_space import Varied

if TYPE_CHECKING:
    import optuna

DATABASE, SUMMARY = "study.db", "search.json"
VERSION = 1
RANDOM_FIRST, PRUNED_AFTER, EPOCHS_FIRST = 8, 5, 3
"""Trials at random before the sampler learns, whole trials before any is cut short, epochs each one gets."""
ENOUGH = 4
"""Whole trials below which nothing is said about importance."""


@contextmanager
def opened(folder: Path, asked: dict[str, Any], seed: int) -> Generator[optuna.Study]:
    """The study of a folder, made if it is not there. Raises DataError where it asked for something else."""
    import optuna
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import RDBStorage

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = RDBStorage(
        f"sqlite:///{(folder / DATABASE).absolute()}", engine_kwargs={"connect_args": {"timeout": 60}}
    )
    try:
        known = storage.get_all_studies()
        done = len(storage.get_all_trials(known[0]._study_id, deepcopy=False)) if known else 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            # What it draws depends on the trials that are stored and on their number, not on who has drawn.
            sampler = optuna.samplers.TPESampler(
                seed=seed + done, n_startup_trials=RANDOM_FIRST, constant_liar=True
            )
        study = optuna.create_study(
            storage=storage,
            study_name="search",
            sampler=sampler,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNED_AFTER, n_warmup_steps=EPOCHS_FIRST),
            load_if_exists=True,
        )
        before = study.user_attrs.get("asked")
        if before is None:
            study.set_user_attr("asked", asked)
        elif before != asked:
            differing = ", ".join(key for key in asked if asked[key] != before.get(key))
            raise DataError(f"{folder} holds a search with other {differing}.", "Name another folder.")
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def distributions(varied: Sequence[Varied]) -> dict[str, Any]:
    """optuna's form of what is varied."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    def one(v: Varied) -> Any:
        if v.kind == "choice":
            return CategoricalDistribution(v.choices)
        if v.kind == "int":
            return IntDistribution(int(v.low), int(v.high), log=v.log)
        return FloatDistribution(v.low, v.high, log=v.log)

    return {v.key: one(v) for v in varied}


@contextmanager
def claimed(folder: Path) -> Generator[None]:
    """Be the one process that works on a study. Raises DataError while another does."""
    with sole(folder) as mine:
        if not mine:
            raise DataError(f"Process {worker(folder)} is searching in {folder} already.")
        yield


def importance(study: optuna.Study) -> dict[str, float]:
    """Share of the variance of the whole trials' figures that each setting explains; {} for too few."""
    import optuna

    whole = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(whole) < ENOUGH or len({trial.value for trial in whole}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def read_summary(folder: Path) -> dict[str, Any]:
    """search.json; {} where there is none yet."""
    try:
        return json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def write_summary(
    folder: Path, study: optuna.Study, state: str, chosen: dict[str, Any] | None
) -> dict[str, Any]:
    """Write search.json and, once it is over, the pictures; returns what search.json holds."""
    trials = [told(trial) for trial in study.get_trials(deepcopy=False)]
    whole = [t for t in trials if t["state"] == "complete"]
    best = min(whole, key=lambda t: (t["value"], t["number"])) if whole else None
    asked = study.user_attrs["asked"]
    values = finite(
        {
            "v": VERSION,
            "state": state,
            **asked,
            "trials": trials,
            "best": best and best["number"],
            "importance": importance(study) if state != "running" else {},
            "chosen": chosen,
        }
    )
    write_whole(folder / SUMMARY, json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    if state != "running":
        figure = f"Validation {asked['monitor']}"
        write_whole(folder / "history.svg", search_plots.history(trials, figure))
        write_whole(folder / "importance.svg", search_plots.importance(values["importance"]))
    return values


def told(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """One trial for search.json: its value is the best figure of its epochs."""
    seen = trial.intermediate_values.values()
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "value": min(seen) if seen else trial.value,
        "epochs": len(trial.intermediate_values),
        "settings": dict(trial.params),
        "run": f"trials/{trial.number + 1:04}",
        "reason": trial.user_attrs.get("reason"),
    }
