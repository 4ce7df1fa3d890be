"""From what was dropped, chosen or named on the command line to a list of clips."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

VIDEO = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".mpg", ".mpeg", ".m4v", ".wmv", ".flv", ".ts", ".3gp")
SOUND = (".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus")
STILL = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
MEDIA = frozenset(VIDEO + SOUND + STILL)
BATCH = 200


def find(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Clips under `paths` in batches, in natural order, without following links to folders.

    A file named directly is always a clip (what it cannot be is said when it is opened); inside a folder
    only known kinds of files are taken. Folders that cannot be read are passed over. Where nothing is found
    one empty batch says so.
    """
    batch: list[Path] = []
    found = False
    for path in _walk(paths):
        batch.append(path)
        if len(batch) == BATCH:
            yield batch
            batch, found = [], True
    if batch or not found:
        yield batch


def existing(paths: Sequence[Path]) -> set[Path]:
    """Those of `paths` that are there now."""
    return {path for path in paths if path.exists()}


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts clip 9 before clip 10."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def _walk(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path.absolute()
            continue
        for folder, folders, files in os.walk(path.absolute()):
            folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
            for name in sorted(files, key=natural):
                if not name.startswith(".") and Path(name).suffix.lower() in MEDIA:
                    yield Path(folder, name)
