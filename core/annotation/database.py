"""The connection to a store: SQLite in a file, or PostgreSQL; one kind of errors for both.

SQLite: write-ahead log, every commit flushed to the disk before it is acknowledged. A write takes the lock
when it begins, so that what it read still holds when it writes.
"""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, TimeoutError

from core.annotation.errors import (
    ProjectError,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
)

PATIENCE = 5.0
"""Seconds to wait for another program that writes."""
CACHE_KIB = 32_768


class Database:
    """A store's connections. url: a file, or an address `postgresql://user@host/name`."""

    def __init__(self, url: str | Path, patience: float = PATIENCE) -> None:
        self.url = _address(url)
        self.postgresql = self.url.get_backend_name() == "postgresql"
        self.engine = self._engine(patience)

    @property
    def place(self) -> str:
        """The file or the address, without a password."""
        if self.postgresql:
            return self.url.render_as_string(hide_password=True)
        return self.url.database or ""

    @property
    def file(self) -> Path | None:
        """The file of the store, None on a server."""
        return None if self.postgresql else Path(self.url.database or "")

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A connection that sees one state of the store. Raises StoreError."""
        with told(self.place), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction: on the disk when the block has ended, or it did not happen. Raises StoreError."""
        with told(self.place), self.engine.connect() as connection:
            connection = connection.execution_options(immediate=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        self.engine.dispose()

    def _engine(self, patience: float) -> Engine:
        if self.postgresql:
            wait = {"timeout": 30}
            try:
                engine = sa.create_engine(self.url, connect_args=wait, pool_pre_ping=True)
            except (ModuleNotFoundError, NoSuchModuleError) as error:
                raise ProjectError(
                    f"{self.place}: the driver of PostgreSQL is not installed.", "pip install pg8000"
                ) from error
            event.listen(engine, "connect", _server_session(patience))
            return engine
        engine = sa.create_engine(self.url, connect_args={"timeout": patience})
        event.listen(engine, "connect", _file_session)
        event.listen(engine, "begin", _begin)
        return engine


def upsert(
    connection: Connection, table: sa.Table, row: Mapping[str, Any] | Sequence[dict[str, Any]]
) -> None:
    """Insert a row or rows, or replace what has their primary key."""
    insert = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    rest = {name: insert.excluded[name] for name in row if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest), row)


def insert_new(connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose key is there already are left as they are."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def _insert(connection: Connection, table: sa.Table) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


@contextmanager
def told(place: str) -> Generator[None]:
    """Tell what the user's world did to a store in words; bugs pass as they are."""
    try:
        yield
    except sqlite3.Error as error:  # where the driver is used without SQLAlchemy
        if (known := _known(error, place)) is None:
            raise
        raise known from error
    except DBAPIError as error:
        if (known := _known(error, place)) is None:
            raise
        raise known from error
    except TimeoutError as error:
        raise StoreBusy(f"{place} is busy.", "Try again.") from error
    except OSError as error:
        raise StoreUnreachable(
            f"{place} cannot be reached: {error}", "Is its disk or server there?"
        ) from error


def _address(url: str | Path) -> URL:
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(url))
    try:
        made = make_url(url)
    except ArgumentError as error:
        raise ProjectError("The store's address is none.", "postgresql://user@host/database") from error
    backend = made.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ProjectError(f"A store is a file or on PostgreSQL, not on {backend}.")
    return made.set(drivername="postgresql+pg8000") if made.drivername == "postgresql" else made


def _file_session(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, and nowhere else
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"cache_size=-{CACHE_KIB}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _server_session(patience: float) -> Any:
    def start(connection: Any, _record: object) -> None:
        _send_at_once(connection)
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = {int(patience * 1000)}")
        cursor.execute("SET synchronous_commit = on")
        cursor.close()
        connection.commit()

    return start


def _send_at_once(connection: Any) -> None:
    """pg8000 writes a message in pieces; the last would wait 40 ms for the first to be acknowledged."""
    line = getattr(connection, "_usock", None)
    if isinstance(line, socket.socket) and line.family in (socket.AF_INET, socket.AF_INET6):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


_KEPT = "What was rated is kept here. "
_SQLITE: dict[int, tuple[type[StoreError], str, str]] = {
    sqlite3.SQLITE_BUSY: (StoreBusy, "another program is writing to it", f"{_KEPT}Try again."),
    sqlite3.SQLITE_LOCKED: (StoreBusy, "another program is writing to it", f"{_KEPT}Try again."),
    sqlite3.SQLITE_FULL: (StoreFull, "the disk is full", f"{_KEPT}Make room and try again."),
    sqlite3.SQLITE_READONLY: (
        StoreReadOnly,
        "it may not be written to",
        f"{_KEPT}Allow writing to the file and its folder, and try again.",
    ),
    sqlite3.SQLITE_IOERR: (StoreUnreachable, "its disk fails", f"{_KEPT}Look after the disk and try again."),
    sqlite3.SQLITE_CANTOPEN: (
        StoreUnreachable,
        "it cannot be opened",
        "Is it there, and may you read and write its folder?",
    ),
    sqlite3.SQLITE_CORRUPT: (StoreDamaged, "the file is damaged", "Use the latest copy in backups/."),
    sqlite3.SQLITE_NOTADB: (StoreDamaged, "the file is no store", "Use the latest copy in backups/."),
}
_SERVER: dict[str, tuple[type[StoreError], str, str]] = {
    "53100": _SQLITE[sqlite3.SQLITE_FULL],
    "25006": _SQLITE[sqlite3.SQLITE_READONLY],
    "40001": _SQLITE[sqlite3.SQLITE_BUSY],
    "40P01": _SQLITE[sqlite3.SQLITE_BUSY],
    "55P03": _SQLITE[sqlite3.SQLITE_BUSY],
    "57P03": (StoreUnreachable, "the server is starting or stopping", f"{_KEPT}Try again."),
    "57P01": (StoreUnreachable, "the server was stopped", f"{_KEPT}Try again."),
    "28P01": (StoreUnreachable, "the server refuses the password", "Correct the address in project.toml."),
    "28000": (StoreUnreachable, "the server refuses this user", "Correct the address in project.toml."),
    "3D000": (StoreUnreachable, "the server has no such database", "Create it, or correct the address."),
}


def _known(error: DBAPIError | sqlite3.Error, place: str) -> StoreError | None:
    """The user's side of a driver's error; None for ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        found = _SQLITE.get(code & 0xFF)
    else:
        details = cause.args[0] if cause is not None and cause.args else None
        state = details.get("C", "") if isinstance(details, dict) else ""
        lost = not state and (getattr(error, "connection_invalidated", False) or _unanswered(cause))
        gone = (StoreUnreachable, "the server does not answer", f"{_KEPT}Try again when it is back.")
        found = _SERVER.get(state) or (gone if lost else None)
    if found is None:
        return None
    kind, what, remedy = found
    return kind(f"{place}: {what}.", remedy)


def _unanswered(cause: BaseException | None) -> bool:
    """Whether a driver could not talk to its server."""
    return type(cause).__name__ == "InterfaceError"
