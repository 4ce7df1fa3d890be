"""The part of the table of actions that is about training runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gui.action import Action
from gui.action import mark as _N

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def _run(
    id: str,
    text: str,
    does: Callable[[MainWindow], object],
    keys: tuple[str, ...] = (),
    when: Callable[[MainWindow], bool] = lambda window: True,
    icon: str = "",
    starts_group: bool = False,
) -> Action:
    """An action on training runs."""
    return Action(id, text, "Run", keys, does, when, icon=icon, starts_group=starts_group)


RUN_ACTIONS: tuple[Action, ...] = (
    _run("new-run", _N("actions", "New run…"), lambda w: w.training.new_run(), keys=("Ctrl+N",), icon="plus"),
    _run(
        "open-run", _N("actions", "Open the folder of a run…"), lambda w: w.training.open_run(), icon="open"
    ),
    _run(
        "choose-runs",
        _N("actions", "Choose the folder of runs…"),
        lambda w: w.training.choose_root(),
        icon="folder",
    ),
    _run(
        "stop-run",
        _N("actions", "Stop"),
        lambda w: w.training.stop(),
        when=lambda w: w.training.can(lambda run: run.state in ("starting", "running")),
        starts_group=True,
    ),
    _run(
        "resume-run",
        _N("actions", "Resume"),
        lambda w: w.training.resume(),
        when=lambda w: w.training.can(lambda run: run.resumable),
    ),
    _run(
        "duplicate-run",
        _N("actions", "Duplicate…"),
        lambda w: w.training.duplicate(),
        when=lambda w: w.training.can(lambda run: run.begun),
    ),
    _run(
        "discard-run",
        _N("actions", "Discard…"),
        lambda w: w.training.ask_discard(),
        when=lambda w: w.training.can(lambda run: True),
    ),
    _run(
        "show-run-folder",
        _N("actions", "Open folder"),
        lambda w: w.training.page.show_folder(),
        when=lambda w: w.training.can(lambda run: run.begun),
    ),
    _run(
        "use-run",
        _N("actions", "Use in Review and Live"),
        lambda w: w.training.use(),
        when=lambda w: w.training.run is not None and w.training.page.can_use,
        starts_group=True,
    ),
    _run(
        "use-run-without",
        _N("actions", "Use without foreign modalities…"),
        lambda w: w.training.ask_use_without(),
        when=lambda w: w.training.run is not None and bool(w.training.page.foreign),
    ),
    _run(
        "use-starter",
        _N("actions", "Back to the starter model"),
        lambda w: w.training.use_starter(),
        when=lambda w: w.preferences.model_folder != "starter",
    ),
    _run(
        "show-model",
        _N("actions", "About the model in use"),
        lambda w: w.training.show_model(),
        icon="model",
    ),
    _run(
        "tick-run",
        _N("actions", "Tick for comparing, or untick"),
        lambda w: w.training.page.list.tick_current(),
        when=lambda w: w.training_shown and w.training.page.run is not None,
        starts_group=True,
    ),
    _run(
        "compare-runs",
        _N("actions", "Compare the ticked runs"),
        lambda w: w.training.page.compare(),
        when=lambda w: w.training_shown and len(w.training.page.runs.ticked) > 1,
        keys=("Ctrl+Shift+C",),
    ),
)
