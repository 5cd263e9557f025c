"""What the core asks of durable storage, and a journal in memory that keeps the same promises while it lives.

One *group* of events and records is one transaction: all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from hub.core.event import Event


class Put(NamedTuple):
    """Write one record: ``value`` is JSON data. ``sealed`` names the retention class under whose
    key of the day it is encrypted, for records that hold personal data."""

    table: str
    key: str
    value: Any
    sealed: str | None = None


class Drop(NamedTuple):
    """Remove one record; harmless when it is not there."""

    table: str
    key: str


Record = Put | Drop


@dataclass(frozen=True, slots=True)
class Query:
    """Which events to read. ``match`` compares a field for equality; ``after``/``before`` are sequence numbers,
    ``since``/``until`` are received times in seconds. ``newest`` reads backwards from the end."""

    type: str | None = None
    entity: str | None = None
    cause: str | None = None
    after: int = 0
    before: int | None = None
    since: float | None = None
    until: float | None = None
    match: Mapping[str, Any] = field(default_factory=dict)
    limit: int = 100
    newest: bool = False

    def accepts(self, event: Event) -> bool:
        """Does this event belong to the answer?"""
        return (
            (self.type is None or event.type == self.type)
            and (self.entity is None or event.entity == self.entity)
            and (self.cause is None or event.cause == self.cause)
            and event.seq > self.after
            and (self.before is None or event.seq < self.before)
            and (self.since is None or event.received >= self.since)
            and (self.until is None or event.received < self.until)
            and all(event.data.get(key) == value for key, value in self.match.items())
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State as JSON data after event ``seq``."""

    seq: int
    entities: list[dict[str, Any]]


class Journal(Protocol):
    """Durable storage of events and records. Methods block; the caller chooses the thread.

    ``commit`` runs on one writer thread only; the readers may run on others at the same time.
    """

    inline: bool  # commits at once and never blocks (memory): no writer thread is needed

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        """Make a group durable; ``StorageFailed`` means that nothing of it is."""

    def last_seq(self) -> int:
        """The newest committed sequence number; 0 for none."""

    def read(self, query: Query) -> list[Event]:
        """Committed events in ascending order (descending when ``newest``); erased personal fields are ``None``."""

    def records(self, table: str, after: str | None = None, limit: int | None = None) -> list[tuple[str, Any]]:
        """The records of a table, ordered by key; records whose key was destroyed are left out. ``after``: only those
        behind that key; ``limit``: only the first so many of them."""

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; older ones may go."""

    def load_snapshot(self) -> Snapshot | None:
        """The newest usable snapshot."""

    def close(self) -> None:
        """Finish."""


class MemoryJournal:
    """A journal that lives as long as the process: for tests, replays and for measuring the rest alone."""

    inline = True

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._records: dict[str, dict[str, Any]] = {}
        self._snapshot: Snapshot | None = None

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        """Keep them."""
        self._events.extend(events)
        for record in records:
            table = self._records.setdefault(record.table, {})
            if isinstance(record, Put):
                table[record.key] = record.value
            else:
                table.pop(record.key, None)

    def last_seq(self) -> int:
        """The newest sequence number."""
        return self._events[-1].seq if self._events else 0

    def read(self, query: Query) -> list[Event]:
        """Matching events."""
        source = reversed(self._events) if query.newest else iter(self._events)
        found: list[Event] = []
        for event in source:
            if query.accepts(event):
                found.append(event)
                if len(found) == query.limit:
                    break
        return found

    def records(self, table: str, after: str | None = None, limit: int | None = None) -> list[tuple[str, Any]]:
        """The records of a table."""
        found = sorted(self._records.get(table, {}).items())
        return [row for row in found if after is None or row[0] > after][:limit]

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep it."""
        self._snapshot = snapshot

    def load_snapshot(self) -> Snapshot | None:
        """The last one."""
        return self._snapshot

    def close(self) -> None:
        """Nothing to finish."""
