"""Connections to SQLite: one for the writer, a few for readers, and a lock against a second hub."""

from __future__ import annotations

import fcntl
import os
import queue
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from hub.core.error import Conflict

MAX_READERS = 4


class Connection(Protocol):
    """What the journal needs of a database connection; ``sqlite3`` and ``apsw`` both have it."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Any:
        """Run one statement; iterable over its rows."""

    def executemany(self, sql: str, rows: Any, /) -> Any:
        """Run one statement for each row."""

    def close(self) -> None:
        """Close."""


Connect = Callable[[Path], Connection]


def connect_sqlite(path: Path) -> Connection:
    """A connection in autocommit mode (transactions are said explicitly), usable from any one thread at a time."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)


class Readers:
    """A few read-only connections, lent to one thread at a time."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self._path, self._connect = path, connect
        self._free: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(MAX_READERS):
            self._free.put(None)

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """One connection; waits when all are in use."""
        connection = self._free.get()
        try:
            if connection is None:
                connection = self._connect(self._path)
                connection.execute("PRAGMA busy_timeout=5000")
                connection.execute("PRAGMA query_only=1")
            yield connection
        finally:
            self._free.put(connection)

    def close(self) -> None:
        """Close them all."""
        for _ in range(MAX_READERS):
            connection = self._free.get()
            if connection is not None:
                connection.close()
            self._free.put(None)


class FolderLock:
    """Held while a hub writes in a folder, so that two never do."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise Conflict(
                "another hub is running with this data folder", where=str(path.parent), hint="stop it, or use --data"
            ) from None

    def release(self) -> None:
        """Let another take it."""
        os.close(self._handle)
