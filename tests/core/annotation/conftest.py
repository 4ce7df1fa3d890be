"""Projects that tests rate in: in a file, and on a PostgreSQL server that they start where there is one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.annotation.store import NewClip, Rater, Store

CLIPS = [
    NewClip(f"film{n // 4}/{n:04d}", f"film{n // 4}/{n:04d}.mp4", f"words of clip {n}") for n in range(12)
]


def _programs() -> Path | None:
    """The folder of PostgreSQL's own programs."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


def _as_server_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root: its own user does."""
    return (
        ["runuser", "-u", "postgres", "--", *command] if os.name == "posix" and os.geteuid() == 0 else command
    )


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server's `postgres` database; skips where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here (package postgresql)")
    if os.geteuid() == 0 and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"consonance-postgresql-{os.getpid()}"
    folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*command: str) -> None:
        subprocess.run(
            _as_server_user([str(programs / command[0]), *command[1:]]),
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def database(postgresql: str) -> str:
    """The address of an empty database. Emptying one is quicker than making another."""
    address = sa.make_url(postgresql).set(drivername="postgresql+pg8000")
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    return postgresql


Make = Callable[..., Store]


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """A function that makes and opens a project; with it a test runs on both kinds of store."""
    opened: list[Store] = []

    def create(name: str = "project", **settings: Any) -> Store:
        if request.param == "postgresql":
            settings["store"] = request.getfixturevalue("database")
        store = Store.create(tmp_path / name, seed=7, **settings)
        opened.append(store)
        return store

    yield create
    for store in opened:
        store.close()


@pytest.fixture
def store(make: Make) -> Store:
    """A project with twelve clips of three films, on the scale [-3, 3], on both kinds of store."""
    store = make()
    store.add(CLIPS)
    return store


@pytest.fixture
def ada(store: Store) -> Rater:
    return store.rater("Ada", create=True)


@pytest.fixture
def bo(store: Store) -> Rater:
    return store.rater("Bo", create=True, lead=True)


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """The same in a file only."""
    with Store.create(tmp_path / "project", seed=7) as store:
        store.add(CLIPS)
        yield store
