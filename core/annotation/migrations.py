"""Bring a store's tables to what this version of the program knows.

A new store is made as `schema` says; an older one is copied into `backups/` first, then changed step by step,
all in one transaction. A newer one is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.annotation import schema
from core.annotation.database import Database, told
from core.annotation.errors import StoreDamaged, StoreTooNew, StoreUnreachable

BACKUPS = "backups"
KEPT = 5
"""Copies that are kept; older ones go."""


def _settled_and_estimates(connection: Connection) -> None:
    schema.metadata.create_all(connection, tables=[schema.settled, schema.estimates])


STEPS: dict[int, Callable[[Connection], None]] = {2: _settled_and_estimates}
"""What leads to each version from the one before."""


def prepare(database: Database, create: bool) -> None:
    """Make the tables (create: also where there are none), or migrate them. Raises StoreError."""
    if (file := database.file) is not None:
        if not create and not file.is_file():
            raise StoreUnreachable(f"{file} is not there.", "Has the project's folder been moved?")
        if create:
            _write_ahead(database)
    found = version(database)
    if found > schema.VERSION:
        raise StoreTooNew(
            f"{database.place} was written by a newer version of the program: its tables are of version "
            f"{found}, this program knows {schema.VERSION}.",
            "Update this program. Nothing was changed.",
        )
    if found == 0 and not create:
        raise StoreDamaged(f"{database.place} holds no annotations.", "Is it the right file or database?")
    if found < schema.VERSION:
        _migrate(database, found)


def version(database: Database) -> int:
    """The version of a store's tables, 0 where there are none. Raises StoreError."""
    with database.read() as connection:
        if not sa.inspect(connection).has_table(schema.schema_version.name):
            return 0
        return connection.scalar(sa.select(sa.func.max(schema.schema_version.c.version))) or 0


def backup(database: Database, why: str) -> Path | None:
    """Copy the store's file into `backups/` beside it; None on a server, which its owner backs up.

    The newest five copies stay. Raises StoreError.
    """
    if (file := database.file) is None:
        return None
    with told(database.place):
        folder = file.parent / BACKUPS
        folder.mkdir(exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        copy = folder / f"{file.stem}-{stamp}-{time.time_ns() % 10**9:09}-{why}.sqlite"
        with closing(database.engine.raw_connection()) as connection:  # outside of any transaction
            connection.cursor().execute("VACUUM INTO ?", (str(copy),))
        for old in sorted(folder.glob(f"{file.stem}-*.sqlite"))[:-KEPT]:
            old.unlink(missing_ok=True)
    return copy


def _write_ahead(database: Database) -> None:
    with told(database.place), database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.execute("PRAGMA journal_mode=WAL")  # kept in the file


def _migrate(database: Database, found: int) -> None:
    if found:
        backup(database, f"version-{found}")
    with database.write() as connection:
        if database.postgresql:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(84037)")
        table = schema.schema_version
        if sa.inspect(connection).has_table(table.name):  # asked again: another program may have been quicker
            found = connection.scalar(sa.select(sa.func.max(table.c.version))) or 0
        if found == 0:
            schema.metadata.create_all(connection)
        for number in range(found + 1, schema.VERSION + 1):
            if found:
                STEPS[number](connection)
            connection.execute(table.insert(), {"version": number, "at": time.time()})
