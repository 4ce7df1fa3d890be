"""A run is a folder: settings.toml, events.jsonl, checkpoints/, model/, report.json; a file `stop` ends it.

Whoever follows a run reads its folder. Light on purpose (no torch): the window imports this module too.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import DataError
from core.training.settings import Settings, dump

SETTINGS, EVENTS, REPORT, STOP = "settings.toml", "events.jsonl", "report.json", "stop"
EVENT_VERSION = 1


@dataclass(slots=True)
class Run:
    """One run's folder, written by the process that trains; read by anybody."""

    folder: Path
    _next: int = field(default=0)

    @property
    def best(self) -> Path:
        """The checkpoint with the best validation figure so far."""
        return self.folder / "checkpoints" / "best"

    @property
    def words(self) -> Path:
        """The checkpoint after the words, where these are learned first."""
        return self.folder / "checkpoints" / "words"

    @property
    def model(self) -> Path:
        """The finished model, calibrated."""
        return self.folder / "model"

    def event(self, kind: str, **values: Any) -> None:
        """Append one event; what a reader sees is always whole lines but perhaps the last."""
        line = {"v": EVENT_VERSION, "seq": self._next, "t": round(time.time(), 3), "kind": kind, **values}
        with (self.folder / EVENTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(finite(line), ensure_ascii=False, allow_nan=False) + "\n")
        self._next += 1

    def events(self) -> Iterator[dict[str, Any]]:
        """All events written so far; a torn last line is not one of them."""
        with (self.folder / EVENTS).open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.endswith("\n"))

    def report(self, values: dict[str, Any]) -> None:
        """Write report.json, whole or not at all."""
        text = json.dumps(finite(values), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        write_whole(self.folder / REPORT, text)

    def stop_asked(self) -> bool:
        """Whether somebody wants this run to end and keep its best."""
        return (self.folder / STOP).exists()


def create(folder: Path, settings: Settings) -> Run:
    """A new run's folder with its settings. Raises DataError where another run lies there already."""
    if (folder / SETTINGS).exists():
        raise DataError(f"{folder} holds a run already.", "Name another folder, or remove this one.")
    try:
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        write_whole(folder / SETTINGS, dump(settings))
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}") from error
    return Run(folder)


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader, and a machine that stops, sees the old one or the new one."""
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(part).chmod(0o644)
    Path(part).replace(path)


def finite(value: Any) -> Any:
    """The value as JSON can hold it: numbers that are none become null."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
