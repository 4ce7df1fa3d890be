"""Whether a model can be used on clips: each of its modalities must have been learned from our own features.

A model that learned a modality from a data set's features does not know ours; it can be used only once
somebody has agreed to leave that modality out (`agree`). Light on purpose (no torch): the window asks too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core import paths
from core.errors import ModelError
from core.files import standing, write_whole
from core.types import EXTRACTOR_VERSION, MODALITIES, Modality

OWN = f"extractor:{EXTRACTOR_VERSION}"
ABSENT = "absent"
"""What a model says of a modality that its training data did not have: nothing can be asked of it."""
META = "model.json"
AGREED = "agreed.json"
"""Of the settings: what was agreed, by the SHA-256 of the model.json, which names the weights by theirs. So a
model trained anew in the same folder is asked about anew."""
NAMES: dict[Modality, str] = {"text": "words", "audio": "voice", "visual": "face"}


def locate(model: str | Path) -> Path:
    """The folder that holds model.json: of a model, of a run (its finished model, else its best checkpoint),
    or of the `starter`. Raises ModelError where there is none."""
    if str(model) == "starter":
        candidates = [paths.resources() / "starter"]
    else:
        candidates = [Path(model), Path(model) / "model", Path(model) / "checkpoints" / "best"]
    for folder in map(standing, candidates):
        if (folder / META).is_file():
            return folder
    raise ModelError(f"There is no model in {candidates[0]}.", "Name a folder of a model or of a run.")


def usable(folder: Path) -> str | None:
    """Why the model of a run cannot be used in Review and Live; None where it can."""
    told = told_of(folder)
    if not told:
        return "This run has no finished model."
    strange = {m: why for m, why in foreign(told).items() if m not in dropped(folder)}
    if strange:
        return " ".join(strange.values())
    unused = {m for m in MODALITIES if _features(told).get(m) == ABSENT} | set(dropped(folder))
    return "Nothing is left that it can judge." if unused >= set(MODALITIES) else None


def foreign(told: Mapping[str, Any]) -> dict[Modality, str]:
    """The modalities of a model.json that were not learned from what this program extracts, and why not."""
    features, found = _features(told), {}
    network = told.get("network") or {}
    for m in MODALITIES:
        made = features.get(m, f"extractor:{told.get('extractor_version', EXTRACTOR_VERSION)}")
        if made == ABSENT:
            continue
        if made == "foreign" or (m == "text" and not network.get("text_encoder")):
            found[m] = f"It learned the {NAMES[m]} from features that came with its data."
        elif made != OWN:
            version = made.removeprefix("extractor:")
            found[m] = (
                f"It learned the {NAMES[m]} from features of version {version}; "
                f"this program extracts version {EXTRACTOR_VERSION}."
            )
    return found


def agree(folder: Path, modalities: Sequence[Modality]) -> None:
    """From now on the model of this folder is used without these modalities; none takes that back.

    It is that model's, wherever it lies. Raises ModelError where there is none.
    """
    known = _agreements()
    known[_digest(locate(folder))] = [m for m in MODALITIES if m in modalities]
    paths.settings().mkdir(parents=True, exist_ok=True)
    text = json.dumps({"v": 1, "dropped": {k: v for k, v in known.items() if v}}, ensure_ascii=False)
    write_whole(paths.settings() / AGREED, text + "\n")


def dropped(folder: str | Path) -> tuple[Modality, ...]:
    """The modalities that somebody agreed to leave out of the model of this folder."""
    try:
        kept = _agreements().get(_digest(locate(folder)), [])
    except (ModelError, OSError):
        return ()
    return tuple(m for m in MODALITIES if m in kept)


def _digest(place: Path) -> str:
    return hashlib.sha256((place / META).read_bytes()).hexdigest()


def _agreements() -> dict[str, list[str]]:
    try:
        told = json.loads((paths.settings() / AGREED).read_text(encoding="utf-8"))
        return dict(told["dropped"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _features(told: Mapping[str, Any]) -> Mapping[str, str]:
    features = told.get("features")
    return features if isinstance(features, dict) else {}


def told_of(folder: Path) -> dict[str, Any]:
    """model.json of a finished model, of a run or alone; empty where there is none."""
    try:
        place = locate(folder)
        if place.parent.name == "checkpoints":
            return {}
        told = json.loads((place / META).read_text(encoding="utf-8"))
    except (ModelError, OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
