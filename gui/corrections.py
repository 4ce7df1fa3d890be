"""Corrected transcripts on the disk: one small file for each content, so that a moved clip keeps its words.

Its name begins with the clip's size: whether a clip has one is known without reading the clip, but for those
of the very same size.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core import paths
from gui.storage import read_json, write_json


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person typed for a clip; `language`: the one recognised there, as ISO 639-1 code, or ""."""

    text: str
    language: str = ""


class Corrections:
    """Reads and writes in threads of others. Of several corrections of one clip the last one is kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or paths.settings() / "corrections"
        self._writing, self._noting = threading.Lock(), threading.Lock()
        self._due: dict[Path, Correction | None] = {}

    def put(self, clip: Path, correction: Correction | None) -> None:
        """Note that this is to be kept (None: nothing is); `write` brings it to the disk."""
        with self._noting:
            self._due[clip] = correction

    def write(self) -> Iterator[tuple[Path, str]]:
        """Bring what is noted to the disk; yields the clips it failed for and why. Those stay noted."""
        failed: list[tuple[Path, str]] = []
        with self._writing:
            with self._noting:
                due, self._due = self._due, {}
            for clip, correction in due.items():
                try:
                    self._write(clip, correction)
                except OSError as error:
                    failed.append((clip, str(error)))
                    with self._noting:
                        self._due.setdefault(clip, correction)  # unless a newer one has come meanwhile
        yield from failed

    def find(self, clips: Sequence[Path]) -> Iterator[tuple[Path, Correction]]:
        """The corrections that there are for `clips`; reads only clips of a size that a correction has."""
        names = {file.name for file in self._folder.glob("*.json")}
        sizes = {name.partition("-")[0] for name in names}
        for clip in clips if names else ():
            try:
                known = str(clip.stat().st_size) in sizes
                name = _name(clip) if known else ""
            except OSError:
                continue  # the analysis tells what is wrong with the clip
            if name in names:
                stored = read_json(self._folder / name)
                if isinstance(text := stored.get("text"), str):
                    yield clip, Correction(text, str(stored.get("language", "")))

    def _write(self, clip: Path, correction: Correction | None) -> None:
        file = self._folder / _name(clip)
        if correction is None:
            file.unlink(missing_ok=True)
        else:
            write_json(file, {"text": correction.text, "language": correction.language, "clip": clip.name})


def _name(clip: Path) -> str:
    """The file's name for the content of a clip. Raises OSError."""
    with clip.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return f"{clip.stat().st_size}-{digest}.json"
