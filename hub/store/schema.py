"""The tables of the journal's database."""

from __future__ import annotations

VERSION = 1

# FULL: with groups it keeps tens of thousands of events a second; NORMAL loses acknowledged events at a power cut.
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16384",
    "PRAGMA wal_autocheckpoint=2000",
    "PRAGMA journal_size_limit=67108864",
)

TABLES = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS events (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL, entity TEXT, at REAL NOT NULL,
        received REAL NOT NULL, source TEXT NOT NULL, cause TEXT, depth INTEGER NOT NULL, version INTEGER NOT NULL,
        body BLOB NOT NULL, data_key INTEGER, sealed BLOB)""",
    "CREATE INDEX IF NOT EXISTS events_type ON events (type, seq)",
    "CREATE INDEX IF NOT EXISTS events_entity ON events (entity, seq) WHERE entity IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS events_cause ON events (cause, seq) WHERE cause IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS events_received ON events (received)",
    "CREATE INDEX IF NOT EXISTS events_data_key ON events (data_key) WHERE data_key IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS digests (
        digest BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (digest, seq)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS digests_seq ON digests (seq)",
    """CREATE TABLE IF NOT EXISTS data_keys (
        number INTEGER PRIMARY KEY, class TEXT NOT NULL, day TEXT NOT NULL, wrapped BLOB NOT NULL,
        UNIQUE (class, day))""",
    """CREATE TABLE IF NOT EXISTS records (
        tbl TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, data_key INTEGER,
        PRIMARY KEY (tbl, key)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS snapshots (seq INTEGER PRIMARY KEY, data_key INTEGER NOT NULL, body BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS receipts (
        class TEXT NOT NULL, day TEXT NOT NULL, destroyed_at REAL NOT NULL, events INTEGER NOT NULL,
        records INTEGER NOT NULL, PRIMARY KEY (class, day)) WITHOUT ROWID""",
)

INSERT_EVENT = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
INSERT_DIGEST = "INSERT OR IGNORE INTO digests VALUES (?,?)"
PUT_RECORD = "INSERT OR REPLACE INTO records VALUES (?,?,?,?)"
DROP_RECORD = "DELETE FROM records WHERE tbl=? AND key=?"
