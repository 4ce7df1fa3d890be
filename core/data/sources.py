"""From data on disk to samples by part: dataset files, label folders, tables of texts, and the mixed sources
of a run (`data.sources`), each a table with the recordings that it names.

Whatever it is, it is converted once (`core.data.store`); samples stay on disk and are read where they are
used. Recordings become features by `core.features.extract`, the one way that clips go when the model is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.data import label_folder, reading, store, tables
from core.data.batches import Sample
from core.data.fingerprint import fingerprint
from core.data.parts import PARTS, DataSet, Part, assigned, for_training
from core.data.rows import Rows
from core.data.statistics import standardisation
from core.errors import DataError
from core.training.data_settings import DataSettings, Source
from core.types import MODALITIES, Modality

__all__ = ["DataSet", "Part", "Progress", "for_training", "load", "standardisation"]

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]; may raise to end it."""

PICKLES = (".pkl", ".pickle", ".p", ".npz", ".npy")
"""Read as pickles; NumPy's own files are told what to do there."""
TABLES = (".csv", ".txt", "")
CUT = 2
"""How mixed sources are cut into parts; raised with every change of it, so that they are converted again."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What lies at a path: its files by name, the settings that decide how they are read, and the reader."""

    files: dict[str, Path]
    settings: Any
    fill: Callable[[store.Writer, Progress], Mapping[str, Any]]
    clips: Sequence[tuple[str, int, tables.Row]] = ()
    """Of what takes long to read: part, number of the source, and row of each clip."""
    notes: Sequence[str] = ()
    """What the tables alone tell."""


def load(settings: DataSettings, path: Path, on_progress: Progress | None = None) -> DataSet:
    """Read what the settings and the path name; parts that are absent are absent.

    path: a `.pkl` of MMSA's layout, a folder with `label.csv`, a CSV with columns `text, y` — or, where the
    settings name sources, the folder that their tables lie in. The first time it is converted, later it is
    there at once. Raises DataError that lists every problem.
    """
    progress = on_progress or (lambda step, share: None)
    found = _look(settings, path)
    name = fingerprint(found.files, found.settings, partial(progress, "looking for changes"))
    stored = store.convert(name, lambda writer: found.fill(writer, progress))
    return opened(stored, settings)


def converted(settings: DataSettings, path: Path) -> DataSet | None:
    """The same, but only if it was converted before; None where reading it would take its time."""
    found = _look(settings, path)
    stored = store.find(fingerprint(found.files, found.settings, lambda share: None))
    return None if stored is None else opened(stored, settings)


def outline(
    settings: DataSettings, path: Path, on_progress: Progress | None = None
) -> tuple[DataSet, dict[str, Path] | None]:
    """The data, but of recordings that were not extracted yet only what their tables say, and the file behind
    each id; None in its place where the data is there whole. Raises DataError.
    """
    progress = on_progress or (lambda step, share: None)
    found = _look(settings, path)
    name = fingerprint(found.files, found.settings, partial(progress, "looking for changes"))
    if not found.clips or store.find(name) is not None:
        return opened(store.convert(name, lambda writer: found.fill(writer, progress)), settings), None
    parts: dict[str, tuple[list[Sample], list[int]]] = {}
    for part, number, row in found.clips:
        samples, numbers = parts.setdefault(part, ([], []))
        samples.append(Sample(row.id, row.group, row.text or None, labels=row.labels))
        numbers.append(number)
    data = DataSet(
        {name: Part(*parts[name]) for name in (*PARTS, "all") if name in parts},
        settings.sources or (Source(),),
        notes=list(found.notes),
        calibration_share=settings.calibration_share,
    )
    return data, {row.id: row.file for _, _, row in found.clips if row.file is not None}


def _look(settings: DataSettings, path: Path) -> _Found:
    if settings.sources:
        return _mixed(settings.sources, path)
    if not path.exists():
        raise DataError(f"{path} is not there.", "Name a .pkl, a label folder, or a CSV.")
    if path.is_dir():
        absent: list[str] = []
        rows = label_folder.read(path, absent.append)
        notes = [f"{name}: left out" for name in absent]
        files = {"label.csv": path / label_folder.TABLE} | {f"{row.id}": row.file for row in rows}
        clips = [(row.mode, 0, tables.Row(row.id, row.group, row.text, row.file, row.labels)) for row in rows]
        return _Found(files, "folder", partial(reading.label_folder, rows, notes), clips, notes)
    if path.suffix.lower() in PICKLES:
        return _Found({"data": path}, ["mmsa", settings.text], partial(reading.mmsa, path, settings.text))
    if path.suffix.lower() not in TABLES:
        raise DataError(
            f"{path}: files of the kind {path.suffix} are not read",
            "Data is a .pkl in MMSA's layout, a folder with label.csv, or a CSV with columns text, y.",
        )
    rows = tables.plain(path)
    return _Found({"data": path}, "texts", partial(reading.texts, rows))


def _mixed(sources: tuple[Source, ...], root: Path) -> _Found:
    read, problems = [], []
    for source in sources:
        try:
            read.append(tables.of_source(source, root))
        except DataError as error:
            problems.append(error.message)
    if problems:
        raise DataError("; ".join(problems), "Correct these sources and start again.")
    files = {f"{source.path}": root / source.path for source in sources}
    for source, rows in zip(sources, read, strict=True):
        files |= {f"{source.media_root}/{row.file.name}:{row.id}": row.file for row in rows if row.file}
    told = [source.model_dump(mode="json", exclude={"weight", "balanced"}) for source in sources]
    # By the tables alone, so that a check and a run cut alike whatever cannot be read later.
    parts = [assigned([row.group for row in rows], s) for s, rows in zip(sources, read, strict=True)]
    fill = partial(reading.mixed, sources, read, parts)
    if not any(source.columns.file for source in sources):
        return _Found(files, ["mixed", CUT, told], fill)
    clips = [
        (part, number, row)
        for number, rows in enumerate(read)
        for part, row in zip(parts[number], rows, strict=True)
    ]
    return _Found(files, ["mixed", CUT, told], fill, clips)


def opened(stored: store.Stored, settings: DataSettings) -> DataSet:
    """The data set of a store, with the modalities that the settings use."""
    made: dict[Modality, str] = stored.about["features"]
    shown = Rows(stored.table).showing(settings.modalities)
    notes, there = list(stored.about["notes"]), shown.row_index.lengths.sum(axis=1) > 0
    source = stored.table.column("source")
    parts = {}
    for name in PARTS if settings.sources else (*PARTS, "all"):
        rows = stored.rows(name)
        if len(settings.modalities) < len(MODALITIES):
            rows = rows[there[rows]]
        if len(rows) or settings.sources:
            parts[name] = Part(shown.take(rows), source[rows])
    if dropped := [m for m in MODALITIES if m not in settings.modalities]:
        notes.append(f"left out as the settings say: {', '.join(dropped)}")
    return DataSet(
        parts,
        settings.sources or (Source(),),
        recordings=stored.recordings,
        notes=notes,
        fingerprint=stored.folder.name,
        features={m: made[m] for m in settings.modalities},
        calibration_share=settings.calibration_share,
        oddities=stored.about.get("oddities", []),
    )
