"""How the journal reaches SQLite, and what its errors mean in plain words.

``SQLITE`` is Python's own module. Another driver is a way to open a file and the root of its errors.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hub.core.error import StorageFailed

BUSY_S = 5.0


class Cursor(Protocol):
    """Rows of an answer, one by one."""

    def __iter__(self) -> Iterator[Any]: ...

    def fetchall(self) -> list[Any]: ...

    def fetchone(self) -> Any: ...

    def close(self) -> None: ...


class Connection(Protocol):
    """A connection in autocommit mode: transactions begin and end by SQL."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor: ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any: ...

    def set_progress_handler(self, handler: Callable[[], bool] | None, steps: int, /) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Driver:
    """``connect`` opens a file that may be used by any thread, one at a time; ``error`` is the root of its errors."""

    connect: Callable[[Path], Connection]
    error: type[Exception]


def _connect(path: Path) -> Any:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


SQLITE = Driver(_connect, sqlite3.Error)

# Part of SQLite's own message → what to say and what to do.
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("full", "the disk is full", "free space on this disk; alarms use the reserve until then"),
    ("disk i/o error", "the disk could not be read or written", "look at the disk's health and the system's log"),
    ("ioerr", "the disk could not be read or written", "look at the disk's health and the system's log"),
    ("locked", "the database is in use by another program", "close the other program"),
    ("busy", "the database is in use by another program", "close the other program"),
    ("readonly", "the database may not be written", "give the hub's user the right to write this folder"),
    ("unable to open", "the database cannot be opened", "check that the folder exists and belongs to the hub's user"),
    ("malformed", "the database is damaged", "stop the hub and restore the last backup"),
    ("not a database", "the file is not the hub's database", "restore it from the last backup"),
)


def failure(fault: Exception, path: Path) -> StorageFailed:
    """The fault as an error for people."""
    said = str(fault)
    for part, words, hint in _WORDS:
        if part in said.lower():
            return StorageFailed(words, where=str(path), hint=hint)
    return StorageFailed(f"the database refused: {said}", where=str(path))
