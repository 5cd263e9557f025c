"""The journal on SQLite: every field comes back, every question gets what ``Query.accepts`` says, faults have words."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.clock import ManualClock
from hub.core.error import Conflict, LimitExceeded, StorageFailed
from hub.core.event import EventType, EventTypes
from hub.core.journal import Drop, MemoryJournal, Put, Query, Snapshot
from hub.store import journal_sqlite
from hub.store.backup import copy_journal
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from hub.store.query import select
from hub.store.rows import dump, load
from tests.store.kit import DAY, NOON, CarSeen, LampSeen, event, open_journal, types


def test_every_field_comes_back(tmp_path: Path) -> None:
    wrote = [
        event(1, "lamp_seen", entity=None, cause="why", depth=3, source="user:สมชาย"),
        event(2, "car_seen", received=NOON + 1 / 3),
        event(3, "car_seen", data={"plate": None, "speed": 1e300}),
        event(4, "unheard_of", data={"deep": [{"ก": [1, 2.5, None, True, ""]}], "plate": "open here"}, version=7),
        event(5, "lamp_seen", data={}),
        event(6, "lamp_seen", data={"state": "\ud800", "watts": 1 << 80}),  # what JSON can hold and orjson refuses
    ]
    journal = open_journal(tmp_path)
    journal.commit(wrote[:4], [])
    journal.commit(wrote[4:], [])
    assert journal.read(Query()) == wrote
    journal.close()
    again = open_journal(tmp_path)
    assert again.read(Query()) == wrote
    assert again.last_seq() == 6
    again.close()


def test_records(journal: SqliteJournal) -> None:
    journal.commit([], [Put("t", "b", {"x": [1]}), Put("t", "a", None), Put("t", "c", "ลับ", sealed="plates")])
    assert journal.records("t") == [("a", None), ("b", {"x": [1]}), ("c", "ลับ")]
    journal.commit(
        [], [Drop("t", "a"), Drop("t", "nothing"), Put("t", "b", 2), Put("t", "c", "open"), Put("u", "a", 1)]
    )
    assert journal.records("t") == [("b", 2), ("c", "open")]
    assert journal.records("nowhere") == []
    assert journal.last_seq() == 0


def test_snapshots_two_are_kept_and_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.commit([event(seq) for seq in range(1, 10)], [])
    for seq in (3, 5, 7):
        journal.save_snapshot(Snapshot(seq, [{"entity": "camera.c1", "plate": f"at {seq}"}]))
    assert journal.load_snapshot() == Snapshot(7, [{"entity": "camera.c1", "plate": "at 7"}])
    journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        assert raw.execute("SELECT seq FROM snapshots ORDER BY seq").fetchall() == [(5,), (7,)]
        raw.execute("UPDATE snapshots SET sealed = zeroblob(40) WHERE seq = 7")
    raw.close()
    journal = open_journal(tmp_path)
    assert journal.load_snapshot() == Snapshot(5, [{"entity": "camera.c1", "plate": "at 5"}])
    journal.close()


# --- questions

HISTORY = [
    event(
        seq,
        # the clock was set back by three hours at event 40
        received=NOON + 300 * seq - (10_800 if seq >= 40 else 0),
        cause=f"id{seq - 1}" if seq % 4 == 0 else None,
        entity=None if seq % 9 == 0 else f"camera.c{seq % 3}",
    )
    for seq in range(1, 90)
]
MATCHES: dict[str, list[Any]] = {
    "plate": ["กท0", "กท3", "none", None], "province": ["สุโขทัย", "x"], "state": ["on", "off"], "nothing": [None, 1],
    "watts": [0.5, 1, 1.0, True], "speed": [3.0, 3], "words": [{"note": "note 12"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> SqliteJournal:
    """A journal with ``HISTORY``."""
    journal = open_journal(tmp_path_factory.mktemp("told"))
    for first in range(0, len(HISTORY), 20):
        journal.commit(HISTORY[first : first + 20], [])
    return journal


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_question_gets_what_accepts_says(told: SqliteJournal, data: st.DataObject) -> None:
    memory = MemoryJournal()
    memory.commit(HISTORY, [])

    def maybe(*values: Any) -> Any:
        return data.draw(st.one_of(st.none(), st.sampled_from(values)))

    names = data.draw(st.lists(st.sampled_from(sorted(MATCHES)), max_size=2, unique=True))
    query = Query(
        type=maybe("lamp_seen", "car_seen", "unheard_of"),
        entity=maybe("camera.c0", "camera.c1", "camera.c9"),
        cause=maybe("id3", "id11", "id2"),
        after=data.draw(st.sampled_from([0, 0, 10, 50, 1 << 70])),
        before=maybe(5, 60, 1000, 1 << 70),
        since=maybe(NOON, NOON + 3_600, NOON + 7_000.5, NOON - 9_000, NOON + 1e6),
        until=maybe(NOON, NOON + 3_600, NOON + 7_200, NOON + 1e6),
        match={name: data.draw(st.sampled_from(MATCHES[name])) for name in names},
        limit=data.draw(st.sampled_from([1, 5, 100])),
        newest=data.draw(st.booleans()),
    )
    assert told.read(query) == memory.read(query)


def plan(journal: SqliteJournal, query: Query) -> str:
    with journal._readers.reading() as db:
        sql, values = select(query, journal._types, lambda: journal._keys.live(db))
        return " | ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(type="car_seen", entity="camera.c1"), "events_entity (entity=?"),
        (Query(type="car_seen", newest=True), "events_type (type=? AND rowid>?"),
        (Query(cause="x", type="car_seen"), "events_cause (cause=?"),
        (Query(type="car_seen", match={"plate": "กท1"}), "INTEGER PRIMARY KEY (rowid=?"),
        (Query(after=7), "INTEGER PRIMARY KEY (rowid>?"),
    ],
)
def test_questions_use_an_index_and_sort_nothing(told: SqliteJournal, query: Query, index: str) -> None:
    found = plan(told, query)
    assert index in found
    assert "TEMP B-TREE" not in found
    if query.match:
        assert "SEARCH d USING PRIMARY KEY (key=? AND digest=?)" in found


def test_a_question_that_reads_too_much_is_refused(told: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_sqlite, "MAX_SCANNED", 20)
    words = "name an event type, an entity or a shorter time"
    with pytest.raises(LimitExceeded, match=words):
        told.read(Query(match={"words": {"note": "nowhere"}}))
    assert [e.seq for e in told.read(Query(match={"words": {"note": "note 12"}}, limit=1))] == [12]
    monkeypatch.setattr("hub.store.readers.STEP", 100)
    monkeypatch.setattr("hub.store.readers.BUDGET", 50)
    fresh = type(told._readers)(told._driver, told.path)
    with pytest.raises(LimitExceeded, match=words), fresh.reading() as db:
        db.execute("SELECT count(*) FROM events a, events b").fetchall()
    with fresh.reading() as db:  # the next question has its own budget
        assert db.execute("SELECT sum(depth) FROM events").fetchall() == [(0,)]
    fresh.close()


def test_readers_work_beside_the_writer(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    faults: list[object] = []
    finished = threading.Event()

    def read_on() -> None:
        while not finished.is_set():
            found = journal.read(Query(limit=10_000))
            if [e.seq for e in found] != list(range(1, len(found) + 1)) or len(found) % 10:
                faults.append(found)

    threads = [threading.Thread(target=read_on) for _ in range(6)]
    for thread in threads:
        thread.start()
    for first in range(1, 500, 10):
        journal.commit([event(seq) for seq in range(first, first + 10)], [])
    finished.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(journal.read(Query(limit=10_000))) == 500
    journal.close()


# --- versions of event types


def _doubled(data: dict[str, Any]) -> dict[str, Any]:
    return {"mode": data["state"], "milliwatts": data["watts"] * 1000}


def _refused(data: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("watts")


def newer(upcast: Callable[[dict[str, Any]], dict[str, Any]]) -> EventTypes:
    kind: EventType = replace(LampSeen.type, version=2, upcasts={1: upcast})
    return EventTypes((kind, CarSeen.type))


def test_old_events_are_brought_to_the_types_version(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.commit([event(1), event(3)], [])
    journal.close()
    journal = SqliteJournal(tmp_path / "journal.db", newer(_doubled), KeyRing(bytes(range(32))), ManualClock(NOON))
    assert journal.read(Query()) == [
        event(1)._replace(version=2, data={"mode": "on", "milliwatts": 125.0}), event(3)
    ]  # fmt: skip
    assert [e.seq for e in journal.read(Query(type="lamp_seen", match={"mode": "on"}))] == [1]
    assert journal.read(Query(type="lamp_seen", match={"state": "on"})) == []
    journal.close()
    journal = SqliteJournal(tmp_path / "journal.db", newer(_refused), KeyRing(bytes(range(32))), ManualClock(NOON))
    with pytest.raises(StorageFailed, match=r"lamp_seen: event 1 cannot be brought from version 1 to 2: KeyError"):
        journal.read(Query())
    journal.close()


# --- faults with words


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    open_journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        raw.execute("PRAGMA user_version = 2")
    raw.close()
    with pytest.raises(StorageFailed, match=r"schema 2; this hub knows 1\) \(run the hub that wrote it"):
        open_journal(tmp_path)


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + bytes(range(256)) * 20])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal.db").write_bytes(content)
    for _ in range(2):  # the folder's lock is free again after the first
        with pytest.raises(StorageFailed, match="restore"):
            open_journal(tmp_path)
    assert (tmp_path / "journal.db").read_bytes() == content


def test_two_hubs_never_write_one_folder(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    with pytest.raises(Conflict, match=rf"another hub \(process {os.getpid()}\) writes this data folder"):
        open_journal(tmp_path)
    script = "from pathlib import Path; from hub.store.files import FolderLock; FolderLock(Path({!r}))"
    command = [sys.executable, "-c", script.format(str(tmp_path))]
    root = Path(__file__).parents[2]
    other = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert f"another hub (process {os.getpid()})" in other.stderr
    journal.close()
    assert subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stderr == ""


def test_a_group_that_cannot_be_written_leaves_nothing(journal: SqliteJournal) -> None:
    journal.commit([event(1)], [Put("t", "a", 1)])
    with pytest.raises(StorageFailed, match=r"UNIQUE constraint failed: events\.seq"):
        journal.commit([event(2), event(1)], [Put("t", "a", 2)])
    assert (journal.last_seq(), journal.records("t")) == (1, [("a", 1)])
    journal.commit([event(2)], [])
    assert journal.read(Query()) == [event(1), event(2)]


def test_a_closed_journal_says_so(journal: SqliteJournal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(StorageFailed, match="the journal is closed"):
        journal.commit([event(1)], [])
    with pytest.raises(StorageFailed, match="the journal is closed"):
        journal.read(Query())


def test_how_the_writer_is_set(journal: SqliteJournal) -> None:
    found = {
        name: journal._db.execute(f"PRAGMA {name}").fetchall()[0][0]  # type: ignore[union-attr]
        for name in ("journal_mode", "synchronous", "secure_delete", "user_version")
    }
    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "user_version": 1}


def test_a_backup_is_whole_while_the_hub_writes_on(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "live")
    journal.commit([event(seq) for seq in range(1, 50)], [Put("t", "a", "ลับ", sealed="plates")])
    (tmp_path / "copy").mkdir()
    copy_journal(journal.path, tmp_path / "copy" / "journal.db")
    with pytest.raises(StorageFailed):
        copy_journal(journal.path, tmp_path / "copy" / "journal.db")  # never over another file
    journal.commit([event(50)], [])
    copy = open_journal(tmp_path / "copy")
    assert copy.read(Query()) == [event(seq) for seq in range(1, 50)]
    assert copy.records("t") == [("a", "ลับ")]
    copy.close()
    journal.close()


def test_days_are_utc(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    journal = open_journal(tmp_path, clock=clock)
    midnight = NOON + DAY / 2
    journal.commit([event(3, received=midnight - 0.001), event(6, received=midnight)], [])
    journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        found = raw.execute("SELECT class, day FROM keys ORDER BY id").fetchall()
        stored = raw.execute("SELECT body FROM events WHERE seq = 3").fetchall()
    raw.close()
    assert found == [("plates", "2027-01-15"), ("plates", "2027-01-16")]
    assert json.loads(stored[0][0]) == {"plate": None, "province": None, "words": None, "speed": 0.75}
    assert types().get("car_seen") is CarSeen.type


def test_a_page_of_records(journal: SqliteJournal) -> None:
    journal.commit([], [Put("t", key, key.upper(), sealed="plates" if key == "c" else None) for key in "abcde"])
    assert journal.records("t", limit=2) == [("a", "A"), ("b", "B")]
    assert journal.records("t", after="b", limit=2) == [("c", "C"), ("d", "D")]
    assert journal.records("t", after="d") == [("e", "E")]
    assert journal.records("t", after="e") == journal.records("t", limit=0) == []


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a": {1}}, {"a": [1]}), ({(1, 2): "x"}, {"(1, 2)": "x"}), ({"a": 2**70}, {"a": 2**70}),
        ({"a": object}, {"a": "<class 'object'>"}), ({"a": "\ud800"}, {"a": "\ud800"}),
    ],
)  # fmt: skip
def test_whatever_is_written_is_json(value: Any, kept: Any) -> None:
    assert load(dump(value)) == kept


def test_what_holds_itself_is_cut() -> None:
    value: list[Any] = []
    value.append(value)
    assert load(dump(value))[0][0][0]
