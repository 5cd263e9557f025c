"""``for:`` of triggers: what must last a while before it counts. Each is a record, so it survives a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hub.automation.execution.values import from_json, to_json
from hub.automation.host import Host
from hub.automation.language.model import Trigger
from hub.automation.templates.views import World
from hub.core.clock import Timer
from hub.core.event import Event
from hub.core.journal import Drop, Put

RUNS = "runs"
PREFIX = "for:"
MAX_HOLDS = 20_000


class Watcher(Protocol):
    """Armed triggers. ``stills``: trigger path → does it still last for this entity?"""

    name: str
    version: str
    triggers: Sequence[Trigger]
    fire: Callable[[Trigger, dict[str, Any], Event | None], None]
    stills: dict[str, Callable[[str], bool]]


@dataclass(slots=True, eq=False)
class Hold:
    """Something that lasts since some time. ``seen``: the values before and after the change that began it."""

    key: str
    armed: Watcher
    trigger: Trigger
    until: float
    values: dict[str, Any]
    event: Event | None
    seen: list[Any]
    timer: Timer | None = None


class Holds:
    """All of them, by automation, trigger and entity."""

    def __init__(self, host: Host, world: World) -> None:
        self._host, self._world = host, world
        self._holds: dict[str, Hold] = {}
        self._of: dict[str, set[str]] = {}

    def get(self, automation: str, path: str, entity: str) -> Hold | None:
        return self._holds.get(_key(automation, path, entity))

    def begin(
        self, armed: Watcher, trigger: Trigger, entity: str, wait: float, values: dict[str, Any], event: Event | None,
        seen: list[Any],
    ) -> None:  # fmt: skip
        """Fire after ``wait`` seconds unless ``check`` ends it before. A running one is begun anew."""
        key = _key(armed.name, trigger.path, entity)
        self._end(key)
        if len(self._holds) >= MAX_HOLDS:
            raise ValueError(f"{MAX_HOLDS} triggers wait for something to last")
        hold = Hold(key, armed, trigger, self._host.clock.now() + wait, values, event, seen)
        record = {
            "automation": armed.name, "version": armed.version, "trigger": trigger.path,
            "entity": entity, "until": hold.until, "values": to_json(values), "seen": to_json(seen),
            "event": event.as_data() if event else None,
        }  # fmt: skip
        self._host.put(Put(RUNS, key, record, sealed="actions"))
        self._add(hold)

    def _add(self, hold: Hold) -> None:
        self._holds[hold.key] = hold
        self._of.setdefault(hold.armed.name, set()).add(hold.key)
        hold.timer = self._host.clock.call_at(hold.until, lambda: self._due(hold))

    def check(self, automation: str, path: str, entity: str, lasts: Callable[[Hold], bool]) -> None:
        """The world changed: does it still last?"""
        hold = self._holds.get(_key(automation, path, entity))
        if hold is not None and not lasts(hold):
            self._end(hold.key)

    def drop_of(self, automation: str) -> None:
        """The automation hears nothing more."""
        for key in tuple(self._of.get(automation, ())):
            self._end(key)

    def _end(self, key: str) -> None:
        hold = self._holds.pop(key, None)
        if hold is None:
            return
        if hold.timer is not None:
            hold.timer.cancel()
        keys = self._of[hold.armed.name]
        keys.discard(key)
        if not keys:
            del self._of[hold.armed.name]
        self._host.put(Drop(RUNS, key))

    def _due(self, hold: Hold) -> None:
        if self._holds.get(hold.key) is hold:
            self._end(hold.key)
            hold.armed.fire(hold.trigger, hold.values, hold.event)

    def resume(self, armed: Mapping[str, Watcher]) -> None:
        """Take up what the records hold: of the same version, and only what still lasts."""
        for key, data in self._host.records(RUNS):
            if not key.startswith(PREFIX) or key in self._holds:
                continue
            of = armed.get(data["automation"])
            still = of.stills.get(data["trigger"]) if of and of.version == data["version"] else None
            if of is None or still is None:
                self._host.put(Drop(RUNS, key))
                continue
            trigger = next(part for part in of.triggers if part.path == data["trigger"])
            zone = self._world.zone
            hold = Hold(
                key, of, trigger, data["until"], from_json(data["values"], zone),
                Event.from_data(data["event"]) if data["event"] else None, from_json(data["seen"], zone),
            )  # fmt: skip
            self._add(hold)
            if not still(data["entity"]):
                self._end(key)
            elif hold.until <= self._host.clock.now():
                self._due(hold)

    def forget(self) -> None:
        """Drop everything in memory: it is read again from the records."""
        for hold in self._holds.values():
            if hold.timer is not None:
                hold.timer.cancel()
        self._holds.clear()
        self._of.clear()


def _key(automation: str, path: str, entity: str) -> str:
    return f"{PREFIX}{automation}|{path}|{entity}"
