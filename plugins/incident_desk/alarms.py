"""Alarms: what asks for an officer now. The same again raises the count of the one that is there."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from hub.capabilities import (
    AlarmAcknowledged,
    AlarmCleared,
    AlarmRaised,
    AlarmReturned,
    AlarmShelved,
    Priority,
)
from hub.sdk import Conflict, Context, Entity, Text, current_call

MAX_ALARMS = 2_000  # beyond it the acknowledged ones that are oldest go; unacknowledged ones never


def stable_id(key: str) -> str:
    """A short id that is the same when the same call is sent again."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


class AlarmBook:
    """All alarms on the board."""

    def __init__(self, ctx: Context, simulated: bool) -> None:
        self._ctx, self._simulated = ctx, simulated
        self._counting = asyncio.Lock()  # the same alarm twice at once is one alarm with count 2

    async def take_up(self) -> None:
        """Serve the alarms that were there before a restart."""
        for alarm in await self._ctx.states("alarm"):
            await self._add(alarm.entity)

    async def _add(self, entity: str) -> None:
        await self._ctx.add(Entity(entity, Text("สัญญาณเตือน", "Alarm"), ("alarm",)), _Alarm(self._ctx, self, entity))

    async def simulated(self, *about: str | None) -> bool:
        """Is the whole station invented, or one of the entities that it is about?"""
        known = [await self._ctx.state(entity) for entity in about if entity]
        return self._simulated or any(one is not None and bool(one.attributes.get("simulated")) for one in known)

    async def raise_alarm(
        self,
        title: Annotated[str, Field(min_length=1, max_length=300)],
        priority: Priority = Priority.HIGH,
        detail: Annotated[str, Field(max_length=1000)] = "",
        incident: str | None = None,
        subject: str | None = None,
        place: Annotated[str, Field(max_length=200)] = "",
        lat: float | None = None,
        lon: float | None = None,
        simulated: bool = False,
    ) -> str:
        """Raise an alarm; its entity id. One of the same title, subject and incident that nobody has taken yet
        grows in count instead; one that is shelved stays silent until its end. It is simulated as its subject and its
        incident are."""
        simulated = simulated or await self.simulated(subject, incident)
        async with self._counting:
            entity, count = await self._place_for(current_call().key, title, subject, incident)
            if count:
                data = AlarmRaised(
                    priority=priority, title=title, detail=detail, incident=incident, subject=subject, place=place,
                    lat=lat, lon=lon, simulated=simulated, raised_at=self._ctx.clock.now(), count=count,
                )  # fmt: skip
                await self._make_room()
                await self._add(entity)
                await self._ctx.emit(data, entity=entity)
        return entity

    async def _place_for(self, key: str, title: str, subject: str | None, incident: str | None) -> tuple[str, int]:
        """The entity and the count to write; count 0 when this very call was written before, or it is shelved."""
        own = f"alarm.{stable_id(key)}"
        if (known := await self._ctx.state(own)) is not None and known.state != "unknown":
            return own, 0
        for alarm in await self._ctx.states("alarm"):
            a = alarm.attributes
            same = (a.get("title"), a.get("subject"), a.get("incident")) == (title, subject, incident)
            if same and alarm.state in ("unacknowledged", "shelved"):
                return alarm.entity, int(a.get("count", 1)) + 1 if alarm.state == "unacknowledged" else 0
        return own, 1

    async def _make_room(self) -> None:
        alarms = await self._ctx.states("alarm")
        if len(alarms) >= MAX_ALARMS:
            taken = sorted((a for a in alarms if a.state == "acknowledged"), key=lambda a: a.seq)
            for alarm in taken[: len(alarms) - MAX_ALARMS + 1]:
                await self.clear(alarm.entity, "hub", "the list is full")

    async def of_incident(self, incident: str) -> list[str]:
        """The alarms that belong to an incident."""
        return [a.entity for a in await self._ctx.states("alarm") if a.attributes.get("incident") == incident]

    async def acknowledge(self, entity: str, by: str) -> None:
        """Give it an owner; harmless when it has one."""
        alarm = await self._ctx.state(entity)
        if alarm is not None and alarm.state in ("unacknowledged", "shelved"):
            await self._ctx.emit(AlarmAcknowledged(by=by, at=self._ctx.clock.now()), entity=entity)

    async def clear(self, entity: str, by: str, reason: str) -> None:
        """Take it off the list."""
        if await self._ctx.state(entity) is not None:
            await self._ctx.emit(AlarmCleared(by=by, reason=reason), entity=entity)
            await self._ctx.remove(entity)

    async def return_from_shelf(self) -> None:
        """Shelved alarms whose time is over ask again."""
        now = self._ctx.clock.now()
        for alarm in await self._ctx.states("alarm"):
            if alarm.state == "shelved" and float(alarm.attributes.get("shelved_until", 0)) <= now:
                await self._ctx.emit(AlarmReturned(), entity=alarm.entity)


@dataclass(frozen=True, slots=True)
class _Alarm:
    """Serves the actions of one alarm."""

    ctx: Context
    book: AlarmBook
    entity: str
    owning: asyncio.Lock = field(default_factory=asyncio.Lock)  # two officers at once: one of them gets it

    async def acknowledge(self) -> None:
        by = current_call().actor
        async with self.owning:
            alarm = await self.ctx.state(self.entity)
            owner = alarm.attributes.get("owner_officer") if alarm else None
            if alarm is not None and alarm.state == "acknowledged" and owner != by:
                raise Conflict(f"{owner} has this alarm already", where=self.entity)
            await self.book.acknowledge(self.entity, by)

    async def shelve(self, reason: str, minutes: int) -> None:
        until = self.ctx.clock.now() + minutes * 60
        await self.ctx.emit(AlarmShelved(by=current_call().actor, reason=reason, until=until), entity=self.entity)
