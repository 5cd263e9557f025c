"""The tables of the journal's database, and opening it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from hub.core.error import StorageFailed
from hub.store.driver import Connection, Driver, failure
from hub.store.keys import KeyRing

SCHEMA_VERSION: Final = 1
WAL_PAGES: Final = 4_000  # 16 MB of log before it is folded into the database
WAL_KEPT_BYTES: Final = 64 << 20

# ``seq`` is the row id, so each index ends with it and answers come in order without sorting. ``spans`` tells which
# events an hour holds even when the clock was set back. ``body`` is JSON in which personal fields are null.
_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE keys (
    id INTEGER PRIMARY KEY, class TEXT NOT NULL, day TEXT NOT NULL, wrapped BLOB, receipt TEXT
);
CREATE UNIQUE INDEX keys_live ON keys (class, day) WHERE wrapped IS NOT NULL;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL, at REAL NOT NULL, received REAL NOT NULL,
    entity TEXT, source TEXT NOT NULL, body TEXT NOT NULL, cause TEXT, depth INTEGER NOT NULL,
    version INTEGER NOT NULL, key INTEGER REFERENCES keys, sealed BLOB
);
CREATE INDEX events_type ON events (type);
CREATE INDEX events_entity ON events (entity) WHERE entity IS NOT NULL;
CREATE INDEX events_cause ON events (cause) WHERE cause IS NOT NULL;
CREATE INDEX events_key ON events (key) WHERE key IS NOT NULL;
CREATE TABLE spans (hour INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE digests (
    key INTEGER NOT NULL, digest BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, digest, seq)
) WITHOUT ROWID;
CREATE TABLE records (
    tbl TEXT NOT NULL, id TEXT NOT NULL, value TEXT, key INTEGER REFERENCES keys, sealed BLOB, PRIMARY KEY (tbl, id)
) WITHOUT ROWID;
CREATE INDEX records_key ON records (key) WHERE key IS NOT NULL;
CREATE TABLE snapshots (seq INTEGER PRIMARY KEY, key INTEGER NOT NULL REFERENCES keys, sealed BLOB NOT NULL);
"""


def open_writer(driver: Driver, path: Path, ring: KeyRing) -> Connection:
    """A connection that may write, to a database of this version; ``StorageFailed`` says what is wrong."""
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # SQLite gives its log the same mode
        db = driver.connect(path)
        _prepare(db)
        found = db.execute("PRAGMA user_version").fetchall()[0][0]
        if found == 0:
            _create(db, ring)
        elif found != SCHEMA_VERSION:
            raise StorageFailed(
                f"was written by another version of the hub (schema {found}; this hub knows {SCHEMA_VERSION})",
                where=str(path),
                hint="run the hub that wrote it, or restore a backup made by this one",
            )
        wrapped = db.execute("SELECT value FROM meta WHERE name = 'master'").fetchall()[0][0]
    except (driver.error, OSError) as fault:
        raise failure(fault, path) from fault
    ring.unwrap(wrapped, b"master")
    return db


def _prepare(db: Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute("PRAGMA synchronous = FULL").fetchall()
    db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}").fetchall()
    db.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}").fetchall()
    db.execute("PRAGMA secure_delete = ON").fetchall()  # a destroyed key must not stay in a free page
    db.execute("PRAGMA cache_size = -16000").fetchall()


def _create(db: Connection, ring: KeyRing) -> None:
    db.execute("BEGIN IMMEDIATE").fetchall()
    for statement in filter(str.strip, _TABLES.split(";")):
        db.execute(statement).fetchall()
    # a wrapped word shows at each start whether the master key belongs to this database
    db.execute("INSERT INTO meta VALUES ('master', ?)", (ring.wrap(b"master", b"master"),)).fetchall()
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}").fetchall()
    db.execute("COMMIT").fetchall()


def open_reader(driver: Driver, path: Path) -> Connection:
    """A connection that only reads."""
    db = driver.connect(path)
    db.execute("PRAGMA query_only = ON").fetchall()
    return db
