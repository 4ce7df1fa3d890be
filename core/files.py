"""Files and folders that are written whole or not at all, whenever the machine stops.

A reader finds what was there before or what came after: of a file by one renaming; of a folder, which cannot
take another's name in one step, because `standing` knows where the old one waits meanwhile.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a text file so that a reader sees the old one or the new one. durable: also after a power cut."""
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(part).chmod(0o644)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)
    if durable:
        _flush_names(path.parent)


@contextmanager
def whole_folder(folder: Path, keep: Path | None = None) -> Generator[Path]:
    """An empty folder to fill; it takes `folder`'s name and place when the block ends without an error.

    keep: the name that what was there before gets; left out, it goes.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
    try:
        yield part
        _flush(part)
        _take_place(part, folder, keep)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def standing(folder: Path) -> Path:
    """Where the folder's content is: under its name, or where a writer that was killed had moved it."""
    waiting = _waiting(folder)
    return waiting if not folder.exists() and waiting.exists() else folder


def clear_parts(parent: Path) -> None:
    """Remove what killed writers left unfinished in `parent`. Only while nobody writes there."""
    for part in parent.glob(".*.part"):
        shutil.rmtree(part, ignore_errors=True)


def _waiting(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _take_place(part: Path, folder: Path, keep: Path | None) -> None:
    """Give the finished part the name; what had it before waits beside until then.

    Killed anywhere in between, at least one of the two is whole under one of the two names.
    """
    old = keep or _waiting(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)  # superseded by what is in the folder now
        folder.rename(old)
    part.rename(folder)
    _flush_names(folder.parent)
    if keep is None:
        shutil.rmtree(old, ignore_errors=True)


def _flush(part: Path) -> None:
    for path in part.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    _flush_names(part)


def _flush_names(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system lets a folder be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
