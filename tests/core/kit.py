"""A journal that can be held, and made to fail, at the moment of the commit; and what the tests of the core share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Annotated, Any

from hub.core.clock import ManualClock
from hub.core.event import Draft, Event, EventData, EventTypes, Lane, Personal, Projection, event_type, personal
from hub.core.journal import Query, Record
from hub.core.pipeline import Pipeline
from hub.core.state import State
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing

SOON = 10.0


@event_type(
    "thing_set", "ตั้งค่า", "Set", projection=Projection(state_from="state", attributes={"n": "n"}, merge_from="more")
)
class ThingSet(EventData):
    """Changes a state."""

    n: int
    state: str | None = None
    more: dict[str, Any] = {}


@event_type("thing_gone", "หายไป", "Gone", projection=Projection(remove=True))
class ThingGone(EventData):
    """Removes it."""


@event_type("thing_read", "อ่าน", "Read", retention="plates", projection=Projection(attributes={"plate": "plate"}))
class ThingRead(EventData):
    """Holds something personal."""

    plate: Annotated[str | None, personal(Personal.PLATE)]


TYPES = EventTypes((ThingSet.type, ThingGone.type, ThingRead.type))


class HeldJournal(SqliteJournal):
    """Its commits wait for ``gate`` and then fail when ``failures`` has something to raise."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        super().__init__(folder / "journal.db", TYPES, KeyRing(bytes(32)), self.clock)
        self.gate, self.reached = threading.Event(), threading.Event()
        self.gate.set()
        self.failures: list[Exception] = []
        self.unreadable: list[Exception] = []
        self.groups: list[list[int]] = []

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        self.reached.set()
        assert self.gate.wait(SOON)
        if self.failures:
            raise self.failures.pop()
        super().commit(events, records)
        self.groups.append([event.seq for event in events])

    def read(self, query: Query) -> list[Event]:
        if self.unreadable:
            raise self.unreadable.pop()
        return super().read(query)

    async def hold(self) -> None:
        self.gate.clear()
        self.reached.clear()

    async def is_reached(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, SOON)


def draft(n: int, entity: str = "thing.a", *, lane: Lane = Lane.NORMAL, depth: int = 0, state: str = "on") -> Draft:
    return Draft("thing_set", {"n": n, "state": state}, "test", entity, lane=lane, depth=depth)


def later(work: Awaitable[Any]) -> asyncio.Future[Any]:
    return asyncio.ensure_future(work)


async def turn() -> None:
    """Let the loop serve all that is ready."""
    for _ in range(5):
        await asyncio.sleep(0)


def replayed(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The state that the journal alone gives."""
    state = State(TYPES)
    for event in pipeline.journal.read(Query(limit=1_000_000)):
        state.apply(event)
    return by_name(state)


def by_name(state: State) -> list[dict[str, Any]]:
    return sorted(state.dump(), key=lambda one: str(one["entity"]))
