"""Records of a journal's file, read beside a running hub."""

from __future__ import annotations

from pathlib import Path

from hub.core.clock import SystemClock
from hub.core.event import EventTypes
from hub.store.daykeys import DayKeys
from hub.store.driver import SQLITE
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from hub.store.readers import Readers


class RecordsReader(SqliteJournal):
    """A journal of which only the reading half was opened: no lock on the folder, no connection that may write."""

    def __init__(self, path: Path, master: Path, types: EventTypes | None = None) -> None:
        self.path = path
        ring = KeyRing.open(master)
        self._types, self._ring, self._clock, self._driver = types or EventTypes(), ring, SystemClock(), SQLITE
        self._keys = DayKeys(ring)
        self._readers = Readers(SQLITE, path)
        self._closed, self._db = True, None
