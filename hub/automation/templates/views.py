"""What templates look at: the world, entities and events, and the note of what was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from itertools import chain
from random import Random
from typing import Any, Protocol

from hub.core.clock import Clock
from hub.core.event import Event
from hub.core.state import UNKNOWN, EntityState, State


class Reads:
    """What a rendering looked at: the index of template triggers."""

    __slots__ = ("domains", "entities", "time")

    def __init__(self) -> None:
        self.entities: set[str] = set()
        self.domains: set[str] = set()  # read as a whole; "*" for all
        self.time = False

    def merge(self, other: Reads) -> None:
        self.entities |= other.entities
        self.domains |= other.domains
        self.time |= other.time


class StateView:
    """An entity's state as templates see it: ``state``, ``attributes``, ``last_changed`` …"""

    __slots__ = ("_zone", "raw")

    def __init__(self, raw: EntityState, zone: tzinfo) -> None:
        self.raw, self._zone = raw, zone

    def lookup(self, name: str) -> Any:
        raw = self.raw
        if name == "state":
            return raw.state
        if name == "attributes":
            return raw.attributes
        if name == "entity_id":
            return raw.entity
        if name == "domain":
            return raw.domain
        if name == "object_id":
            return raw.entity.partition(".")[2]
        if name == "name":
            return name_of(raw)
        if name == "last_changed":
            return datetime.fromtimestamp(raw.changed, self._zone)
        if name in ("last_updated", "last_reported"):
            return datetime.fromtimestamp(raw.updated, self._zone)
        if name == "state_with_unit":
            return with_unit(raw)
        raise KeyError(name)

    def __str__(self) -> str:
        return f"<state {self.raw.entity}={self.raw.state}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StateView) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash((self.raw.entity, self.raw.seq))


class EventView:
    """The trigger's event: ``event_type``, ``data``, ``entity_id``, ``time_fired`` …"""

    __slots__ = ("_zone", "raw")
    _PLAIN = frozenset({"type", "data", "entity", "id", "seq", "source", "at", "received", "cause"})

    def __init__(self, raw: Event, zone: tzinfo) -> None:
        self.raw, self._zone = raw, zone

    def lookup(self, name: str) -> Any:
        if name == "event_type":
            return self.raw.type
        if name == "entity_id":
            return self.raw.entity
        if name == "time_fired":
            return datetime.fromtimestamp(self.raw.at, self._zone)
        if name in self._PLAIN:
            return getattr(self.raw, name)
        raise KeyError(name)

    def __str__(self) -> str:
        return f"<event {self.raw.type} {self.raw.id}>"


class Provider(Protocol):
    """Entities that are in no state of their own: automations and scripts."""

    def entity(self, name: str) -> EntityState | None:
        """One of them."""

    def entities(self) -> Iterable[EntityState]:
        """All of them."""


class Nobody:
    """There are none."""

    def entity(self, name: str) -> EntityState | None:
        return None

    def entities(self) -> Iterable[EntityState]:
        return ()


class World:
    """What templates look at, and the note of what they looked at (``reads``, while somebody wants it)."""

    def __init__(
        self, state: State, clock: Clock, zone: tzinfo, location: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        self.state, self.clock, self.zone, self.location = state, clock, zone, location
        self.reads: Reads | None = None
        self.provider: Provider = Nobody()
        self.random = Random(0)  # noqa: S311 - a choice, no secret; a replay chooses the same

    def get(self, entity: str | None) -> EntityState | None:
        """``None`` has no state: it is what a response holds that is not known."""
        if entity is None:
            return None
        found = self.state.get(entity) or self.provider.entity(entity)
        if found is None and (lower := entity.lower()) != entity:  # as ids are written, whatever the rule has
            return self.get(lower)
        if self.reads is not None:
            self.reads.entities.add(entity)
        return found

    def view(self, entity: str | None) -> StateView | None:
        raw = self.get(entity)
        return StateView(raw, self.zone) if raw else None

    def now(self) -> datetime:
        if self.reads is not None:
            self.reads.time = True
        return datetime.fromtimestamp(self.clock.now(), self.zone)

    def domain(self, name: str) -> Iterator[StateView]:
        """All entities of a domain (``*``: of all), by id."""
        if self.reads is not None:
            self.reads.domains.add(name)
        everything = chain(self.state, self.provider.entities())
        wanted = sorted((raw for raw in everything if name in ("*", raw.domain)), key=lambda raw: raw.entity)
        return (StateView(raw, self.zone) for raw in wanted)


class States:
    """``states('light.x')``, ``states.light.x.state``, ``states.light | list``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, entity: str, rounded: bool = False, with_unit: bool = False) -> str:
        raw = self._world.get(entity)
        if raw is None:
            return UNKNOWN
        text = _rounded(raw) if rounded else raw.state
        return f"{text} {unit}" if with_unit and (unit := unit_of(raw)) else text

    def __iter__(self) -> Iterator[StateView]:
        return self._world.domain("*")

    def lookup(self, name: str) -> Any:
        return Domain(self._world, name) if "." not in name else self._world.view(name)


class Domain:
    """``states.light``."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self.name = world, name

    def __iter__(self) -> Iterator[StateView]:
        return self._world.domain(self.name)

    def lookup(self, name: str) -> Any:
        return self._world.view(f"{self.name}.{name}")


def name_of(raw: EntityState) -> str:
    """What people call it."""
    about = raw.attributes
    name = about.get("friendly_name") or about.get("name")
    if isinstance(name, Mapping):
        name = name.get("th") or name.get("en")
    return str(name) if name else raw.entity.partition(".")[2].replace("_", " ")


def unit_of(raw: EntityState) -> str:
    """Its unit of measurement, or ""."""
    return str(raw.attributes.get("unit_of_measurement") or raw.attributes.get("unit") or "")


def with_unit(raw: EntityState) -> str:
    """State and unit."""
    return f"{raw.state} {unit}" if (unit := unit_of(raw)) else raw.state


def _rounded(raw: EntityState) -> str:
    """To the precision that the entity names, where it names one."""
    places = raw.attributes.get("suggested_display_precision")
    try:
        return f"{float(raw.state):.{int(places)}f}" if places is not None else raw.state
    except (ValueError, TypeError):
        return raw.state
