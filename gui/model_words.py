"""What a model says of itself in model.json, in words: on what it was trained, what it can judge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QLocale

from core import paths
from core.errors import ModelError
from core.model.chosen import META, dropped, foreign, locate
from core.training.run_reading import read_json
from core.types import MODALITIES
from gui.banner import Notice


def _tr(text: str, **values: object) -> str:
    return QCoreApplication.translate("ModelWords", text).format(**values)


def read_model(model: str) -> Iterator[dict[str, Any]]:
    """Work for the background: model.json of the starter, a run or a model; {} where there is none."""
    try:
        told = read_json(locate(model) / META)
    except ModelError:
        told = {}
    folder = paths.resources() / "starter" if model == "starter" else Path(model)
    yield {**told, "folder": str(folder), "dropped": list(dropped(model))} if told else {}


def model_notice(told: Mapping[str, Any]) -> Notice:
    """What the banner says of the model that answers."""
    if not told:
        return Notice(_tr("The model in use cannot be read."), _tr("Choose another under Preferences."))
    what = _tr(
        "{name}, version {version}, answers in Review and Live.",
        name=told.get("name"),
        version=told.get("version"),
    )
    return Notice(what, " ".join(_sentences(told)), _details(told))


def _sentences(told: Mapping[str, Any]) -> Iterator[str]:
    trained = told.get("trained") or {}
    rows = [
        _tr("{source}: {count} rows", source=Path(source).name, count=QLocale().toString(int(parts["train"])))
        for source, parts in (trained.get("rows") or {}).items()
        if isinstance(parts, dict) and parts.get("train")
    ]
    if rows:
        yield _tr("Trained on {rows}.", rows="; ".join(rows))
    if scale := told.get("scale"):
        yield _tr("Scale {low:g} to {high:g}.", low=scale[0], high=scale[1])
    strange = foreign(told)
    own = [m for m in MODALITIES if m not in strange and m not in told["dropped"]]
    yield _tr(
        "Judges {names} by this program's own features.", names=", ".join(map(_tr, own)) or _tr("nothing")
    )
    if told["dropped"]:
        yield _tr("Left out by your decision: {names}.", names=", ".join(map(_tr, told["dropped"])))
    if not (told.get("calibration") or {}).get("multimodal"):
        yield _tr("It was not calibrated and shows no intervals.")


def _details(told: Mapping[str, Any]) -> str:
    names = ("folder", "languages", "trained", "features", "extractor_version", "calibration")
    kept = {name: told.get(name) for name in names}
    return json.dumps(kept, indent=1, ensure_ascii=False)
