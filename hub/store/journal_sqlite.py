"""The journal on SQLite: one group is one transaction; personal fields are sealed; nothing is acknowledged before
the disk has it (WAL, ``synchronous=FULL``)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from hub.core.clock import Clock
from hub.core.error import StorageFailed
from hub.core.event import Event, EventType, EventTypes
from hub.core.journal import Put, Query, Record, Snapshot
from hub.store import schema
from hub.store.connection import Connect, Connection, FolderLock, Readers, connect_sqlite
from hub.store.keys import KeyRing
from hub.store.query import search
from hub.store.sealing import DataKeys

KEEP_SNAPSHOTS = 2
SNAPSHOT_CLASS = "snapshot"
_COLUMNS = "seq,id,type,entity,at,received,source,cause,depth,version,body,data_key,sealed"


class SqliteJournal:
    """Implements ``Journal``. ``commit`` and ``save_snapshot`` on one thread at a time, the readers on any."""

    inline = False

    def __init__(
        self, path: Path, types: EventTypes, ring: KeyRing, clock: Clock, *, connect: Connect = connect_sqlite,
        synchronous: str = "FULL",
    ) -> None:  # fmt: skip
        self._types, self._ring, self._clock = types, ring, clock
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FolderLock(path.with_suffix(".lock"))
        try:
            self._writer = connect(path)
            self._prepare(synchronous)
        except Exception as fault:
            self._lock.release()
            raise _failed(fault) from fault
        self._readers = Readers(path, connect)
        self._writing = threading.Lock()
        self._keys, self._read_keys = DataKeys(ring, clock), DataKeys(ring, clock)

    def _prepare(self, synchronous: str) -> None:
        for pragma in schema.PRAGMAS:
            list(self._writer.execute(pragma))
        list(self._writer.execute(f"PRAGMA synchronous={synchronous}"))
        for table in schema.TABLES:
            self._writer.execute(table)
        rows = list(self._writer.execute("SELECT value FROM meta WHERE name='version'"))
        if not rows:
            self._writer.execute("INSERT INTO meta VALUES ('version', ?)", (schema.VERSION,))
        elif rows[0][0] > schema.VERSION:
            raise StorageFailed(
                f"the journal is of version {rows[0][0]}, this hub knows {schema.VERSION}", hint="install the newer hub"
            )

    # --- writing

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        """One transaction; ``StorageFailed`` when nothing of it was kept."""
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._write_events(events)
                self._write_records(records)
                self._writer.execute("COMMIT")
            except Exception as fault:
                self._undo()
                raise _failed(fault) from fault

    def _write_events(self, events: Sequence[Event]) -> None:
        rows, digests = [], []
        for event in events:
            kind = self._types.get(event.type)
            number, sealed, data = None, None, event.data
            if kind is not None and kind.personal:
                number, sealed, data = self._seal(event, kind)
                digests += [
                    (self._ring.digest(name, event.data[name]), event.seq)
                    for name in kind.personal
                    if isinstance(event.data.get(name), str | int) and event.data[name] != ""
                ]
            rows.append(
                (event.seq, event.id, event.type, event.entity, event.at, event.received, event.source, event.cause,
                 event.depth, event.version, orjson.dumps(data), number, sealed)
            )  # fmt: skip
        if rows:
            self._writer.executemany(schema.INSERT_EVENT, rows)
        if digests:
            self._writer.executemany(schema.INSERT_DIGEST, digests)

    def _seal(self, event: Event, kind: EventType) -> tuple[int, bytes, Mapping[str, Any]]:
        number, sealer = self._keys.for_today(self._writer, kind.retention)
        secret = {name: event.data[name] for name in kind.personal if name in event.data}
        clear = {name: value for name, value in event.data.items() if name not in secret}
        return number, sealer.seal(orjson.dumps(secret), f"event {event.seq} {event.type}"), clear

    def _write_records(self, records: Sequence[Record]) -> None:
        for record in records:
            if not isinstance(record, Put):
                self._writer.execute(schema.DROP_RECORD, (record.table, record.key))
                continue
            number, value = None, orjson.dumps(record.value)
            if record.sealed is not None:
                number, sealer = self._keys.for_today(self._writer, record.sealed)
                value = sealer.seal(value, f"record {record.table} {record.key}")
            self._writer.execute(schema.PUT_RECORD, (record.table, record.key, value, number))

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep it and the one before it."""
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                number, sealer = self._keys.for_today(self._writer, SNAPSHOT_CLASS)
                body = sealer.seal(orjson.dumps(snapshot.entities), f"snapshot {snapshot.seq}")
                self._writer.execute("INSERT OR REPLACE INTO snapshots VALUES (?,?,?)", (snapshot.seq, number, body))
                self._writer.execute(
                    "DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?)",
                    (KEEP_SNAPSHOTS,),
                )
                self._writer.execute("COMMIT")
            except Exception as fault:
                self._undo()
                raise _failed(fault) from fault

    def destroy_keys(self, retention_class: str, before_day: str) -> list[dict[str, Any]]:
        """Destroy a class's keys of days before ``before_day`` (``YYYY-MM-DD``): their personal fields read ``None``
        from then on. A receipt for each day. Snapshots go too: they may hold such data."""
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                receipts = self._destroy(retention_class, before_day)
                self._writer.execute("COMMIT")
            except Exception as fault:
                self._undo()
                raise _failed(fault) from fault
            self._keys.forget()
            self._read_keys = DataKeys(self._ring, self._clock)
            return receipts

    def _destroy(self, retention_class: str, before_day: str) -> list[dict[str, Any]]:
        run, receipts = self._writer.execute, []
        found = list(
            run("SELECT number, day FROM data_keys WHERE class=? AND day<? ORDER BY day", (retention_class, before_day))
        )
        for number, day in found:
            events = _count(run("SELECT count(*) FROM events WHERE data_key=?", (number,)))
            records = _count(run("SELECT count(*) FROM records WHERE data_key=?", (number,)))
            run("DELETE FROM digests WHERE seq IN (SELECT seq FROM events WHERE data_key=?)", (number,))
            run("DELETE FROM data_keys WHERE number=?", (number,))
            at = self._clock.now()
            run("INSERT OR REPLACE INTO receipts VALUES (?,?,?,?,?)", (retention_class, day, at, events, records))
            receipts.append(
                {"class": retention_class, "day": day, "destroyed_at": at, "events": events, "records": records}
            )
        if found:
            run("DELETE FROM snapshots")
        return receipts

    def _undo(self) -> None:
        self._keys.forget()
        with contextlib.suppress(Exception):  # no transaction is open when BEGIN itself failed
            self._writer.execute("ROLLBACK")

    # --- reading

    def last_seq(self) -> int:
        """The newest committed sequence number."""
        with self._readers.lent() as connection:
            return _count(connection.execute("SELECT coalesce(max(seq), 0) FROM events"))

    def read(self, query: Query) -> list[Event]:
        """Matching events."""
        keys, found = self._read_keys, list[Event]()
        with self._readers.lent() as connection:
            for row in search(connection, query, self._ring, self._types, _COLUMNS):
                event = self._event(connection, row, keys)
                if query.accepts(event):
                    found.append(event)
                    if len(found) >= query.limit:
                        break
        return found

    def _event(self, connection: Connection, row: Sequence[Any], keys: DataKeys) -> Event:
        seq, ident, type_, entity, at, received, source, cause, depth, version, body, number, sealed = row
        data, kind = orjson.loads(body), self._types.get(type_)
        if number is not None:
            sealer = keys.by_number(connection, number)
            if sealer is not None:
                data |= orjson.loads(sealer.open(bytes(sealed), f"event {seq} {type_}"))
            elif kind is not None:
                data |= dict.fromkeys(kind.personal)
        if kind is not None and version < kind.version:
            data, version = kind.upcast(version, data), kind.version
        return Event(seq, ident, type_, at, received, entity, source, data, cause, depth, version)

    def records(self, table: str) -> list[tuple[str, Any]]:
        """All records of a table whose key was not destroyed."""
        keys, found = self._read_keys, list[tuple[str, Any]]()
        with self._readers.lent() as connection:
            rows = connection.execute("SELECT key, value, data_key FROM records WHERE tbl=? ORDER BY key", (table,))
            for key, value, number in list(rows):
                if number is None:
                    found.append((key, orjson.loads(value)))
                elif (sealer := keys.by_number(connection, number)) is not None:
                    found.append((key, orjson.loads(sealer.open(bytes(value), f"record {table} {key}"))))
        return found

    def load_snapshot(self) -> Snapshot | None:
        """The newest snapshot that can be opened."""
        with self._readers.lent() as connection:
            for seq, number, body in list(
                connection.execute("SELECT seq, data_key, body FROM snapshots ORDER BY seq DESC")
            ):
                sealer = self._read_keys.by_number(connection, number)
                if sealer is not None:
                    return Snapshot(seq, orjson.loads(sealer.open(bytes(body), f"snapshot {seq}")))
        return None

    def close(self) -> None:
        """Write the log back into the database and let another hub have the folder."""
        with self._writing:
            self._readers.close()
            self._writer.close()
            self._lock.release()


def _count(rows: Any) -> int:
    return int(next(iter(rows))[0])


def _failed(fault: Exception) -> StorageFailed:
    if isinstance(fault, StorageFailed):
        return fault
    words = str(fault) or type(fault).__name__
    hints = {"full": "free some space on the disk", "locked": "is another program using the journal?"}
    hint = next((text for word, text in hints.items() if word in words), "look at the disk and the hub's log")
    return StorageFailed(f"the journal could not be written: {words}", where="journal.db", hint=hint)
