"""Personal fields: unreadable in the file, found by digest, gone when their day's key is destroyed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hub.core.clock import ManualClock
from hub.core.error import StorageFailed
from hub.core.event import Event
from hub.core.journal import Put, Query, Snapshot
from hub.core.state import State
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.store.kit import DAY, NOON, event, open_journal, types


def car(seq: int, day: int, plate: str) -> Event:
    data: dict[str, Any] = {"plate": plate, "province": "สุโขทัย", "words": {"note": "รถหาย"}, "speed": seq / 4}
    return event(seq, "car_seen", received=NOON + day * DAY, entity=f"camera.c{seq}", data=data)


def erased(one: Event) -> Event:
    return one._replace(data={**one.data, "plate": None, "province": None, "words": None})


def raw_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


CARS = [car(1, 0, "กข1234"), car(2, 0, "ขค5678"), car(3, 1, "กข1234"), car(4, 2, "กข1234")]
SECRETS = ("กข1234", "ขค5678", "สุโขทัย", "รถหาย", "ลับมาก")


def filled(folder: Path) -> SqliteJournal:
    """Cars of three days, a sealed record of the first day, a snapshot of the third."""
    clock = ManualClock(NOON)
    journal = open_journal(folder, clock=clock)
    journal.commit(CARS[:2], [Put("watch", "a", "ลับมาก", sealed="plates"), Put("watch", "b", "open")])
    clock.advance(DAY)
    journal.commit([CARS[2]], [Put("watch", "c", "ลับมาก 2", sealed="plates")])
    clock.advance(DAY)
    journal.commit([CARS[3], event(5, "lamp_seen", received=NOON + 2 * DAY)], [])
    state = State(types())
    for one in journal.read(Query()):
        state.apply(one)
    journal.save_snapshot(Snapshot(5, state.dump()))
    return journal


def test_the_files_hold_no_personal_text(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    live = raw_bytes(tmp_path)
    journal.close()
    for found in (live, raw_bytes(tmp_path)):
        assert b"camera.c1" in found
        assert [word for word in SECRETS if word.encode() in found] == []
        # nor as JSON escapes or UTF-16
        assert [
            word for word in SECRETS if word.encode("utf-16-le") in found or ascii(word)[1:-1].encode() in found
        ] == []


def test_found_by_digest_on_all_days(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    assert journal.read(Query(type="car_seen", match={"plate": "กข1234"})) == [CARS[0], CARS[2], CARS[3]]
    assert journal.read(Query(type="car_seen", match={"plate": "กข1234"}, newest=True, limit=1)) == [CARS[3]]
    assert journal.read(Query(type="car_seen", match={"plate": "ขค5678", "province": "สุโขทัย"})) == [CARS[1]]
    assert journal.read(Query(type="car_seen", match={"province": "กข1234"})) == []
    assert journal.read(Query(match={"plate": "ขค5678"})) == [CARS[1]]
    journal.close()


def test_destroyed_keys_take_the_fields_the_digests_the_records_and_the_snapshots(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        wrapped = [row[0] for row in raw.execute("SELECT wrapped FROM keys WHERE class = 'plates' ORDER BY day")]
    raw.close()
    receipts = journal.destroy_keys("plates", "2027-01-17")
    at = NOON + 2 * DAY
    assert receipts == [
        {"class": "plates", "day": "2027-01-15", "destroyed_at": at, "events": 2, "records": 1, "snapshots": 1},
        {"class": "plates", "day": "2027-01-16", "destroyed_at": at, "events": 1, "records": 1, "snapshots": 0},
    ]
    assert journal.destroy_keys("plates", "2027-01-17") == []
    found = raw_bytes(tmp_path)
    assert [key in found for key in wrapped] == [False, False, True]  # nor in the log or in free pages
    for _ in range(2):  # before and after a restart
        assert journal.read(Query(limit=4)) == [erased(CARS[0]), erased(CARS[1]), erased(CARS[2]), CARS[3]]
        assert journal.read(Query(type="car_seen", match={"plate": "กข1234"})) == [CARS[3]]
        assert journal.records("watch") == [("b", "open")]
        assert journal.load_snapshot() is None
        assert journal.receipts() == receipts
        state = State(types())
        for one in journal.read(Query()):
            state.apply(one)
        lately = state.get("camera.c4")
        gone = state.get("camera.c1")
        assert lately is not None
        assert gone is not None
        assert (lately.attributes, gone.attributes) == (
            {"plate": "กข1234", "speed": 1.0}, {"plate": None, "speed": 0.25},
        )  # fmt: skip
        journal.close()
        journal = open_journal(tmp_path, clock=ManualClock(at))
    # the clock is set back to a day whose key is gone: the day gets another key, and the old fields stay erased
    journal.commit([car(6, 0, "งจ9")], [])
    assert journal.read(Query(after=5)) == [car(6, 0, "งจ9")]
    assert journal.read(Query(limit=1)) == [erased(CARS[0])]
    journal.close()


def test_keys_without_events_leave_other_snapshots_alone(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    journal.commit([], [Put("audit_detail", "1", "who", sealed="audit")])
    assert journal.destroy_keys("audit", "2030-01-01")[0]["snapshots"] == 0
    assert journal.records("audit_detail") == []
    assert journal.load_snapshot() is not None
    assert journal.destroy_keys("snapshot", "2030-01-01")[0]["snapshots"] == 1
    assert journal.load_snapshot() is None
    journal.close()


def test_sealed_fields_cannot_be_moved_to_another_event(tmp_path: Path) -> None:
    filled(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        raw.execute("UPDATE events SET sealed = (SELECT sealed FROM events WHERE seq = 1) WHERE seq = 2")
    raw.close()
    journal = open_journal(tmp_path)
    with pytest.raises(StorageFailed, match="car_seen: event 2 was changed in the database"):
        journal.read(Query())
    journal.close()


def test_another_master_key_is_refused_at_once(tmp_path: Path) -> None:
    filled(tmp_path).close()
    with pytest.raises(StorageFailed, match="the master key does not fit this database"):
        SqliteJournal(tmp_path / "journal.db", types(), KeyRing(bytes(32)), ManualClock(NOON))
    open_journal(tmp_path).close()  # the right one still opens it, and the folder is not locked


def test_the_master_key_file(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = KeyRing.open(folder / "master.key")
    path = folder / "master.key"
    assert (path.stat().st_mode & 0o777, path.stat().st_size, [p.name for p in folder.iterdir()]) == (
        0o600, 32, ["master.key"],
    )  # fmt: skip
    wrapped = first.wrap(b"k" * 32, b"plates")
    assert KeyRing.open(folder / "master.key").unwrap(wrapped, b"plates") == b"k" * 32
    with pytest.raises(StorageFailed, match="does not fit"):
        first.unwrap(wrapped, b"actions")
    path.chmod(0o640)
    with pytest.raises(StorageFailed, match=r"others may read the master key \(chmod 600"):
        KeyRing.open(folder / "master.key")
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(StorageFailed, match="is not a master key"):
        KeyRing.open(folder / "master.key")
    assert path.read_bytes() == b"short"  # never replaced: what it sealed would be lost
