"""Two lamps, a journal in a real file, and the hub's door between them: for the tests of the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Protocol

from hub.core.access import Actor
from hub.core.action import Call, Retry, action, actions_of
from hub.core.actions import OWED, Actions, Request
from hub.core.bus import Subscription
from hub.core.clock import ManualClock
from hub.core.error import (
    Denied,
    HubError,
    StorageFailed,
    Unavailable,
)
from hub.core.event import Draft, Event, EventTypes
from hub.core.ids import Ids
from hub.core.journal import Put, Query, Record
from hub.core.outbox import Entry
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import SYSTEM_TYPES
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.core.kit import SOON

OFFICER = Actor("user:noi", frozenset({"ccoc"}), person=True)
STRANGER = Actor("user:lek", person=True)
RULE = Actor("automation:night", frozenset({"ccoc"}))
AWAY = Unavailable("the lamp is away")


class Lamp(Protocol):
    """A lamp for the tests."""

    @action("เปิด", "On", idempotent=True)
    async def on(self, level: int = 100) -> str:
        """Idempotent."""

    @action("ดับ", "Off", idempotent=True)
    async def off(self) -> str:
        """Idempotent, and against it."""

    @action("สลับ", "Toggle")
    async def toggle(self) -> str:
        """Not idempotent."""

    @action("ยิงพลุ", "Flare", dangerous=True, idempotent=True)
    async def flare(self) -> str:
        """A person confirms it."""

    @action("กะพริบ", "Blink", idempotent=True, retry=Retry(tries=2, within=900))
    async def blink(self) -> str:
        """Two tries."""

    @action("ชั่วครู่", "Moment", idempotent=True, retry=Retry(tries=5, within=10))
    async def moment(self) -> str:
        """Ten seconds."""


class Rights:
    def check(self, actor: Actor, right: str, entity: EntityState | None = None) -> None:
        if "ccoc" not in actor.roles:
            raise Denied(f"{right} is missing", where=right)


class Lot(Random):
    """Draws what the test says, between 0 and 1, and counts."""

    drawn, share = 0, 1.0

    def uniform(self, a: float, b: float) -> float:
        self.drawn += 1
        return a + (b - a) * self.share


class Journal(SqliteJournal):
    """Fails the next commit that holds an owed record of ``fail`` tries."""

    fail: int | None = None

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, Put) and record.table == OWED and record.value["tries"] == self.fail:
                self.fail = None
                raise StorageFailed("the disk is full")
        super().commit(events, records)


class Zone:
    """Two lamps; ``says`` are what they answer, one for each call, and then "lit"."""

    def __init__(self, folder: Path, now: float = 1_700_000_000.0) -> None:
        self.folder, self.clock, self.lot = folder, ManualClock(now), Lot(1)
        types = EventTypes(SYSTEM_TYPES)
        self.journal = Journal(folder / "journal.db", types, KeyRing(bytes(32)), self.clock)
        self.pipeline = Pipeline(self.journal, types, self.clock, Ids(self.clock, self.lot))
        self.actions = Actions(self.pipeline, Rights())
        self.actions.declare(actions_of(Lamp, "lamp"))
        self.calls: list[tuple[str, str, float]] = []
        self.says: list[HubError] = []
        self.called, self.heard = asyncio.Event(), asyncio.Event()
        self.pipeline.committed.add(Subscription(lambda event, change: self.heard.set()))

    async def start(self, *, attach: bool = True) -> Zone:
        await self.pipeline.start()
        for name in ("lamp.a", "lamp.b"):
            if self.pipeline.state.get(name) is None:
                data = {"description": {"capabilities": ["lamp"]}}
                self.pipeline.emit(Draft("entity_added", data, "hub", name))
        self.actions.resume()
        if attach:
            self.attach()
        await self.pipeline.settled()
        return self

    def attach(self) -> None:
        for name in ("lamp.a", "lamp.b"):
            self.actions.attach(name, self.device)

    async def killed(self, *, attach: bool = True, later: float = 0.0) -> Zone:
        """The next process, over the same file."""
        self.journal.close()
        return await Zone(self.folder, self.clock.now() + later).start(attach=attach)

    async def device(self, call: Call) -> str:
        self.calls.append((call.action, call.key, self.clock.now()))
        self.called.set()
        if self.says:
            raise self.says.pop(0)
        return "lit"

    def owe(self, verb: str, key: str, target: str = "lamp.a", actor: Actor = RULE, **params: Any) -> None:
        assert self.actions.owe(Request(f"lamp.{verb}", params, actor, target, key=key)) == key

    async def tried(self, times: int) -> None:
        """Until the devices were called so often, and what follows of it is durable."""
        async with asyncio.timeout(SOON):
            while len(self.calls) < times:
                self.called.clear()
                await self.called.wait()
        await self.pipeline.settled()

    async def next(self) -> None:
        """Pass the time until the next try, and let it end."""
        due = self.clock.next_due()
        assert due is not None
        self.clock.advance_to(due)
        await self.tried(len(self.calls) + 1)

    async def ended(self, times: int = 1) -> list[tuple[str, str]]:
        async with asyncio.timeout(SOON):
            while len(self.finished()) < times:
                self.heard.clear()
                await self.heard.wait()
        return self.finished()

    def finished(self) -> list[tuple[str, str]]:
        return [(event["key"], event["status"]) for event in self.events("action_finished")]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in self.journal.read(Query(type=kind, limit=1000))]

    def row(self, key: str) -> dict[str, Any]:
        row: dict[str, Any] = dict(self.journal.records(OWED))[key]
        return row

    def dead(self) -> list[Entry]:
        return [entry for entry in self.actions.outbox() if entry.due is None]

    async def give_up(self, key: str, verb: str = "blink", error: HubError = AWAY) -> Entry:
        """A dead letter of that key."""
        tries = 2 if verb == "blink" else 5
        self.says, before = [error] * tries, len(self.finished())
        self.owe(verb, key)
        await self.tried(len(self.calls) + 1)
        for _ in range(tries - 1):
            await self.next()
        await self.ended(before + 1)
        return next(entry for entry in self.dead() if entry.call.key == key)


def words(entry: Entry) -> str:
    return str((entry.error or {})["message"])
