"""What data is made of, as one name: the bytes of its files, and the settings that decide what is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.data.store import VERSION, root
from core.errors import DataError
from core.features.cache import content_hash
from core.files import write_whole
from core.types import EXTRACTOR_VERSION

KNOWN = "hashes.json"
"""Hashes by path, size and time of change, so that gigabytes are not read again for their name."""


class Hashes:
    """SHA-256 of files, remembered between runs for files that did not change since."""

    def __init__(self) -> None:
        self._path = root() / KNOWN
        self._new = False
        try:
            self._known: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._known = {}

    def of(self, path: Path, cancelled: Callable[[], bool] | None = None) -> str:
        """The SHA-256 of a file. Raises OSError, Cancelled."""
        status = path.stat()
        key = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}"
        if key not in self._known:
            self._known[key] = content_hash(path, cancelled)
            self._new = True
        return self._known[key]

    def keep(self) -> None:
        """Remember what was hashed; a cache that cannot be written costs time, not the answer."""
        if not self._new:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(self._known))
        except OSError:
            return


def fingerprint(files: Mapping[str, Path], settings: Any, progress: Callable[[float], None]) -> str:
    """32 hex digits for these files by name, the settings that matter (JSON), and how features are made.

    Raises DataError for a file that cannot be read.
    """
    hashes, digest = Hashes(), hashlib.sha256()
    digest.update(json.dumps([VERSION, EXTRACTOR_VERSION, settings], sort_keys=True).encode())
    for done, name in enumerate(sorted(files)):
        progress(done / len(files))
        try:
            digest.update(f"{name}\0{hashes.of(files[name])}\n".encode())
        except OSError as error:
            raise DataError(f"{files[name]}: {error.strerror or error}") from error
    hashes.keep()
    return digest.hexdigest()[:32]
