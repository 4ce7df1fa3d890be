"""Delete a recording: the one exception to a history that only grows. It cannot be undone.

The file goes, and all that was said about its clips, also in the copies in `backups/`; overwritten, not only
let go, where the store is a file. The clips' rows stay, empty, for other clips' places follow from their ids.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import numpy as np
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection

from core.annotation import columns, migrations
from core.annotation.database import Database, told
from core.annotation.schema import (
    acts,
    assignments,
    clips,
    column_blocks,
    estimates,
    events,
    flags,
    notes,
    ratings,
    settled,
)
from core.annotation.store import GONE, Store
from core.errors import DataError

_ABOUT = (assignments, acts, ratings, flags, notes, settled, estimates)


def erase(store: Store, path: str) -> int:
    """Delete the recording at a path below the media root, and its clips; how many there were.

    The file goes last: after a failure, call it again. Raises StoreError; DataError where the file stays.
    """
    count = _cleared(store.database, path)
    if (file := store.database.file) is not None:
        for copy in sorted((file.parent / migrations.BACKUPS).glob("*.sqlite")):
            database = Database(copy)
            try:
                _cleared(database, path)
            finally:
                database.close()
    try:
        (store.media / path).unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{path} cannot be deleted: {error.strerror}", "Delete the file yourself.") from error
    return count


def _cleared(database: Database, path: str) -> int:
    _overwriting(database)
    with database.write() as connection:
        chosen = list(connection.scalars(sa.select(clips.c.id).where(clips.c.path == path)))
        if chosen:
            _clear(connection, chosen)
    if database.file is not None:
        with told(database.place), closing(database.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(chosen)


def _overwriting(database: Database) -> None:
    """From now on this program's connections overwrite what they delete."""
    if database.file is None:
        return

    def session(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA secure_delete=ON")

    event.listen(database.engine, "connect", session)
    database.engine.dispose()  # those that are open would not know


def _clear(connection: Connection, chosen: Sequence[int]) -> None:
    there = set(sa.inspect(connection).get_table_names())  # a copy may be of an older version
    for table in _ABOUT:
        if table.name in there:
            connection.execute(table.delete().where(table.c.clip_id.in_(chosen)))
    connection.execute(events.delete().where(events.c.clip_id.in_(chosen), events.c.target.is_not(None)))
    connection.execute(events.delete().where(events.c.clip_id.in_(chosen)))
    ids, nothing = np.array(chosen), np.full(len(chosen), np.nan)
    names = sa.select(column_blocks.c.kind, column_blocks.c.modality, column_blocks.c.owner).distinct()
    for kind, modality, owner in connection.execute(names).all():
        columns.put_many(connection, kind, modality, owner, ids, nothing)
    columns.put_many(connection, "gone", "", 0, ids, np.ones(len(chosen)))
    columns.put_texts(connection, [(clip, "", "") for clip in chosen])
    empty = {"video": "", "path": None, "text": "", "imported_text": "", "missing": False, "start": None}
    empty |= {"end": None, "imported_start": None, "imported_end": None}
    for clip in chosen:
        cleared = empty | {"name": f"{GONE}{clip}"}
        connection.execute(clips.update().where(clips.c.id == clip).values(cleared))
