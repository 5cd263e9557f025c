"""What a case runs in: the real state, bus, journal and engine; actions are recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hub.automation import Engine
from hub.automation.host import Host
from hub.automation.language.blueprint import Blueprints, no_blueprints
from hub.core.access import Actor
from hub.core.action import ActionSpec, Outcome
from hub.core.actions import Request
from hub.core.clock import ManualClock
from hub.core.error import InvalidInput, NotFound
from hub.core.event import Draft, Event, EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal, Record
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import SYSTEM_TYPES

ZONE = ZoneInfo("US/Pacific")  # where the vectors were recorded; those of templates in UTC
HOME = (32.87336, -117.22743)
WHO = Actor("user:vectors", grants=frozenset({"*"}), person=True)
SLACK_S = 0.5  # the recorder fires timers of the whole second that is reached


class SteppedClock(ManualClock):
    """A clock that is set, also back, and that jumps: what is due is called once, at the time it jumped to."""

    def set(self, now: float) -> None:
        """It is ``now``; nothing is called."""
        self._now = now

    def jump(self, to: float) -> None:
        """It is ``to``; what was due by then is called."""
        self._now = to
        due = sorted((entry for entry in self._due if entry[0] <= to + SLACK_S), key=lambda entry: entry[:2])
        self._due[:] = [entry for entry in self._due if entry[0] > to + SLACK_S]
        self._due.sort()
        for _, _, timer in due:
            timer.fire()


class Recorder(Host):
    """A host whose actions are the mocks of a case."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.types = EventTypes(SYSTEM_TYPES)
        self.pipeline = Pipeline(MemoryJournal(), self.types, self.clock, Ids(self.clock, Random(1)))
        self.state, self.ids, self.rules = self.pipeline.state, self.pipeline.ids, self.pipeline.rules
        self.mocks: dict[str, Any] = {}
        self.refuses = False  # an action that nobody mocked was there, unless the recording says that it was not
        self.answers: list[tuple[str, Any]] = []  # not yet told to the engine
        self.calls: list[tuple[str, dict[str, Any], set[str]]] = []

    def emit(self, draft: Draft) -> Event:
        return self.pipeline.emit(draft)

    def put(self, record: Record) -> None:
        self.pipeline.put(record)

    def records(self, table: str) -> Sequence[tuple[str, Any]]:
        return list(self.pipeline.journal.records(table))

    def owe(self, request: Request) -> str | Outcome:
        if request.action not in self.mocks:
            if self.refuses:
                raise NotFound(f"there is no action {request.action}", where=request.action)
            return str(request.key)  # nobody knows what it answered
        key, params, target = str(request.key), dict(request.params), request.target
        answer = self.mocks[request.action]
        if isinstance(answer, Exception):
            raise answer
        if target is None:
            self.calls.append((request.action, params, {key}))
        else:
            self._targeted(request.action, params, target, key)
        self.answers.append((key, answer))
        return key

    def _targeted(self, name: str, params: dict[str, Any], target: str, key: str) -> None:
        """The recorder's peer makes one call for all targets; the hub makes one for each."""
        run = key.rsplit(":", 2)[0]
        if self.calls:
            last, data, keys = self.calls[-1]
            rest = {field: value for field, value in data.items() if field != "entity_id"}
            if last == name and rest == params and run in keys and target not in data["entity_id"]:
                data["entity_id"].append(target)
                return
        self.calls.append((name, {**params, "entity_id": [target]}, {run}))

    def action(self, name: str) -> ActionSpec | None:
        return None

    def expected(self, name: str) -> bool:
        return False

    def authorize(self, actor: Actor, right: str, entity: str | None) -> None:
        return None

    def on_recover(self, forget: Any, go_on: Any) -> None:
        return None


class World:
    """One case's hub."""

    def __init__(self, blueprints: Blueprints = no_blueprints, zone: ZoneInfo = ZONE) -> None:
        self.host = Recorder()
        self.engine = Engine(self.host, zone, location=HOME, blueprints=blueprints, lenient=True)
        self.templates = self.engine._templates
        self.events: dict[str, list[Any]] = {}

    async def start(self, now: float) -> None:
        """Ready for the first step."""
        self.host.clock.set(now)
        await self.host.pipeline.start()
        self.engine.load([])
        self.engine.resume()

    def add_places(self) -> None:
        """What the recorder's peer had set up before the recording began, for the cases that name places."""
        home = {"latitude": HOME[0], "longitude": HOME[1], "radius": 100, "friendly_name": "test home"}
        self.set("zone.home", "0", home)
        near = {"latitude": 32.880837, "longitude": -117.237561, "radius": 250, "name": "test"}
        self.set("zone.test", "0", near)

    @property
    def state(self) -> Mapping[str, EntityState]:
        return {entity.entity: entity for entity in self.host.state}

    def set(self, entity: str, state: str, attributes: Mapping[str, Any], *, force: bool = False) -> None:
        """Report a state; attributes that are not named are gone."""
        held = self.host.state.get(entity)
        if len(state) > 255 or "." not in entity:
            raise InvalidInput(f"{entity}: a state has at most 255 characters", where=entity)
        gone = {name: None for name in (held.attributes if held else {}) if name not in attributes}
        wanted = {**gone, **attributes}
        if held is not None and not force and held.state == state and not _differs(held.attributes, wanted):
            return
        data = {"state": state, "attributes": wanted}
        self.host.emit(Draft("state_changed", data, "instance:vectors", entity))

    async def settle(self) -> None:
        """Everything that is ready is done."""
        while self.host.answers:
            key, answer = self.host.answers.pop(0)
            self.engine._runs.outcome(key, "done", answer if answer is not None else {}, None)
        for _ in range(3):
            await self.host.pipeline.settled()
            await asyncio.sleep(0)


def _differs(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return any(held.get(name) != value for name, value in wanted.items())
