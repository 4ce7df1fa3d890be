"""Long videos cut into utterances by voice activity. For workers and the command line: it listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from core.annotation import importing, incoming
from core.annotation.importing import Report
from core.annotation.incoming import Incoming
from core.annotation.store import NewClip, Store
from core.errors import DataError
from core.media import read_audio
from core.speech import Segment, voice_activity

PAUSE = 0.6
"""Seconds of silence that end an utterance."""
SHORTEST = 0.5
LONGEST = 20.0
EDGE = 0.15
"""Seconds kept before and after, as far as the neighbours leave them."""
SUFFIXES = (*incoming.VIDEOS, *incoming.SOUNDS)


def utterances(speech: Sequence[Segment], duration: float) -> list[Segment]:
    """Speech joined over short pauses, unless that grows too long; what is too short is left out."""
    joined: list[Segment] = []
    for start, end in speech:
        near = bool(joined) and start - joined[-1][1] < PAUSE and end - joined[-1][0] <= LONGEST
        joined = [*joined[:-1], (joined[-1][0], end)] if near else [*joined, (start, end)]
    kept = [part for part in joined if part[1] - part[0] >= SHORTEST]
    edges = [0.0, *((a[1] + b[0]) / 2 for a, b in pairwise(kept)), duration]
    return [
        (max(start - EDGE, edges[k]), min(end + EDGE, edges[k + 1])) for k, (start, end) in enumerate(kept)
    ]


def bring_in(store: Store, path: Path, on_progress: Callable[[str, float], None] | None = None) -> Report:
    """Import a recording, or a folder of them, utterance by utterance: `talk/001`, `talk/002`, …

    Raises DataError for what lies outside the media root, and where nobody speaks; MediaError, StoreError.
    """
    progress = on_progress or (lambda step, share: None)
    root = importing.root_for(store, path)
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    rows: list[Incoming] = []
    for number, file in enumerate(files):
        progress(f"listening to {file.name}", number / len(files))
        rows += _cut(file, root)
    if not rows:
        raise DataError(f"{path}: nobody speaks in it.", "Import it without --cut to have it as one clip.")
    importing.take_root(store, root)
    return importing.add(store, rows, path.name, on_progress)


def _cut(file: Path, root: Path) -> list[Incoming]:
    relative = incoming.below(root, file)
    sound = read_audio(file)
    found = utterances(voice_activity(sound), len(sound) / 16_000)
    name = relative.rpartition(".")[0] or relative
    return [
        Incoming(NewClip(f"{name}/{number:03d}", relative, start=round(start, 3), end=round(end, 3)))
        for number, (start, end) in enumerate(found, 1)
    ]
