"""A project opened: its settings, its store, its raters and clips.

    with Store.open(folder) as store:
        ada = store.rater("Ada", create=True)
        rate(store, ada.id, clip=1, modality="text", value=2.0)

Any number of programs and threads may have the same store open.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.annotation import columns, migrations, project
from core.annotation.database import PATIENCE, Database, insert_new
from core.annotation.errors import RatingError
from core.annotation.project import Project
from core.annotation.schema import assignments, clips, events, raters

GONE = "deleted clip "
"""What the name of a clip whose recording was deleted begins with."""
_MANY = 5_000
"""Clips that are added in one statement."""


@dataclass(frozen=True, slots=True)
class Rater:
    """Who rates. kind: a person, or the labels that an import brought along."""

    id: int
    name: str
    kind: Literal["person", "import"]
    lead: bool
    colour: str
    unblinded: float | None
    """When the rater was shown what others think; None where that never happened."""


@dataclass(frozen=True, slots=True)
class NewClip:
    """A clip to be added. name: `video/clip`, its own in the project. path: below the media root.

    start, end: seconds in the file where it is a part of it. part: "train", "valid", "test" or "all".
    """

    name: str
    path: str | None = None
    text: str = ""
    start: float | None = None
    end: float | None = None
    part: str = "all"
    missing: bool = False


class Store:
    """A project's settings and its store."""

    def __init__(self, folder: Path, settings: Project, database: Database) -> None:
        self.folder, self.project, self.database = folder, settings, database

    @classmethod
    def create(cls, folder: Path, **settings: Any) -> Store:
        """Make a project with settings of `core.annotation.project`, and open it. Raises StoreError."""
        made = project.create(folder, **settings)
        return cls._opened(folder, made, create=True, patience=PATIENCE)

    @classmethod
    def open(cls, folder: Path, patience: float = PATIENCE) -> Store:
        """Open a project. patience: seconds to wait for other programs' writing. Raises StoreError."""
        settings = project.read(folder)
        return cls._opened(folder, settings, create="://" in settings.store, patience=patience)

    @classmethod
    def _opened(cls, folder: Path, settings: Project, *, create: bool, patience: float) -> Store:
        place = settings.store if "://" in settings.store else folder / settings.store
        database = Database(place, patience)
        try:
            migrations.prepare(database, create)
        except BaseException:
            database.close()
            raise
        return cls(folder, settings, database)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.database.close()

    @property
    def media(self) -> Path:
        """The root of the media."""
        return project.media_root(self.folder, self.project)

    def keep(self, settings: Project) -> None:
        """Change the project's settings, here and in its file."""
        project.save(self.folder, settings)
        self.project = settings

    def count(self) -> int:
        """Clips in the project; their ids are 1 to this number."""
        with self.database.read() as connection:
            return last_clip(connection)

    def clip(self, name: str) -> int:
        """The id of the clip of that name; RatingError where there is none."""
        with self.database.read() as connection:
            found = connection.scalar(sa.select(clips.c.id).where(clips.c.name == name))
        if found is None:
            raise RatingError(f"There is no clip “{name}” in this project.", "Its name is video/clip.")
        return found

    def raters(self) -> list[Rater]:
        """All raters, in the order in which they came."""
        with self.database.read() as connection:
            return [_rater(row) for row in connection.execute(sa.select(raters).order_by(raters.c.id))]

    def rater(
        self, name: str, *, create: bool = False, kind: str = "person", lead: bool = False, colour: str = ""
    ) -> Rater:
        """The rater of that name; RatingError where there is none and none is to be made."""
        if not (name := " ".join(name.split())):
            raise RatingError("A rater needs a name.")
        if create:
            row = {"name": name, "kind": kind, "lead": lead, "colour": colour, "created": time.time()}
            with self.database.write() as connection:
                insert_new(connection, raters, [row | {"unblinded": None}])
        with self.database.read() as connection:
            found = connection.execute(sa.select(raters).where(raters.c.name == name)).one_or_none()
        if found is None:
            known = ", ".join(rater.name for rater in self.raters() if rater.kind == "person") or "nobody yet"
            raise RatingError(f"There is no rater “{name}”.", f"Known are: {known}.")
        return _rater(found)

    def assign(self, rater: int, chosen: Iterable[int]) -> None:
        """Let a rater rate these clips; who has none assigned rates all."""
        ids = np.array(sorted(set(chosen)), dtype=np.int64)
        with self.database.write() as connection:
            insert_new(connection, assignments, [{"rater_id": rater, "clip_id": int(c)} for c in ids])
            columns.put_many(connection, "assigned", "", rater, ids, np.ones(len(ids)))

    def unblind(self, rater: int, by: int) -> None:
        """Show a rater what the others and the model say, from now on. Logged, and never taken back."""
        now = time.time()
        row = {"token": str(uuid4()), "at": now, "rater_id": by, "kind": "unblind", "value": float(rater)}
        with self.database.write() as connection:
            connection.execute(events.insert(), row)
            connection.execute(raters.update().where(raters.c.id == rater).values(unblinded=now))

    def add(self, new: Sequence[NewClip]) -> list[int]:
        """Add clips; one whose name is there already is left as it is. Returns the ids, in order."""
        with self.database.write() as connection:
            if self.database.postgresql:  # ids must stay dense though others may add clips too
                connection.exec_driver_sql("LOCK TABLE clips IN EXCLUSIVE MODE")
            first = last_clip(connection)
            known = _ids_by_name(connection, [clip.name for clip in new])
            fresh: dict[str, NewClip] = {clip.name: clip for clip in new if clip.name not in known}
            for number, name in enumerate(fresh, first + 1):
                known[name] = number
            rows = [_clip_row(known[clip.name], clip) for clip in fresh.values()]
            for begin in range(0, len(rows), _MANY):
                connection.execute(clips.insert(), rows[begin : begin + _MANY])
            columns.put_texts(connection, [(row["id"], row["name"], row["text"]) for row in rows])
            gone = np.array([row["id"] for row in rows if row["missing"]], dtype=np.int64)
            columns.put_many(connection, "missing", "", 0, gone, np.ones(len(gone)))
        return [known[clip.name] for clip in new]


def last_clip(connection: Connection) -> int:
    """The highest id of a clip, which is their number."""
    return connection.scalar(sa.select(sa.func.max(clips.c.id))) or 0


def _ids_by_name(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    known: dict[str, int] = {}
    for begin in range(0, len(names), _MANY):
        chosen = clips.c.name.in_(names[begin : begin + _MANY])
        found = connection.execute(sa.select(clips.c.name, clips.c.id).where(chosen))
        known |= {name: number for name, number in found}
    return known


def _clip_row(number: int, clip: NewClip) -> dict[str, Any]:
    return {
        "id": number,
        "name": clip.name,
        "video": clip.name.rpartition("/")[0] or clip.name,
        "path": clip.path,
        "start": clip.start,
        "end": clip.end,
        "imported_start": clip.start,
        "imported_end": clip.end,
        "part": clip.part,
        "text": clip.text,
        "imported_text": clip.text,
        "missing": clip.missing,
    }


def _rater(row: Any) -> Rater:
    return Rater(row.id, row.name, row.kind, bool(row.lead), row.colour, row.unblinded)
