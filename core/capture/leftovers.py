"""Recordings that a killed program left behind: found, and made into what they should have become."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.capture.container import remux
from core.errors import MediaError
from core.files import write_whole

_GROWING = ".recording.mkv"
_OWNER = ".recording.json"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a leftover. file: where the recording lies now; None: it held nothing and is gone.

    reason: why it was left as it is, "" where it is whole again.
    """

    file: Path | None
    seconds: float
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file and str(self.file), "seconds": self.seconds, "reason": self.reason}


def growing(file: Path) -> Path:
    """Where the recording that will be `file` lies while it grows."""
    return file.with_name(file.stem + _GROWING)


def claim(file: Path) -> None:
    """Note that this process records `file`. Raises OSError."""
    me = psutil.Process()
    note = {"v": 1, "file": file.name, "pid": me.pid, "created": me.create_time()}
    write_whole(_note(file), json.dumps(note))


def release(file: Path) -> None:
    """Take the note away."""
    _note(file).unlink(missing_ok=True)


def recover(folder: Path) -> list[Recovered]:
    """Make an MP4 file of every recording in `folder` whose program is gone; nothing is ever overwritten.

    A leftover that cannot be read or copied stays where it is, with the reason.
    """
    return [_recovered(path) for path in sorted(folder.glob(f"*{_GROWING}")) if not _alive(path)]


def _note(file: Path) -> Path:
    return file.with_name(file.stem + _OWNER)


def _stem(left: Path) -> str:
    return left.name.removesuffix(_GROWING)


def _alive(left: Path) -> bool:
    """Whether the process that records it is still there."""
    try:
        note = json.loads(left.with_name(_stem(left) + _OWNER).read_text(encoding="utf-8"))
        return abs(psutil.Process(note["pid"]).create_time() - note["created"]) < 1
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return False


def _recovered(left: Path) -> Recovered:
    target = _free_name(left.with_name(_stem(left) + ".mp4"))
    try:
        seconds = remux(left, target)
    except MediaError as error:
        if left.stat().st_size > 0:
            return Recovered(left, 0.0, error.message)
        target, seconds = None, 0.0
    except OSError as error:
        return Recovered(left, 0.0, error.strerror or str(error))
    left.unlink()
    release(left.with_name(_stem(left) + ".mp4"))
    return Recovered(target, seconds)


def _free_name(file: Path) -> Path:
    number, name = 1, file
    while os.path.lexists(name):
        number += 1
        name = file.with_name(f"{file.stem} ({number}){file.suffix}")
    return name
