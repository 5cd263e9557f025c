"""Data keys by retention class and day, made when first needed and kept ready."""

from __future__ import annotations

import datetime

from hub.core.clock import Clock
from hub.store.connection import Connection
from hub.store.keys import KeyRing, Sealer

MAX_READY = 512


class DataKeys:
    """The data keys of one connection's thread. New ones are written in the open transaction."""

    def __init__(self, ring: KeyRing, clock: Clock) -> None:
        self._ring, self._clock = ring, clock
        self._today: dict[tuple[str, str], tuple[int, Sealer]] = {}
        self._ready: dict[int, Sealer | None] = {}

    def for_today(self, connection: Connection, retention: str) -> tuple[int, Sealer]:
        """Number and sealer of today's key (UTC) of a class."""
        day = datetime.datetime.fromtimestamp(self._clock.now(), datetime.UTC).strftime("%Y-%m-%d")
        found = self._today.get((retention, day))
        if found is None:
            found = self._today[retention, day] = self._take_or_make(connection, retention, day)
        return found

    def _take_or_make(self, connection: Connection, retention: str, day: str) -> tuple[int, Sealer]:
        label = f"{retention}/{day}"
        sql, which = "SELECT number, wrapped FROM data_keys WHERE class=? AND day=?", (retention, day)
        rows = list(connection.execute(sql, which))
        if rows:
            return int(rows[0][0]), self._ring.open_key(bytes(rows[0][1]), label)
        wrapped, sealer = self._ring.new_key(label)
        connection.execute("INSERT INTO data_keys (class, day, wrapped) VALUES (?,?,?)", (retention, day, wrapped))
        return int(next(iter(connection.execute(sql, which)))[0]), sealer

    def by_number(self, connection: Connection, number: int) -> Sealer | None:
        """A key; ``None`` when it was destroyed."""
        if number not in self._ready:
            if len(self._ready) >= MAX_READY:
                self._ready.clear()
            rows = list(connection.execute("SELECT class, day, wrapped FROM data_keys WHERE number=?", (number,)))
            self._ready[number] = (
                self._ring.open_key(bytes(rows[0][2]), f"{rows[0][0]}/{rows[0][1]}") if rows else None
            )
        return self._ready[number]

    def forget(self) -> None:
        """After a rollback or a destruction: what was ready may not be in the database."""
        self._today.clear()
        self._ready.clear()
