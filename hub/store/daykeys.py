"""One key for each retention class and day (UTC): what it sealed is gone once it is destroyed.

The key of the digests by which sealed values are found is derived from it, so that they die with it as well.
"""

from __future__ import annotations

import hmac
import os
import threading
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.store.driver import Connection
from hub.store.keys import KEY_BYTES, KeyRing, seal, unseal

DIGEST_BYTES: Final = 16


def day_of(seconds: float) -> str:
    """The UTC day, ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


class DayKey:
    """A key at work. ``id`` is its row."""

    __slots__ = ("_cipher", "_digests", "id")

    def __init__(self, number: int, key: bytes) -> None:
        self.id = number
        self._cipher = AESGCM(key)
        self._digests = hmac.digest(key, b"digests", "sha256")

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        return seal(self._cipher, plain, bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> bytes:
        return unseal(self._cipher, sealed, bound_to)

    def digest(self, field: str, value: object) -> bytes:
        """HMAC-SHA256 (RFC 2104) of a field's value as text, cut to 128 bits."""
        return hmac.digest(self._digests, f"{field}\0{value}".encode("utf-8", "surrogatepass"), "sha256")[:DIGEST_BYTES]


class DayKeys:
    """The keys in use. The writer makes them; readers look them up; a destroyed one is forgotten by all."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._lock = threading.Lock()
        self._today: dict[tuple[str, str], DayKey] = {}  # the writer's, by class and day
        self._known: dict[int, DayKey] = {}  # the readers', by id
        self._forgotten = 0

    def writing(self, db: Connection, kind: str, day: str) -> DayKey:
        """The key of this class and day, made inside the open transaction when there is none yet."""
        key = self._today.get((kind, day))
        if key is None:
            sql = "SELECT id, wrapped FROM keys WHERE class = ? AND day = ? AND wrapped IS NOT NULL"
            row = db.execute(sql, (kind, day)).fetchone()
            key = self._make(db, kind, day) if row is None else self._unwrap(row[0], kind, day, row[1])
            self._today[kind, day] = key
        return key

    def _make(self, db: Connection, kind: str, day: str) -> DayKey:
        fresh = os.urandom(KEY_BYTES)
        sql = "INSERT INTO keys (class, day, wrapped) VALUES (?, ?, ?) RETURNING id"
        row = db.execute(sql, (kind, day, self._ring.wrap(fresh, _purpose(kind, day)))).fetchall()[0]
        return DayKey(row[0], fresh)

    def reading(self, db: Connection, number: int) -> DayKey | None:
        """The key of that row; ``None`` when it was destroyed."""
        known = self._known.get(number)
        if known is None:
            forgotten = self._forgotten
            row = db.execute("SELECT class, day, wrapped FROM keys WHERE id = ?", (number,)).fetchone()
            if row is None or row[2] is None:
                return None
            known = self._unwrap(number, *row)
            with self._lock:
                if forgotten == self._forgotten:  # else it may be the destroyed one: do not keep it
                    self._known[number] = known
        return known

    def live(self, db: Connection) -> list[DayKey]:
        """All keys that were not destroyed."""
        rows = db.execute("SELECT id FROM keys WHERE wrapped IS NOT NULL").fetchall()
        return [key for row in rows if (key := self.reading(db, row[0])) is not None]

    def forget(self) -> None:
        """Drop what is held in memory: after keys were destroyed, or when a transaction that made some was lost."""
        with self._lock:
            self._forgotten += 1
            self._today.clear()
            self._known.clear()

    def _unwrap(self, number: int, kind: str, day: str, wrapped: bytes) -> DayKey:
        return DayKey(number, self._ring.unwrap(wrapped, _purpose(kind, day)))


def _purpose(kind: str, day: str) -> bytes:
    return f"{kind}\0{day}".encode()
