"""Search over settings: trials are runs, side by side in processes of their own, judged on validation only.

    STUDY/settings.toml   what is not varied         STUDY/study.db    optuna's trials (SQLite)
    STUDY/trials/0001 …   a run folder each          STUDY/chosen      the best settings, trained once more
    STUDY/search.json     everything, for readers    STUDY/*.svg       history and importance

A trial never sees the test part: its process drops it with the data (`purpose` in run.json). Only `chosen` is
scored there, once; after that the study is closed. One process writes the study and follows the runs by their
folders, so that whatever was killed goes on: call `search` again. Light: it trains nothing itself.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from core.errors import DataError
from core.files import write_whole
from core.training.run_state import REPORT, RunState, read_state
from core.training.runs import SETTINGS, TRIAL, Run, ask_stop
from core.training.search_space import Varied, parse
from core.training.search_study import claimed, distributions, opened, read_summary, told, write_summary
from core.training.settings import Settings, dump, load
from core.workers import torch_threads
from core.workers.training import resume, start

if TYPE_CHECKING:
    import optuna

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]."""
LOOK_EVERY = 0.3
"""Seconds between two looks at the runs."""


def search(
    settings: str,
    data: Path,
    folder: Path,
    vary: Sequence[str],
    trials: int = 20,
    jobs: int = 1,
    overrides: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Try `trials` settings, `jobs` at once, then train the best once more; returns what search.json holds.

    settings, overrides: as for `core.training.settings.load`. vary: see `core.training.search_space`.
    A folder with a search that was interrupted goes on. Raises SettingsError, DataError.
    """
    varied = parse(vary, settings, overrides)
    chosen = load(settings, overrides)
    if chosen_before := read_summary(folder).get("chosen"):
        raise DataError(
            f"The search in {folder} is over: its choice, {chosen_before['run']}, has met the test part.",
            "Begin another search in another folder.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    asked = {
        "settings": dump(chosen),
        "data": str(data.absolute()),
        "vary": list(vary),
        "monitor": chosen.training.monitor,
    }
    with claimed(folder), opened(folder, asked, chosen.training.seed) as study:
        if not (folder / SETTINGS).exists():
            write_whole(folder / SETTINGS, asked["settings"])
        plan = _Plan(folder, data, chosen, varied, trials, jobs)
        progress = on_progress or (lambda step, share: None)
        _tried(plan, study, progress)
        return _chosen(plan, study, progress)


@dataclass(frozen=True, slots=True)
class _Plan:
    folder: Path
    data: Path
    settings: Settings
    varied: Sequence[Varied]
    trials: int
    jobs: int

    def of(self, params: dict[str, Any]) -> Settings:
        """The settings of a trial, with its share of the machine's threads where none were named."""
        overrides = [f"{v.key}={v.text(params[v.key])}" for v in self.varied]
        made = load(str(self.folder / SETTINGS), overrides)
        threads = made.training.threads or max(1, torch_threads() // self.jobs)
        return made.model_copy(update={"training": made.training.model_copy(update={"threads": threads})})


@dataclass(slots=True)
class _Follower:
    """A trial's run, as it is read from outside."""

    run: Run
    trial: optuna.Trial
    monitor: str
    offset: int = 0
    figures: dict[int, float] = field(default_factory=dict)
    pruned: bool = False

    def look(self) -> RunState:
        """Report the epochs that are new; ask the run to stop where the median says so."""
        events, self.offset = self.run.events(self.offset)
        for event in events:
            figure = event["valid"].get(self.monitor) if event["kind"] == "epoch" else None
            if figure is None or event["epoch"] in self.figures:
                continue  # a run that was resumed tells some epochs twice, with the same figures
            self.figures[event["epoch"]] = figure
            if event["epoch"] not in told_steps(self.trial):
                self.trial.report(figure, event["epoch"])
            if not self.pruned and self.trial.should_prune():
                self.pruned = True
                ask_stop(self.run.folder)
        return read_state(self.run.folder)


def told_steps(trial: optuna.Trial) -> set[int]:
    """Epochs of a trial that the study knows already."""
    study = trial.study
    return set(study.get_trials(deepcopy=False)[trial.number].intermediate_values)


def _tried(plan: _Plan, study: optuna.Study, progress: Progress) -> None:
    """All trials, those that a killed search left behind among them."""
    following = _adopted(plan, study)
    try:
        while following or len(study.get_trials(deepcopy=False)) < plan.trials:
            while len(following) < plan.jobs and len(study.get_trials(deepcopy=False)) < plan.trials:
                trial = study.ask(fixed_distributions=distributions(plan.varied))
                following.append(_started(plan, trial))
            progress("searching", _share(study, plan.trials, following))
            following = [f for f in following if not _ended(study, f, f.look())]
            write_summary(plan.folder, study, "running", None)
            if following:
                time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        for follower in following:
            _interrupt(follower.run.folder)  # resumable: the next search goes on with them
        raise


def _share(study: optuna.Study, trials: int, following: Sequence[_Follower]) -> float:
    done = len(study.get_trials(deepcopy=False)) - len(following)
    return (done + sum(read_state(f.run.folder).share for f in following)) / trials


def _started(plan: _Plan, trial: optuna.Trial) -> _Follower:
    folder = plan.folder / "trials" / f"{trial.number + 1:04}"
    folder.parent.mkdir(exist_ok=True)
    if not (folder / SETTINGS).exists():
        start(folder, plan.of(trial.params), plan.data, purpose=TRIAL)
    elif read_state(folder).state == "interrupted":
        resume(folder)
    return _Follower(Run(folder), trial, plan.settings.training.monitor)


def _adopted(plan: _Plan, study: optuna.Study) -> list[_Follower]:
    """Trials that were under way when the search was killed: their runs go on, or are begun."""
    import optuna

    under_way = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
    return [_started(plan, optuna.Trial(study, trial._trial_id)) for trial in under_way]


def _ended(study: optuna.Study, follower: _Follower, state: RunState) -> bool:
    """Whether a trial's run is over; the study is told how."""
    import optuna

    if state.live:
        return False
    follower.look()  # what it wrote between the look and its end
    states = optuna.trial.TrialState
    figures = follower.figures.values()
    if state.state in ("finished", "stopped") and figures:
        if follower.pruned:
            study.tell(follower.trial, state=states.PRUNED)
        else:
            study.tell(follower.trial, min(figures))
        return True
    reason = state.error["message"] if state.error else f"the run was {state.state}"
    if state.state == "finished":
        reason = f"no validation {follower.monitor}: is there a validation part with labels?"
    follower.trial.set_user_attr("reason", reason)
    study.tell(follower.trial, state=states.FAIL)
    return True


def _interrupt(folder: Path) -> None:
    """End a run's process at once; its last checkpoint is what it goes on from."""
    state = read_state(folder)
    if state.live:
        with contextlib.suppress(psutil.Error):
            psutil.Process(state.pid).terminate()


def _chosen(plan: _Plan, study: optuna.Study, progress: Progress) -> dict[str, Any]:
    """The best trial's settings, trained as any run is, test part and all."""
    trials = [told(trial) for trial in study.get_trials(deepcopy=False)]
    whole = [t for t in trials if t["state"] == "complete"]
    if not whole:
        write_summary(plan.folder, study, "failed", None)
        reasons = "; ".join(dict.fromkeys(t["reason"] for t in trials if t["reason"]))
        raise DataError(f"No trial of the search in {plan.folder} came to an end: {reasons}")
    best = min(whole, key=lambda t: (t["value"], t["number"]))
    folder = plan.folder / "chosen"
    if not (folder / SETTINGS).exists():
        start(folder, plan.of(best["settings"]), plan.data)
    elif read_state(folder).state == "interrupted":
        resume(folder)
    while (state := read_state(folder)).live:
        progress("training the chosen settings", state.share)
        time.sleep(LOOK_EVERY)
    if state.state != "finished":
        reason = state.error["message"] if state.error else f"it was {state.state}"
        raise DataError(f"The chosen settings could not be trained: {reason}", f"Look into {folder}.")
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    chosen = {"run": str(folder), "trial": best["number"], "test": report["test"]}
    return write_summary(plan.folder, study, "finished", chosen)
