"""The journal on SQLite: write-ahead log, ``synchronous=FULL``, one writer, one transaction a group.

Personal fields are sealed with AES-256-GCM under a key for their retention class and the UTC day on which the event was
received, bound to the event's number and type; equal values are found by a keyed digest. Destroying a key erases
them, while the events stay.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag

from hub.core.clock import Clock
from hub.core.error import StorageFailed
from hub.core.event import Event, EventTypes
from hub.core.journal import Put, Query, Record, Snapshot
from hub.store.daykeys import DayKeys, day_of
from hub.store.driver import SQLITE, Connection, Driver, failure
from hub.store.erase import erase
from hub.store.files import FolderLock, make_folder
from hub.store.keys import KeyRing
from hub.store.query import select
from hub.store.readers import Readers, too_much
from hub.store.rows import bound_record, bound_snapshot, dump, event_of, event_rows, load
from hub.store.schema import open_writer

log = logging.getLogger(__name__)

SNAPSHOT_CLASS: Final = "snapshot"
SNAPSHOTS_KEPT: Final = 2
MAX_SCANNED: Final = 200_000  # events compared one by one for one question

_INSERT_EVENT: Final = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
_INSERT_DIGEST: Final = "INSERT OR IGNORE INTO digests VALUES (?,?,?)"
_MERGE_SPAN: Final = (
    "INSERT INTO spans VALUES (?,?,?) ON CONFLICT (hour) DO UPDATE "
    "SET first = min(first, excluded.first), last = max(last, excluded.last)"
)
_PUT_RECORD: Final = "INSERT OR REPLACE INTO records VALUES (?,?,?,?,?)"
_DROP_RECORD: Final = "DELETE FROM records WHERE tbl = ? AND id = ?"


class SqliteJournal:
    """A ``Journal`` in the file ``path``, whose folder no other hub may write at the same time.

    ``Conflict`` when another one does; ``StorageFailed`` when the file is from another version, damaged, or sealed
    under another master key.
    """

    inline = False

    def __init__(self, path: Path, types: EventTypes, keys: KeyRing, clock: Clock, *, driver: Driver = SQLITE) -> None:
        self.path = path
        self._types, self._ring, self._clock, self._driver = types, keys, clock, driver
        self._keys = DayKeys(keys)
        self._lock = threading.RLock()  # around the writing connection
        make_folder(path.parent)
        self._folder_lock = FolderLock(path.parent)
        self._closed = False
        self._db: Connection | None = None
        self._readers = Readers(driver, path)
        try:
            with self._writing("open") as db:
                self._last = int(db.execute("SELECT ifnull(max(seq), 0) FROM events").fetchall()[0][0])
        except BaseException:
            self.close()
            raise

    # --- writing

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        """Make a group durable; ``StorageFailed`` means that nothing of it is."""
        with self._transaction() as db:
            if events:
                rows = event_rows(events, self._types, lambda kind, day: self._keys.writing(db, kind, day))
                db.executemany(_INSERT_EVENT, rows.events)
                if rows.digests:
                    db.executemany(_INSERT_DIGEST, rows.digests)
                for hour, (first, last) in rows.spans.items():
                    db.execute(_MERGE_SPAN, (hour, first, last))
            for record in records:
                self._write_record(db, record)
        if events:
            self._last = events[-1].seq

    def _write_record(self, db: Connection, record: Record) -> None:
        if not isinstance(record, Put):
            db.execute(_DROP_RECORD, (record.table, record.key))
        elif record.sealed is None:
            db.execute(_PUT_RECORD, (record.table, record.key, dump(record.value), None, None))
        else:
            key = self._keys.writing(db, record.sealed, day_of(self._clock.now()))
            sealed = key.seal(dump(record.value).encode(), bound_record(record.table, record.key))
            db.execute(_PUT_RECORD, (record.table, record.key, None, key.id, sealed))

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._writing("write") as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                self._keys.forget()  # one of them may have been made in what is lost now
                self._roll_back(db)
                raise

    def _roll_back(self, db: Connection) -> None:
        try:
            db.execute("ROLLBACK")
        except self._driver.error as fault:
            if "no transaction" not in str(fault):  # SQLite has rolled back by itself
                log.warning("the journal's connection is opened anew: %s", fault)
                self._drop_writer()

    @contextmanager
    def _writing(self, what: str) -> Iterator[Connection]:
        with self._lock:
            if self._closed:
                raise StorageFailed("the journal is closed", where=str(self.path))
            if self._db is None:
                self._db = open_writer(self._driver, self.path, self._ring)
            try:
                yield self._db
            except self._driver.error as fault:
                log.error("could not %s %s: %s", what, self.path, fault)
                raise failure(fault, self.path) from fault

    def _drop_writer(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(self._driver.error):  # what was acknowledged is in the log already
                db.close()

    # --- reading

    def last_seq(self) -> int:
        """The newest committed sequence number; 0 for none."""
        return self._last

    def read(self, query: Query) -> list[Event]:
        """Committed events in ascending order (descending when ``newest``); erased personal fields are ``None``.

        ``LimitExceeded`` when too many events would have to be compared.
        """
        found: list[Event] = []
        if query.limit <= 0:
            return found
        with self._readers.reading() as db:
            sql, values = select(query, self._types, lambda: self._keys.live(db))
            rows = db.execute(sql, values)
            try:
                for scanned, row in enumerate(rows):
                    if scanned - len(found) >= MAX_SCANNED:
                        raise too_much()
                    event = event_of(row, self._types, lambda number: self._keys.reading(db, number))
                    if not query.match or query.accepts(event):
                        found.append(event)
                        if len(found) == query.limit:
                            break
            finally:
                rows.close()
        return found

    def records(self, table: str, after: str | None = None, limit: int | None = None) -> list[tuple[str, Any]]:
        """The records of a table, ordered by key; records whose key was destroyed are left out. ``after``: only those
        behind that key; ``limit``: only the first so many of them."""
        found: list[tuple[str, Any]] = []
        with self._readers.reading() as db:
            behind = "id > ?" if after is not None else "id >= ?"
            sql = f"SELECT id, value, key, sealed FROM records WHERE tbl = ? AND {behind} ORDER BY id LIMIT ?"  # noqa: S608
            wanted = (table, after or "", -1 if limit is None else limit)
            for name, value, number, sealed in db.execute(sql, wanted).fetchall():
                if number is None:
                    found.append((name, load(value)))
                elif (key := self._keys.reading(db, number)) is not None:
                    found.append((name, load(self._opened(key.open, sealed, bound_record(table, name), table))))
        return found

    def _opened(self, opener: Any, sealed: bytes, bound: bytes, where: str) -> bytes:
        try:
            return bytes(opener(sealed, bound))
        except InvalidTag:
            raise StorageFailed(
                "a sealed record was changed in the database", where=where, hint="restore the last backup"
            ) from None

    # --- snapshots

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, sealed; the two newest stay."""
        with self._transaction() as db:
            key = self._keys.writing(db, SNAPSHOT_CLASS, day_of(self._clock.now()))
            sealed = key.seal(dump(snapshot.entities).encode(), bound_snapshot(snapshot.seq))
            db.execute("INSERT OR REPLACE INTO snapshots VALUES (?,?,?)", (snapshot.seq, key.id, sealed))
            keep = "SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?"
            db.execute(f"DELETE FROM snapshots WHERE seq NOT IN ({keep})", (SNAPSHOTS_KEPT,))  # noqa: S608 - constant

    def load_snapshot(self) -> Snapshot | None:
        """The newest usable snapshot."""
        with self._readers.reading() as db:
            last = int(db.execute("SELECT ifnull(max(seq), 0) FROM events").fetchall()[0][0])
            for seq, number, sealed in db.execute("SELECT * FROM snapshots ORDER BY seq DESC").fetchall():
                key = self._keys.reading(db, number)
                if key is None or seq > last:
                    continue
                try:
                    return Snapshot(seq, load(key.open(sealed, bound_snapshot(seq))))
                except (InvalidTag, ValueError):
                    log.error("the snapshot of event %d is damaged; an older one or the events serve", seq)
        return None

    # --- keys, end

    def destroy_keys(self, retention_class: str, before_day: str) -> list[dict[str, Any]]:
        """Destroy the class's keys of all days before ``before_day`` (ISO 8601); one receipt for each key.

        What they sealed reads as ``None`` from now on, its digests and records are removed, and so are the
        snapshots, which may hold copies of it.
        """
        with self._lock:
            with self._transaction() as db:
                receipts = erase(db, retention_class, before_day, self._clock.now())
            self._keys.forget()
            if receipts:
                with self._writing("fold the log of") as db:
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the log still held the keys
        return receipts

    def receipts(self) -> list[dict[str, Any]]:
        """The receipts of all destroyed keys, in order."""
        with self._readers.reading() as db:
            rows = db.execute("SELECT receipt FROM keys WHERE receipt IS NOT NULL ORDER BY id").fetchall()
        return [load(row[0]) for row in rows]

    def close(self) -> None:
        """Finish; harmless when done already."""
        with self._lock:
            self._closed = True
            self._readers.close()
            self._drop_writer()
            self._folder_lock.close()
