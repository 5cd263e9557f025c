"""Incidents: open → acknowledged → assigned → closed, with everything that belongs to them in one timeline."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from hub.capabilities import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentAttached,
    IncidentClosed,
    IncidentNoted,
    IncidentOpened,
    Priority,
)
from hub.sdk import (
    Conflict,
    Context,
    Entity,
    EntityState,
    Event,
    InvalidInput,
    NotFound,
    Query,
    Text,
    current_call,
    distance_m,
)

from .alarms import AlarmBook, stable_id

RESULTS = ("resolved", "false_alarm", "handed_over", "duplicate")
BANGKOK = datetime.timezone(datetime.timedelta(hours=7))
# Events of other plugins that name an incident in their data and belong on its timeline.
ATTACHED = (
    "unit_alerted", "unit_task_seen", "drone_dispatched", "drone_arrived", "drone_refused", "message_sent",
    "clip_saved", "looked_up", "light_boosted", "radio_announced",
)  # fmt: skip


class IncidentBook:
    """All incidents."""

    def __init__(self, ctx: Context, alarms: AlarmBook, position_max_age_s: float) -> None:
        self._ctx, self._alarms, self._max_age = ctx, alarms, position_max_age_s
        self._numbering = asyncio.Lock()  # two calls at once must not take one number
        self.choosing = asyncio.Lock()  # two cases at once must not take one unit
        self.promised: set[str] = set()  # units that are being told of a case, and are not busy yet

    async def take_up(self) -> None:
        """Serve the incidents that were there before a restart."""
        for incident in await self._ctx.states("incident"):
            await self._add(incident.entity, str(incident.attributes.get("reference", "")))

    async def follow(self) -> None:
        """Put what other plugins report for an incident on its timeline."""
        for kind in ATTACHED:
            await self._ctx.on(kind, self._attach)

    async def _attach(self, event: Event) -> None:
        incident = event.data.get("incident")
        if isinstance(incident, str) and await self._ctx.state(incident) is not None:
            ref = f"event:{event.seq}"
            by = event.entity or event.source
            await self._ctx.emit(IncidentAttached(what=event.type, ref=ref, by=by), entity=incident, cause=event.id)

    async def _add(self, entity: str, reference: str) -> None:
        name = Text(f"เหตุ {reference}", f"Incident {reference}")
        await self._ctx.add(Entity(entity, name, ("incident",)), _Incident(self._ctx, self, entity))

    async def open(
        self,
        kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")],
        title: Annotated[str, Field(min_length=1, max_length=300)],
        priority: Priority = Priority.HIGH,
        source: str | None = None,
        lat: Annotated[float | None, Field(ge=-90, le=90)] = None,
        lon: Annotated[float | None, Field(ge=-180, le=180)] = None,
        crop: str | None = None,
        simulated: bool = False,
    ) -> str:
        """Open an incident; its entity id. ``source`` is the entity it began at: its place is taken when none is
        given. The same call sent again opens nothing more."""
        call = current_call()
        entity = f"incident.{stable_id(call.key)}"
        origin = await self._ctx.state(source) if source else None
        if origin is not None:
            lat, lon = (lat, lon) if lat is not None else (origin.attributes.get("lat"), origin.attributes.get("lon"))
            crop = crop or origin.attributes.get("crop")
        simulated = simulated or await self._alarms.simulated(source)
        async with self._numbering:
            known = await self._ctx.state(entity)
            if known is None or known.state == "unknown":
                reference = await self._next_reference()
                await self._add(entity, reference)
                opened = IncidentOpened(
                    kind=kind, title=title, priority=priority, reference=reference, opened_at=self._ctx.clock.now(),
                    opened_by=call.actor, lat=lat, lon=lon, crop=crop, source_entity=source, simulated=simulated,
                )  # fmt: skip
                await self._ctx.emit(opened, entity=entity)
        await self._alarms.raise_alarm(
            title, priority, incident=entity, subject=source, lat=lat, lon=lon, simulated=simulated
        )
        return entity

    async def call_note(
        self,
        text: Annotated[str, Field(min_length=1, max_length=4000)],
        place: Annotated[str, Field(max_length=200)] = "",
        priority: Priority = Priority.HIGH,
        lat: Annotated[float | None, Field(ge=-90, le=90)] = None,
        lon: Annotated[float | None, Field(ge=-180, le=180)] = None,
    ) -> str:
        """A call to 191 as an incident, typed while the caller speaks; its entity id."""
        first_line = text.strip().splitlines()[0][:200]
        title = f"{first_line} ({place})" if place else first_line
        entity = await self.open("call_191", title, priority, lat=lat, lon=lon)
        notes = [event for event in await self._ctx.history(_notes(entity)) if event.data.get("text") == text]
        if not notes:
            await self._ctx.emit(IncidentNoted(text=text, by=current_call().actor), entity=entity)
        return entity

    async def _next_reference(self) -> str:
        """``690123-004``: Buddhist-era date of the station and a number of the day, to be said aloud."""
        day = datetime.datetime.fromtimestamp(self._ctx.clock.now(), BANGKOK)
        prefix = f"{(day.year + 543) % 100:02d}{day:%m%d}-"
        used = [str(i.attributes.get("reference", "")) for i in await self._ctx.states("incident")]
        numbers = [int(r.removeprefix(prefix)) for r in used if r.startswith(prefix) and r[len(prefix) :].isdigit()]
        return f"{prefix}{max(numbers, default=0) + 1:03d}"

    async def nearest_unit(self, incident: EntityState) -> tuple[EntityState, float | None]:
        """The available unit with a fresh position that is nearest, and its distance in metres. ``NotFound`` and a
        line on the timeline when there is none."""
        now = self._ctx.clock.now()
        units = [
            unit for unit in await self._ctx.states("unit")
            if unit.state == "available" and unit.entity not in self.promised
            and not unit.attributes.get("sos_at")  # who calls for help is not sent to help
            and now - float(unit.attributes.get("fix_at") or 0) <= self._max_age
        ]  # fmt: skip
        if not units:
            words = f"ไม่มีสายตรวจว่างที่รู้ตำแหน่งภายใน {self._max_age:g} วินาที / no unit is available"
            await self._ctx.emit(IncidentNoted(text=words, by="hub"), entity=incident.entity)
            raise NotFound(
                f"no unit is available with a position of the last {self._max_age:g} s", where=incident.entity,
                hint="call a unit by radio and assign it by name",
            )  # fmt: skip
        lat, lon = incident.attributes.get("lat"), incident.attributes.get("lon")
        if lat is None or lon is None:
            return units[0], None
        there = (float(lat), float(lon))
        ranked = [(distance_m(there, (u.attributes["lat"], u.attributes["lon"])), u.entity, u) for u in units]
        distance, _, unit = min(ranked, key=lambda row: row[:2])
        return unit, distance

    async def tell_unit(self, incident: EntityState, unit: str, key: str) -> None:
        """Put the task on the unit's phone; a phone that cannot be reached is noted on the timeline."""
        a = incident.attributes
        params = {"text": a.get("title", ""), "incident": incident.entity, "lat": a.get("lat"), "lon": a.get("lon")}
        outcome = await self._ctx.call("unit.alert", unit, params, key=f"{key}:alert")
        if outcome.status == "done":
            busy = {"status": "busy", "incident": incident.entity}
            outcome = await self._ctx.call("unit.set_status", unit, busy, key=f"{key}:busy")
        if outcome.status != "done":
            words = f"{unit}: {(outcome.error or {}).get('message', outcome.status)}"
            await self._ctx.emit(IncidentNoted(text=words, by="hub"), entity=incident.entity)

    async def free_unit(self, incident: EntityState, key: str) -> None:
        """Its unit is available again, unless it is busy with another case by now."""
        unit = incident.attributes.get("unit")
        state = await self._ctx.state(unit) if isinstance(unit, str) else None
        if state is not None and state.state == "busy" and state.attributes.get("incident") == incident.entity:
            await self._ctx.call("unit.set_status", unit, {"status": "available"}, key=f"{key}:free")

    async def settle_alarms(self, incident: str, act: Callable[[str], Awaitable[None]]) -> None:
        """Do the same with every alarm of an incident."""
        for alarm in await self._alarms.of_incident(incident):
            await act(alarm)

    @property
    def alarms(self) -> AlarmBook:
        """The alarms."""
        return self._alarms


@dataclass(frozen=True, slots=True)
class _Incident:
    """Serves the actions of one incident."""

    ctx: Context
    book: IncidentBook
    entity: str
    owning: asyncio.Lock = field(default_factory=asyncio.Lock)  # two officers at once: one of them gets it

    async def _open_state(self) -> EntityState:
        incident = await self.ctx.state(self.entity)
        if incident is None or incident.state == "closed":
            raise Conflict("this incident is closed", where=self.entity)
        return incident

    async def acknowledge(self) -> None:
        by = current_call().actor
        async with self.owning:
            incident = await self._open_state()
            owner = incident.attributes.get("owner_officer")
            if owner not in (None, by):
                raise Conflict(f"{owner} has this incident already", where=self.entity)
            if owner is None:
                # who acknowledges late, after a rule has assigned a unit, does not take the unit away
                state = "assigned" if incident.state == "assigned" else "acknowledged"
                known = IncidentAcknowledged(by=by, at=self.ctx.clock.now(), state=state)
                await self.ctx.emit(known, entity=self.entity)
        await self.book.settle_alarms(self.entity, lambda alarm: self.book.alarms.acknowledge(alarm, by))

    async def assign(self, unit: str | None = None) -> str:
        call = current_call()
        async with self.book.choosing:
            incident = await self._open_state()
            unit = await self._give(incident, unit, call.actor)
            self.book.promised.add(unit)
        try:
            if incident.attributes.get("unit") != unit:
                await self.book.free_unit(incident, call.key)
            await self.book.tell_unit(incident, unit, call.key)
        finally:
            self.book.promised.discard(unit)
        return unit

    async def _give(self, incident: EntityState, unit: str | None, by: str) -> str:
        """Write down whose case it is: the named unit's, else the nearest one's."""
        distance: float | None = None
        if unit is None:
            found, distance = await self.book.nearest_unit(incident)
            unit = found.entity
        elif not unit.startswith("unit.") or await self.ctx.state(unit) is None:
            raise NotFound(f"no unit {unit!r}", where="unit")
        rounded = None if distance is None else round(distance)
        if incident.attributes.get("unit") != unit:
            await self.ctx.emit(IncidentAssigned(unit=unit, by=by, distance_m=rounded), entity=self.entity)
        return unit

    async def note(self, text: str) -> None:
        await self.ctx.emit(IncidentNoted(text=text, by=current_call().actor), entity=self.entity)

    async def close(self, result: str, note: str = "") -> None:
        if result not in RESULTS:
            raise InvalidInput(f"{result!r} is no result", where="result", hint=f"one of {', '.join(RESULTS)}")
        call, incident = current_call(), await self._open_state()
        closed = IncidentClosed(result=result, by=call.actor, at=self.ctx.clock.now(), note=note)
        await self.ctx.emit(closed, entity=self.entity)
        await self.book.free_unit(incident, call.key)
        await self.book.settle_alarms(self.entity, lambda alarm: self.book.alarms.clear(alarm, call.actor, result))


def _notes(entity: str) -> Query:
    return Query(type="incident_noted", entity=entity, limit=100)
