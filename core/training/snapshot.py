"""A run's state as a folder that it goes on from bit for bit: tensors by name in safetensors, all else JSON.

Never a pickle: a run folder may come from somebody else. The tree of the state (dictionaries, lists, tensors,
numbers) is kept as it is in state.json, each tensor in it replaced by its name in tensors.safetensors.
See docs/adr/0009-exact-resume.md.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.errors import DataError
from core.files import whole_folder

FORMAT = 1
TENSORS, TREE = "tensors.safetensors", "state.json"
TENSOR, PAIRS = "$tensor", "$pairs"
"""Marks of what JSON does not have: a tensor, a dictionary whose keys are not all texts."""


def save(folder: Path, state: dict[str, Any], keep: Path | None = None) -> None:
    """Write a state, whole or not at all; the one before takes the name `keep`.

    state: dictionaries, lists, tensors, numbers, texts, None; numbers must be finite.
    """
    tensors: dict[str, Tensor] = {}
    tree = _without_tensors(state, "", tensors)
    with whole_folder(folder, keep) as part:
        save_file(tensors, part / TENSORS)
        told = {"format": FORMAT, "digest": _digest(part / TENSORS), "state": tree}
        (part / TREE).write_text(json.dumps(told, allow_nan=False), encoding="utf-8")


def load(folder: Path, before: Path | None = None) -> dict[str, Any] | None:
    """The state in a folder, or where that is absent or damaged the one before; None where neither exists.

    Raises DataError where what exists is damaged.
    """
    problems = []
    for place in (folder, before):
        if place is None or not (place / TREE).exists():
            continue
        try:
            told = json.loads((place / TREE).read_text(encoding="utf-8"))
            if told["format"] != FORMAT or told["digest"] != _digest(place / TENSORS):
                raise ValueError("it is not what was written")
            return _with_tensors(told["state"], load_file(place / TENSORS))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            problems.append(f"{place}: {error}")
    if problems:
        raise DataError("No checkpoint can be read: " + "; ".join(problems), "Start the run again.")
    return None


def _without_tensors(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[name] = _own(value.detach().cpu().contiguous(), tensors)
        return {TENSOR: name}
    if isinstance(value, dict):
        items = [(key, _without_tensors(item, f"{name}/{key}", tensors)) for key, item in value.items()]
        return dict(items) if all(isinstance(key, str) for key, _ in items) else {PAIRS: items}
    if isinstance(value, (list, tuple)):
        return [_without_tensors(item, f"{name}/{i}", tensors) for i, item in enumerate(value)]
    return value


def _own(tensor: Tensor, others: dict[str, Tensor]) -> Tensor:
    """The tensor in memory of its own, as a tensor file wants it. Copied only if it must be: all weights and
    what the optimiser knows of them would otherwise be in memory twice."""
    shared = {other.data_ptr() for other in others.values()}
    whole = tensor.untyped_storage().nbytes() == tensor.nbytes
    return tensor if whole and tensor.data_ptr() not in shared else tensor.clone()


def _with_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_with_tensors(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {TENSOR}:
        return tensors[value[TENSOR]]
    if set(value) == {PAIRS}:
        return {key: _with_tensors(item, tensors) for key, item in value[PAIRS]}
    return {key: _with_tensors(item, tensors) for key, item in value.items()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
