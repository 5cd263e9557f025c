"""Connections for reading, shared by threads, and a limit on the work of one question."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hub.core.error import LimitExceeded, StorageFailed
from hub.store.driver import Connection, Driver, failure
from hub.store.schema import open_reader

CONNECTIONS: Final = 4
WAIT_S: Final = 30.0
STEP: Final = 1_000_000  # virtual machine steps of SQLite between two looks at the budget; about 10 ms
BUDGET: Final = 300  # times STEP: some seconds of work


class Reader:
    """One connection and the work it may still do for its question."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        self.left = BUDGET
        db.set_progress_handler(self._spend, STEP)

    def _spend(self) -> bool:
        self.left -= 1
        return self.left < 0


class Readers:
    """At most ``CONNECTIONS`` at a time; a thread waits for a free one."""

    def __init__(self, driver: Driver, path: Path) -> None:
        self._driver, self._path = driver, path
        self._free = threading.Semaphore(CONNECTIONS)
        self._lock = threading.Lock()
        self._idle: list[Reader] = []
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for one question.

        ``LimitExceeded`` when it takes too much work, ``StorageFailed`` when the database cannot be read.
        """
        if not self._free.acquire(timeout=WAIT_S):
            raise LimitExceeded("too many questions to the journal at once", hint="ask again in a moment")
        reader: Reader | None = None
        try:
            reader = self._take()
            yield reader.db
        except self._driver.error as fault:
            if reader is not None and reader.left < 0:
                raise too_much() from fault
            if reader is not None:
                reader.db.close()
                reader = None
            raise failure(fault, self._path) from fault
        finally:
            self._give(reader)
            self._free.release()

    def _take(self) -> Reader:
        with self._lock:
            if self._closed:
                raise StorageFailed("the journal is closed", where=str(self._path))
            reader = self._idle.pop() if self._idle else None
        if reader is None:
            return Reader(open_reader(self._driver, self._path))
        reader.left = BUDGET
        return reader

    def _give(self, reader: Reader | None) -> None:
        if reader is None:
            return
        with self._lock:
            if not self._closed:
                self._idle.append(reader)
                return
        reader.db.close()

    def close(self) -> None:
        """Close the idle ones; those at work close when they are done."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.db.close()


def too_much() -> LimitExceeded:
    """The error for a question that reads too much."""
    return LimitExceeded(
        "the question would read too much of the journal", hint="name an event type, an entity or a shorter time"
    )
