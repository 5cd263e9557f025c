"""A full, locked or failing disk: plain words, nothing acknowledged is lost, and it works again afterwards."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.core.error import StorageFailed
from hub.core.event import Draft, EventTypes
from hub.core.ids import Ids
from hub.core.journal import Query, Snapshot
from hub.core.pipeline import Pipeline
from hub.store.driver import SQLITE, Driver
from hub.store.journal_sqlite import SqliteJournal
from hub.store.space import MIB, DiskWatch, Level, Limits
from tests.store.kit import event, group, open_journal, types


def fill(journal: SqliteJournal, first: int) -> int:
    """Commit until it fails; the last acknowledged number."""
    for number in range(first, first + 100_000, 100):
        try:
            journal.commit(*group(number, 100))
        except StorageFailed as failed:
            assert str(failed).endswith("the disk is full (free space on this disk; alarms use the reserve until then)")
            return number - 1
    raise AssertionError("the disk never filled")


def check(journal: SqliteJournal, last: int) -> None:
    assert journal.last_seq() == last
    assert journal.read(Query(limit=1_000_000)) == [event(seq) for seq in range(1, last + 1)]
    assert journal.records("progress") == [("last", last)] == journal.records("secret")


class Opened:
    """Remembers the connections it made, to set limits on them."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.driver = Driver(self._connect, sqlite3.Error)

    def _connect(self, path: Path) -> Any:
        self.made.append(SQLITE.connect(path))
        return self.made[-1]


def test_a_full_database(tmp_path: Path) -> None:
    opened = Opened()
    journal = open_journal(tmp_path, driver=opened.driver)
    opened.made[0].execute("PRAGMA max_page_count = 100")
    last = fill(journal, 1)
    assert last > 500
    check(journal, last)
    with pytest.raises(StorageFailed, match="the disk is full"):
        journal.save_snapshot(Snapshot(last, [{"entity": "x" * 400_000}]))
    opened.made[0].execute("PRAGMA max_page_count = 1000000")
    journal.commit(*group(last + 1, 100))
    check(journal, last + 100)
    journal.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs here: {mounted.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_and_the_reserve(small_disk: Path) -> None:
    limits = Limits(shed_telemetry=3 * MIB, shed_recordings=2 * MIB, emergency=MIB, reserve=MIB)
    space = DiskWatch(small_disk, limits)
    assert (space.level, space.reserve.stat().st_size) == (Level.OK, MIB)
    journal = open_journal(small_disk)
    last = fill(journal, 1)
    check(journal, last)
    assert space.check() is Level.EMERGENCY
    assert not space.reserve.exists()
    alarms = last + 100
    for number in range(last + 1, alarms, 10):  # the reserve carries the alarms
        journal.commit(*group(number, 10))
    check(journal, alarms)
    last = fill(journal, alarms + 1)
    journal.close()  # a full disk does not hinder the end, nor the next start
    journal = open_journal(small_disk)
    check(journal, last)
    subprocess.run(["mount", "-o", "remount,size=40m", small_disk], check=True)
    journal.commit(*group(last + 1, 100))
    check(journal, last + 100)
    assert space.check() is Level.OK
    assert space.reserve.stat().st_size == MIB
    journal.close()


class Failing:
    """A connection on which chosen statements fail."""

    def __init__(self, db: Any, fails: Callable[[str], str | None]) -> None:
        self._db, self._fails = db, fails

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        if words := self._fails(sql):
            raise sqlite3.OperationalError(words)
        return self._db.execute(sql, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def test_a_connection_that_cannot_roll_back_is_opened_anew(tmp_path: Path) -> None:
    broken: list[str] = []

    def fails(sql: str) -> str | None:
        return "disk I/O error" if sql in broken else None

    driver = Driver(lambda path: Failing(SQLITE.connect(path), fails), sqlite3.Error)
    journal = open_journal(tmp_path, driver=driver)
    journal.commit(*group(1, 3))
    for broken[:] in (["COMMIT"], ["COMMIT", "ROLLBACK"], ["BEGIN IMMEDIATE"]):
        with pytest.raises(StorageFailed, match=r"could not be read or written \(look at the disk's health"):
            journal.commit(*group(4, 3))
        broken.clear()
        check(journal, 3)
    journal.commit(*group(4, 3))
    check(journal, 6)
    journal.close()


def test_a_key_made_in_a_lost_transaction_is_not_used_again(tmp_path: Path) -> None:
    failing = [True]
    driver = Driver(
        lambda path: Failing(
            SQLITE.connect(path), lambda sql: "disk I/O error" if sql == "COMMIT" and failing[0] else None
        ),
        sqlite3.Error,
    )
    failing[0] = False
    journal = open_journal(tmp_path, driver=driver)
    failing[0] = True
    with pytest.raises(StorageFailed):
        journal.commit(*group(1, 3))  # would make the day's key
    failing[0] = False
    journal.commit(*group(1, 3))
    journal.close()
    journal = open_journal(tmp_path)
    check(journal, 3)
    journal.close()


def test_a_locked_database(tmp_path: Path) -> None:
    driver = Driver(
        lambda path: sqlite3.connect(path, timeout=0.02, isolation_level=None, check_same_thread=False), sqlite3.Error
    )
    journal = open_journal(tmp_path, driver=driver)
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFailed, match=r"in use by another program \(close the other program\)"):
        journal.commit(*group(1, 3))
    other.execute("ROLLBACK")
    other.close()
    journal.commit(*group(1, 3))
    check(journal, 3)
    journal.close()


async def test_through_the_pipeline(tmp_path: Path) -> None:
    opened = Opened()
    journal = open_journal(tmp_path, driver=opened.driver)
    kinds: EventTypes = types()
    clock = journal._clock
    pipeline = Pipeline(journal, kinds, clock, Ids(clock))
    await pipeline.start()
    told: list[str] = []
    pipeline.on_storage_failure.append(lambda failure: told.append(failure.message))

    def draft(number: int, size: int = 0) -> Draft:
        return Draft("lamp_seen", {"state": "x" * size, "watts": number}, "test", f"lamp.l{number}")

    assert (await pipeline.submit(draft(1))).seq == 1
    opened.made[0].execute("PRAGMA max_page_count = 40")
    with pytest.raises(StorageFailed, match="the disk is full"):
        await pipeline.submit(draft(2, 1_000_000))
    assert told == ["the disk is full"]
    assert pipeline.state.get("lamp.l2") is None
    assert [e.data["watts"] for e in journal.read(Query())] == [1]
    opened.made[0].execute("PRAGMA max_page_count = 1000000")
    assert (await pipeline.submit(draft(3))).seq == 2
    assert [e.entity for e in journal.read(Query())] == ["lamp.l1", "lamp.l3"]
    await pipeline.stop()
    journal.close()
