"""What is: states, the zone, incidents with their timelines, events in and out."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from hub.access.audit import Ledger
from hub.access.roles import Roles
from hub.core.access import Actor
from hub.core.error import Denied, NotFound
from hub.core.event import Draft, Event
from hub.core.journal import Query
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import StateChanged
from hub.web.mask import Mask
from hub.web.route import Ask, Body, NoBody, Route

MAX_LIMIT = 1_000
MAX_INCIDENTS = 200
TIMELINE = 200


class EmitBody(Body):
    """An event from outside."""

    type: str = Field(max_length=80)
    data: dict[str, Any]
    entity: str | None = Field(None, max_length=120)
    at: float | None = None


class StateApi:
    """Reads wait for the commit of what they show (invariant 1); looking through events that hold people's data leaves
    an audit line with the purpose."""

    def __init__(self, pipeline: Pipeline, roles: Roles, mask: Mask, ledger: Ledger, zone: dict[str, Any]) -> None:
        self._pipeline, self._roles, self._mask, self._ledger, self._zone = pipeline, roles, mask, ledger, zone

    def routes(self) -> list[Route]:
        """Its part of the table."""
        return [
            Route("GET", "/api/zone", "state.read", "The zone: border, areas, places", self.zone),
            Route("GET", "/api/states", "state.read", "All states", self.states, filtered=True),
            Route("GET", "/api/states/{entity}", "state.read", "One state", self.one, filtered=True),
            Route("GET", "/api/events", "event.read", "Committed events", self.events, filtered=True),
            Route("POST", "/api/events", "event.emit", "Send an event in", self.emit, EmitBody, filtered=True),
            Route("GET", "/api/incidents", "incident.read", "Incidents with timelines", self.incidents, filtered=True),
            Route("GET", "/api/incidents/{id}", "incident.read", "One incident", self.incident, filtered=True),
        ]

    async def zone(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return self._zone

    async def states(self, ask: Ask[NoBody]) -> dict[str, Any]:
        domain, cleared = ask.word("domain"), self._mask.cleared(ask.actor)
        found = [
            entity for entity in self._pipeline.state
            if (domain is None or entity.domain == domain) and self._mask.may_read(ask.actor, entity)
        ]  # fmt: skip
        seq = self._pipeline.state.seq
        await self._pipeline.settled()
        return {"seq": seq, "states": [self._mask.state(entity, cleared) for entity in found]}

    async def one(self, ask: Ask[NoBody]) -> dict[str, Any]:
        entity = self._need(ask.path["entity"], ask.actor)
        await self._pipeline.settled()
        return self._mask.state(entity, self._mask.cleared(ask.actor))

    def _need(self, name: str, actor: Actor) -> EntityState:
        entity = self._pipeline.state.get(name)
        if entity is None or not self._mask.may_read(actor, entity):
            raise NotFound(f"no entity {name!r}", where=name)
        return entity

    async def events(self, ask: Ask[NoBody]) -> list[dict[str, Any]]:
        query = Query(
            type=ask.word("type"), entity=ask.word("entity"), cause=ask.word("cause"), after=ask.number("after", 0),
            before=ask.number("before", 0) or None, limit=ask.number("limit", 100, lowest=1, highest=MAX_LIMIT),
            newest=ask.word("newest") == "1",
        )  # fmt: skip
        found = await asyncio.to_thread(self._pipeline.journal.read, query)
        return await self._shown(found, ask.actor)

    async def _shown(self, events: list[Event], actor: Actor) -> list[dict[str, Any]]:
        cleared = self._mask.cleared(actor)
        shown = [event for event in events if self._mask.may_see(actor, "event.read", event.entity)]
        if cleared:
            await self._note_look_up(shown, actor)
        return [self._mask.event(event, cleared) for event in shown]

    async def _note_look_up(self, events: list[Event], actor: Actor) -> None:
        looked = sorted({event.type for event in events if self._is_personal(event)})
        if looked:
            self._ledger.record(actor.id, "event.read", ", ".join(looked), actor.purpose, {"events": len(events)})
            await self._pipeline.settled()

    def _is_personal(self, event: Event) -> bool:
        kind = self._pipeline.types.get(event.type)
        return kind is not None and bool(kind.personal)

    async def emit(self, ask: Ask[EmitBody]) -> dict[str, Any]:
        body = ask.body
        kind = self._pipeline.types.need(body.type)
        entity = self._pipeline.state.get(body.entity) if body.entity else None
        self._roles.check_emit(ask.actor, kind, entity)
        if kind.name == StateChanged.type.name:  # a caller of the API has no entities of its own (invariant 13)
            raise Denied("state_changed is a plugin's word about its own entities", where=kind.name,
                         hint="send the event type that says what happened")  # fmt: skip
        if body.entity is not None and entity is None:
            raise NotFound(f"no entity {body.entity!r}", where="entity", hint="events are about entities that exist")
        draft = Draft(kind.name, kind.validate(body.data), ask.actor.id, body.entity, body.at, lane=kind.lane)
        event = await self._pipeline.submit(draft)
        return {"seq": event.seq, "id": event.id}

    async def incidents(self, ask: Ask[NoBody]) -> dict[str, Any]:
        wanted = ask.word("state")
        found = [
            entity for entity in self._pipeline.state
            if entity.domain == "incident" and wanted in (None, entity.state) and self._mask.may_read(ask.actor, entity)
        ]  # fmt: skip
        found.sort(key=lambda entity: -entity.seq)
        return {"incidents": [await self._with_timeline(entity, ask.actor) for entity in found[:MAX_INCIDENTS]]}

    async def incident(self, ask: Ask[NoBody]) -> dict[str, Any]:
        name = ask.path["id"]
        return await self._with_timeline(
            self._need(name if "." in name else f"incident.{name}", ask.actor), ask.actor
        )

    async def _with_timeline(self, entity: EntityState, actor: Actor) -> dict[str, Any]:
        await self._pipeline.settled()
        query = Query(entity=entity.entity, limit=TIMELINE, newest=True)
        timeline = await asyncio.to_thread(self._pipeline.journal.read, query)
        cleared = self._mask.cleared(actor)
        shown = [self._mask.event(event, cleared) for event in reversed(timeline)]
        return {**self._mask.state(entity, cleared), "timeline": shown}
