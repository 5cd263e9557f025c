"""A small zone for tests: real pipeline, actions and engine over a journal in memory, a clock moved by hand."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping
from random import Random
from typing import Annotated, Any, Protocol
from zoneinfo import ZoneInfo

from hub.automation import Catalogue, Engine, Source, live
from hub.automation.language.blueprint import Blueprints, no_blueprints
from hub.core.access import Actor
from hub.core.action import ActionSpec, Call, action, actions_of, params_of
from hub.core.actions import Actions
from hub.core.clock import Clock, ManualClock
from hub.core.error import ActionFailed, Denied
from hub.core.event import Draft, Event, EventData, EventTypes, Personal, event_type, personal
from hub.core.ids import Ids
from hub.core.journal import Journal, MemoryJournal, Query
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import SYSTEM_TYPES
from hub.core.text import Text

BANGKOK = ZoneInfo("Asia/Bangkok")
OFFICER = Actor("user:somchai", frozenset({"operator"}), person=True)
START = 1_700_000_000.0  # 2023-11-15 05:13:20 in Bangkok


class Light(Protocol):
    @action("เปิดไฟ", "Turn on", idempotent=True)
    async def turn_on(self, brightness: int = 100, note: str = "") -> str:
        """On."""

    @action("ดับไฟ", "Turn off", idempotent=True)
    async def turn_off(self) -> None:
        """Off."""


class Drone(Protocol):
    @action("ส่งโดรน", "Dispatch", right="drone.dispatch", dangerous=True)
    async def dispatch(self, lat: float, lon: float) -> None:
        """Go."""


@event_type("plate_read", "อ่านป้าย", "Plate read")
class PlateRead(EventData):
    plate: Annotated[str, personal(Personal.PLATE)]
    province: str = ""
    confidence: float = 1.0


async def _tell(to: str, text: str = "") -> str:
    """Parameters of notify.tell."""
    return to + text


TELL = ActionSpec("notify.tell", Text("แจ้ง", "Tell"), "notify.control", params_of(_tell, "notify.tell"))


class Rights:
    """Lets everything pass except what is in ``denied``; remembers who asked."""

    def __init__(self) -> None:
        self.denied: set[str] = set()
        self.asked: list[tuple[str, str, frozenset[str]]] = []

    def check(self, actor: Actor, right: str, entity: EntityState | None = None) -> None:
        self.asked.append((actor.id, right, actor.roles))
        if right in self.denied:
            raise Denied(f"{actor.id} lacks {right}", where=right)


class Zone:
    """``calls``: what devices were asked, as (action, target, params). ``answers``: action → result or exception."""

    def __init__(
        self, journal: MemoryJournal | None = None, *, now: float = START, seed: int = 7,
        blueprints: Blueprints = no_blueprints, publisher_now: Callable[[Actor], Actor | None] = lambda actor: actor,
        opener: Callable[[EventTypes, Clock], Journal] | None = None,
    ) -> None:  # fmt: skip
        self.clock = ManualClock(now)
        self.types = EventTypes((*SYSTEM_TYPES, PlateRead.type))
        self.journal: Journal = opener(self.types, self.clock) if opener else journal or MemoryJournal()
        self.pipeline = Pipeline(self.journal, self.types, self.clock, Ids(self.clock, Random(seed)))
        self.rights = Rights()
        self.actions = Actions(self.pipeline, self.rights)
        self.specs = {**actions_of(Light, "light"), **actions_of(Drone, "drone"), "notify.tell": TELL}
        self.actions.declare(self.specs)
        self.engine = Engine(
            live(self.pipeline, self.actions, self.rights), BANGKOK, blueprints=blueprints, publisher_now=publisher_now
        )
        self.calls: list[tuple[str, str | None, Mapping[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.gate: asyncio.Event | None = None  # when set, devices answer only after it

    @property
    def known(self) -> Catalogue:
        return Catalogue(
            {entity.entity: tuple(entity.attributes.get("capabilities", ())) for entity in self.pipeline.state},
            self.specs, {kind.name: kind for kind in self.types},
        )  # fmt: skip

    async def start(self, text: str = "", *, file: str = "a.yaml", serve: bool = True) -> Zone:
        await self.pipeline.start()
        if not self.pipeline.state.seq:
            for entity in ("light.a", "light.b", "drone.d", "sensor.t"):
                self.add(entity)
        self.actions.resume()
        if serve:
            self.serve()
            await self.idle()  # devices may answer before the engine has taken up its runs
        mistakes = self.engine.load([Source(text, file, OFFICER)] if text else [])
        assert mistakes == []
        self.engine.resume()
        await self.idle()
        return self

    def serve(self) -> None:
        for entity in ("light.a", "light.b", "drone.d"):
            self.actions.attach(entity, self._execute)
        self.actions.provide(TELL, self._execute)

    async def _execute(self, call: Call) -> Any:
        self.calls.append((call.action, call.target, call.params))
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.get(call.action)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def add(self, entity: str) -> None:
        description = {"capabilities": [entity.partition(".")[0]]}
        self.pipeline.emit(Draft("entity_added", {"description": description}, "hub", entity))

    def set(self, entity: str, state: str | None = None, **attributes: Any) -> Event:
        data = {"state": state, "attributes": attributes}
        return self.pipeline.emit(Draft("state_changed", data, "instance:test", entity))

    def plate(self, plate: str, entity: str = "camera.x", depth: int = 0, **data: Any) -> Event:
        read = PlateRead(plate=plate, **data).model_dump(mode="json")
        return self.pipeline.emit(Draft("plate_read", read, "instance:cam", entity, depth=depth))

    def fire(self, kind: str, **data: Any) -> Event:
        return self.pipeline.emit(Draft(kind, data, "user:x"))

    async def idle(self) -> None:
        """Until everything is committed and no device call runs (but those held at the gate)."""
        async with asyncio.timeout(5):
            quiet = 0
            while quiet < 2:
                await self.pipeline.settled()
                running = self._running()
                await asyncio.gather(*running)
                await asyncio.sleep(0)  # the loop's next turn: what the commit let go begins there
                quiet = 0 if running or self.pipeline._open else quiet + 1

    def _running(self) -> list[asyncio.Task[Any]]:
        return [] if self.gate else list(self.actions._tasks)

    async def after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.idle()

    def events(self, kind: str) -> list[Event]:
        return self.journal.read(Query(type=kind, limit=100_000))

    async def events_of(self, kind: str) -> list[Event]:
        """The same when everything is committed."""
        await self.idle()
        return self.events(kind)

    def told(self) -> list[str]:
        """What notify.tell said, in order."""
        return [str(params["text"]) for name, _, params in self.calls if name == "notify.tell"]

    def runs(self) -> list[tuple[str, Any]]:
        return list(self.journal.records("runs"))

    def trace(self, automation: str) -> dict[str, Any]:
        return self.engine.traces(automation)[0]

    async def restart(self, text: str = "", *, down: float = 0.0, serve: bool = True) -> Zone:
        """The hub dies now and comes back after ``down`` seconds, from the journal alone."""
        self.engine.stop()
        other = Zone(copied(self.journal), now=self.clock.now() + down, seed=8)
        return await other.start(text, serve=serve)


def copied(journal: Journal) -> MemoryJournal:
    """What is durable, as a process that starts would read it."""
    assert isinstance(journal, MemoryJournal)
    other = MemoryJournal()
    other._events = list(journal._events)
    other._records = copy.deepcopy(journal._records)
    return other


FAILED = ActionFailed("lamp broken", where="light.a")
