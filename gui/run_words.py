"""What the Training page says of runs, in words: states, durations, figures by their names."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gui.run_list import Run

_FIGURES = {
    "mae": "mean absolute error",
    "corr": "correlation",
    "acc2_has0": "Acc-2 (0 positive)",
    "acc2_non0": "Acc-2 (without 0)",
    "f1_has0": "F1 (0 positive)",
    "f1_non0": "F1 (without 0)",
    "acc2": "Acc-2",
    "acc3": "Acc-3",
    "acc5": "Acc-5",
    "acc7": "Acc-7",
    "f1": "F1",
    "uar": "unweighted average recall",
    "auc": "area under the curve",
    "accuracy": "accuracy",
    "loss": "loss",
    "alignment": "alignment: distance",
    "alignment_relative": "alignment: relative distance",
    "samples_s": "samples a second",
    "rss_mb": "memory, MB",
    "rate": "learning rate",
}


def tr(text: str, **values: object) -> str:
    """`text` in the user's language with `values` put in."""
    return QCoreApplication.translate("Training", text).format(**values)


def figure_words(name: str) -> str:
    """What a figure is called: of the test part ("mae"), or of the events ("valid.mae_text")."""
    source, dot, last = name.rpartition(" · ")
    stage, stop, key = last.rpartition(".")
    words = _FIGURES.get(key) or _with_head(key)
    told = {"valid": tr("validation"), "": ""}.get(stage, stage.replace(".", " "))
    return f"{source}{dot}{told}{': ' if stop else ''}{tr(words)}"


def _with_head(key: str) -> str:
    """ "loss_text" is "loss, text"."""
    kind, line, head = key.partition("_")
    words = _FIGURES.get(kind, kind)
    return f"{words}, {head.replace('_', ' ')}" if line else words


def duration(seconds: float) -> str:
    """A duration in two units at most."""
    whole = max(0, round(seconds))
    if whole < 60:
        return tr("{s} s", s=whole)
    if whole < 3600:
        return (
            tr("{m} min {s} s", m=whole // 60, s=whole % 60) if whole < 600 else tr("{m} min", m=whole // 60)
        )
    return tr("{h} h {m} min", h=whole // 3600, m=whole % 3600 // 60)


def state_line(run: Run, epoch_seconds: float | None) -> str:
    """How a run stands: epoch, best figure so far, pace, time left or why it is over."""
    told = run.told
    parts = [tr(run.state)]
    if epochs := told.get("epochs"):
        parts.append(tr("epoch {epoch} of {epochs}", epoch=told.get("epoch") or 0, epochs=epochs))
    if run.best is not None:
        name = figure_words(str(told.get("monitor") or "mae"))
        best = tr("best {name} {value:.3f}", name=name, value=run.best)
        at = told.get("best_epoch")
        parts.append(best + (tr(" in epoch {epoch}", epoch=at) if at else ""))
    if epoch_seconds:
        parts.append(tr("{s:.3g} s an epoch", s=epoch_seconds))
    if run.live and told.get("left_s") is not None:
        parts.append(tr("{time} left", time=duration(told["left_s"])))
    elif not run.live and told.get("reason"):
        parts.append(str(told["reason"]))
    return " · ".join(parts)
