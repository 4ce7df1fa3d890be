"""Killed, full, read-only, locked, broken, older, newer, shared: what was acknowledged is there."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.annotation import migrations
from core.annotation.acts import Act, perform, rate
from core.annotation.errors import (
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreTooNew,
    StoreUnreachable,
)
from core.annotation.rebuild import differences
from core.annotation.schema import VERSION, events, ratings
from core.annotation.store import NewClip, Store

CHILD = Path(__file__).with_name("rating_child.py")
CLIPS = [NewClip(f"film/{number}") for number in range(12)]


def child(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), str(folder), name, str(count)]
    root = str(Path(__file__).parents[3])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": root})


def killed(tmp_path: Path, tries: int) -> int:
    """Kill a rating program so many times, and look each time; the number of ratings acknowledged in all."""
    acknowledged: dict[int, tuple[int, float]] = {}
    folder = tmp_path / "project"
    with Store.create(folder, seed=1) as store:
        store.add(CLIPS)
    chance = random.Random(5)
    for _ in range(tries):
        process = child(folder, "Ada", 100_000)
        assert process.stdout is not None
        for _ in range(chance.randint(1, 60)):
            told = process.stdout.readline()
            event, clip, value = told.split()
            acknowledged[int(event)] = (int(clip), float(value))
        process.kill()
        for told in process.stdout.read().splitlines():
            if len(parts := told.split()) == 3:
                acknowledged[int(parts[0])] = (int(parts[1]), float(parts[2]))
        process.wait()
        process.stdout.close()
        with Store.open(folder) as store:
            with store.database.read() as connection:
                found = {e.id: (e.clip_id, e.value) for e in connection.execute(sa.select(events))}
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert acknowledged.items() <= found.items()
            assert differences(store) == []
    return len(acknowledged)


def test_a_kill_while_rating_loses_no_acknowledged_rating(tmp_path: Path) -> None:
    assert killed(tmp_path, 3) >= 3


@pytest.mark.soak
def test_fifty_kills_while_rating_lose_no_acknowledged_rating(tmp_path: Path) -> None:
    assert killed(tmp_path, 50) >= 50


def shared(make: Callable[..., Store], each: int) -> None:
    """Two programs rate the same clips at once."""
    store = make()
    store.add(CLIPS)
    programs = [child(store.folder, name, each) for name in ("Ada", "Bo")]
    told = [program.communicate()[0].splitlines() for program in programs]
    assert [program.returncode for program in programs] == [0, 0]
    assert [len(lines) for lines in told] == [each, each]
    with store.database.read() as connection:
        kept = set(connection.scalars(sa.select(events.c.id)))
        assert connection.scalar(sa.select(sa.func.count()).select_from(ratings)) == min(2 * each, 24)
    assert {int(line.split()[0]) for lines in told for line in lines} == kept
    assert len(kept) == 2 * each
    assert differences(store) == []


def test_two_programs_on_one_store_lose_nothing(make: Callable[..., Store]) -> None:
    shared(make, 60)


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_two_programs_lose_none_of_ten_thousand_ratings(make: Callable[..., Store]) -> None:
    shared(make, 5_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB; skips where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True, capture_output=True)
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def rated(store: Store) -> int:
    with store.database.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(events)) or 0


def test_a_full_disk_keeps_the_rating_for_another_try(small_disk: Path) -> None:
    with Store.create(small_disk / "project", seed=1) as store:
        store.add(CLIPS)
        ada = store.rater("Ada", create=True)
        rate(store, ada.id, 1, "text", 1.0)
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 4096))
        act, stored = None, 1
        for clip in range(2, 13):
            try:
                rate(store, ada.id, clip, "text", 2.0)
                stored += 1
            except StoreFull as error:
                act = error.act
                break
        assert act is not None
        assert rated(store) == stored, "what was there stays readable"
        filler.unlink()
        assert perform(store, act).value == 2.0
        assert rated(store) == stored + 1
        assert differences(store) == []


def test_a_disk_that_became_read_only_keeps_the_rating_for_another_try(small_disk: Path) -> None:
    with Store.create(small_disk / "project", seed=1) as store:
        store.add(CLIPS)
        ada = store.rater("Ada", create=True)
        rate(store, ada.id, 1, "text", 1.0)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, capture_output=True)
    with (
        pytest.raises((StoreReadOnly, StoreUnreachable)) as caught,
        Store.open(small_disk / "project") as store,
    ):
        rate(store, ada.id, 2, "text", 2.0)
    assert caught.value.retry
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True, capture_output=True)
    with Store.open(small_disk / "project") as store:
        assert rated(store) == 1
        rate(store, ada.id, 2, "text", 2.0)


def test_a_file_that_may_not_be_written_says_so(file_store: Store) -> None:
    ada = file_store.rater("Ada", create=True)
    place = file_store.folder / "annotations.sqlite"
    engine = sa.create_engine(f"sqlite:///file:{place}?mode=ro&uri=true")
    file_store.database.engine.dispose()
    sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
    file_store.database.engine = engine
    with pytest.raises(StoreReadOnly) as caught:
        rate(file_store, ada.id, 2, "text", 2.0)
    assert caught.value.act is not None


def test_a_store_that_is_locked_is_tried_again_without_loss(file_store: Store) -> None:
    ada = file_store.rater("Ada", create=True)
    other = sqlite3.connect(file_store.folder / "annotations.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Store.open(file_store.folder, patience=0.05) as store:
        assert store.count() == 12, "reading goes on"
        act = Act(ada.id, "rate", 3, "text", 2.0)
        with pytest.raises(StoreBusy) as caught:
            perform(store, act)
        assert caught.value.act == act
        other.execute("ROLLBACK")
        other.close()
        assert perform(store, act).event == perform(store, act).event
        assert rated(store) == 1


def test_a_newer_store_is_refused_and_left_alone(file_store: Store) -> None:
    with file_store.database.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO schema_version VALUES ({VERSION + 1}, 0.0)")
    file_store.close()
    place = file_store.folder / "annotations.sqlite"
    before = place.read_bytes()
    with pytest.raises(StoreTooNew, match=f"version {VERSION + 1}") as caught:
        Store.open(file_store.folder)
    assert not caught.value.retry
    assert place.read_bytes() == before
    assert not (file_store.folder / migrations.BACKUPS).exists()


def tables(store: Store) -> dict[str, list[str]]:
    with store.database.read() as connection:
        look = sa.inspect(connection)
        return {name: sorted(c["name"] for c in look.get_columns(name)) for name in look.get_table_names()}


def test_an_older_store_is_migrated_after_a_copy(make: Callable[..., Store]) -> None:
    store = make()
    store.add(CLIPS)
    ada = store.rater("Ada", create=True)
    rate(store, ada.id, 1, "text", 1.0)
    wanted = tables(store)
    with store.database.write() as connection:  # as version 1 left it
        connection.exec_driver_sql("DROP TABLE settled")
        connection.exec_driver_sql("DROP TABLE estimates")
        connection.exec_driver_sql("DELETE FROM schema_version WHERE version > 1")
        connection.exec_driver_sql("DELETE FROM schema_version")
        connection.exec_driver_sql("INSERT INTO schema_version VALUES (1, 0.0)")
    with Store.open(store.folder) as opened:
        assert migrations.version(opened.database) == VERSION
        assert tables(opened) == wanted
        assert rated(opened) == 1
    copies = list((store.folder / migrations.BACKUPS).glob("*version-1.sqlite"))
    if not store.database.postgresql:
        old = sqlite3.connect(copies[0])
        assert old.execute("SELECT max(version) FROM schema_version").fetchone() == (1,)
        assert old.execute("SELECT count(*) FROM events").fetchone() == (1,)
        old.close()


def test_five_copies_are_kept(file_store: Store) -> None:
    for _ in range(7):
        migrations.backup(file_store.database, "daily")
    assert len(list((file_store.folder / migrations.BACKUPS).iterdir())) == migrations.KEPT


def test_what_is_no_store_is_told(file_store: Store) -> None:
    file_store.close()
    place = file_store.folder / "annotations.sqlite"
    for leftover in file_store.folder.glob("annotations.sqlite-*"):
        leftover.unlink()
    place.write_bytes(b"not a store at all, only some words" * 300)
    with pytest.raises(StoreDamaged, match="no store"):
        Store.open(file_store.folder)
    place.unlink()
    with pytest.raises(StoreUnreachable, match="not there"):
        Store.open(file_store.folder)
    sqlite3.connect(place).close()
    with pytest.raises(StoreDamaged, match="no annotations"):
        Store.open(file_store.folder)


def test_a_server_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("pg8000")
    address = "postgresql://tester:secret@127.0.0.1:1/none"
    with pytest.raises(StoreError) as caught:
        Store.create(tmp_path / "project", store=address)
    assert isinstance(caught.value, StoreUnreachable)
    assert "secret" not in caught.value.message
