"""`consonance extract`: the features of clips as files that NumPy reads, one a clip."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from core.commands.console import FAILED, OK, Steps, show_error
from core.errors import DataError, UserError
from core.features.extract import Extractor
from core.types import EXTRACTOR_VERSION, ClipFeatures, Modality

_VIDEO = "mp4 m4v mov mkv webm avi mpg mpeg ts wmv flv gif"
_SOUND = "wav mp3 m4a flac ogg opus aac"
_STILL = "jpg jpeg png webp bmp tif tiff"
SUFFIXES = frozenset(f".{name}" for name in f"{_VIDEO} {_SOUND} {_STILL}".split())
"""What is taken from a folder; a file that is named is tried whatever it is called."""


def extract(files: Sequence[Path], out: Path, *, modalities: Sequence[Modality], speech: str) -> int:
    """Write `<name>.npz` for each clip; those of a folder keep their place in it. The exit code."""
    clips = list(_clips(files))
    out.mkdir(parents=True, exist_ok=True)
    extractor = Extractor(speech)
    code = OK
    with Steps() as steps:
        for clip, place in clips:
            report = steps.begin(str(place))
            try:
                features = extractor.extract(clip, modalities=modalities, on_progress=report)
                save(features, out / place.with_name(place.name + ".npz"))
            except UserError as error:
                with steps.aside():
                    show_error(error, str(clip))
                code = FAILED
    return code


def save(features: ClipFeatures, path: Path) -> None:
    """Write the features of one clip: arrays audio, voiced, visual, and the rest as JSON in `clip`.

    What is missing has no array. The file takes its name only when it is whole.
    """
    rest = {
        "extractor_version": EXTRACTOR_VERSION,
        "duration": features.duration,
        "missing": features.missing,
        "transcript": None if features.transcript is None else asdict(features.transcript),
    }
    arrays = {"clip": np.array(json.dumps(rest))}
    for name in ("audio", "voiced", "visual"):
        if getattr(features, name) is not None:
            arrays[name] = getattr(features, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _clips(files: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each clip with its place below the folder it was found in. DataError for a folder without any."""
    for file in files:
        if not file.is_dir():
            yield file, Path(file.name)
            continue
        for path in clips_below(file):
            yield path, path.relative_to(file)


def clips_below(folder: Path) -> list[Path]:
    """The clips in a folder and the folders in it, sorted. DataError where there are none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DataError(f"{folder}: there is no clip in this folder.", "Name clips, or a folder of clips.")
    return found
