"""Extracted features, kept by the content they come from; a damaged or foreign entry counts as absent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core import paths
from core.errors import Cancelled

MAX_BYTES = 4 * 2**30
"""What the cache may hold; about 100,000 clips of 5 s."""
_CHUNK = 2**20

Entry = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays by name, and what else there is to know, as JSON."""


def content_hash(path: Path, cancelled: Callable[[], bool] | None = None) -> str:
    """SHA-256 of a file's bytes. Raises OSError, Cancelled."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if cancelled is not None and cancelled():
                raise Cancelled
            digest.update(chunk)
    return digest.hexdigest()


def load(key: str) -> Entry | None:
    """The entry of that key, None where there is none that can be read whole (zip keeps a checksum)."""
    try:
        with _file(key).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        meta = json.loads(arrays.pop("meta").tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    with contextlib.suppress(OSError):
        _file(key).touch()
    return arrays, meta


def save(key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Keeps an entry. A full disk or a read-only folder costs the cache, not the answer."""
    file = _file(key)
    packed = np.frombuffer(json.dumps(dict(meta)).encode(), dtype=np.uint8)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
            try:
                np.savez(part, allow_pickle=False, meta=packed, **arrays)
                part.flush()
                os.fsync(part.fileno())
                os.replace(part.name, file)
            except OSError:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError:
        return


def prune(max_bytes: int = MAX_BYTES) -> int:
    """Deletes the entries that were not used for longest until the rest fits; says how many bytes went."""
    entries = sorted(_entries())
    excess = sum(size for _, size, _ in entries) - max_bytes
    freed = 0
    for _, size, file in entries:
        if freed >= excess:
            break
        file.unlink(missing_ok=True)
        freed += size
    return freed


def _entries() -> Iterator[tuple[float, int, Path]]:
    """(last use, bytes, file) of each entry; one that another process deletes meanwhile is left out."""
    for file in _root().glob("*/*.npz"):
        with contextlib.suppress(FileNotFoundError):
            status = file.stat()
            yield status.st_mtime, status.st_size, file


def forget(content: str) -> None:
    """Deletes all that is kept of a file with that SHA-256: a recording deleted leaves no traces here."""
    for file in (_root() / content[:2]).glob(f"{content}-*.npz"):
        file.unlink(missing_ok=True)


def _root() -> Path:
    return paths.cache() / "features"


def _file(key: str) -> Path:
    return _root() / key[:2] / f"{key}.npz"
