"""Names a template may use: functions, filters, and the attributes of values. What is not here does not exist.

Meanings follow Home Assistant's templating (docs: "Templating"), times are in the zone's own time zone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import chain
from typing import Any, Protocol

from hub.automation.templates.bounds import bounded_range, formatted_time, joined, replaced
from hub.core.clock import Clock
from hub.core.event import Event
from hub.core.state import UNAVAILABLE, UNKNOWN, EntityState, State

_REQUIRED: Any = object()


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
            return _name_of(raw)
        if name == "last_changed":
            return datetime.fromtimestamp(raw.changed, self._zone)
        if name == "last_updated":
            return datetime.fromtimestamp(raw.updated, self._zone)
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

    def get(self, entity: str) -> EntityState | None:
        if self.reads is not None:
            self.reads.entities.add(entity)
        return self.state.get(entity) or self.provider.entity(entity)

    def view(self, entity: str) -> StateView | None:
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
        return raw.state if raw else UNKNOWN

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


_TEXT_METHODS = frozenset(
    "upper lower strip lstrip rstrip startswith endswith split title capitalize find count isdigit isnumeric isalpha "
    "removeprefix removesuffix index".split()
)
_METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _TEXT_METHODS),
    (Mapping, frozenset({"get", "keys", "values", "items"})),
    (list, frozenset({"index", "count"})),
    (tuple, frozenset({"index", "count"})),
    (datetime, frozenset("year month day hour minute second date time timestamp isoformat weekday isoweekday".split())),
    (date, frozenset("year month day isoformat weekday isoweekday".split())),
    (time, frozenset("hour minute second isoformat".split())),
    (timedelta, frozenset("days seconds total_seconds".split())),
)  # fmt: skip


def lookup(value: Any, name: Any) -> Any:
    """``value.name`` or ``value[name]``; ``KeyError`` when there is no such thing for a template."""
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
    elif isinstance(value, list | tuple | str) and isinstance(name, int | slice):
        return value[name]
    elif isinstance(value, StateView | EventView | States | Domain) and isinstance(name, str):
        return value.lookup(name)
    if isinstance(value, str) and name == "replace":
        return lambda old, new, count=-1: replaced(value, old, new, count)
    if isinstance(value, str) and name == "join":
        return lambda values: joined(values, value)
    if isinstance(value, datetime | date | time) and name == "strftime":
        return lambda form: formatted_time(value, form)
    for kind, names in _METHODS:
        if isinstance(value, kind):
            if name in names:
                return getattr(value, name)
            break
    raise KeyError(name)


def functions(world: World) -> dict[str, Any]:
    """The global functions."""

    def state_attr(entity: str, name: str) -> Any:
        raw = world.get(entity)
        return raw.attributes.get(name) if raw else None

    def is_state(entity: str, value: Any) -> bool:
        raw = world.get(entity)
        return raw is not None and (raw.state in value if isinstance(value, list) else raw.state == value)

    def is_state_attr(entity: str, name: str, value: Any) -> bool:
        return bool(state_attr(entity, name) == value) and world.state.get(entity) is not None

    def has_value(entity: str) -> bool:
        raw = world.get(entity)
        return raw is not None and raw.state not in (UNKNOWN, UNAVAILABLE)

    def today_at(clock: str = "00:00") -> datetime:
        return datetime.combine(world.now().date(), time.fromisoformat(clock), world.zone)

    return {
        "states": States(world), "state_attr": state_attr, "is_state": is_state, "is_state_attr": is_state_attr,
        "has_value": has_value, "now": world.now, "utcnow": lambda: world.now().astimezone(UTC),
        "today_at": today_at, "timedelta": timedelta, "as_timestamp": as_timestamp, "as_datetime": as_datetime,
        "float": forgiving_float, "int": forgiving_int, "iif": iif, "min": _smallest, "max": _largest,
        "range": bounded_range,
    }  # fmt: skip


def forgiving_float(value: Any, default: Any = _REQUIRED) -> Any:
    """A number with fraction; ``default`` when it is none."""
    try:
        return float(value)
    except (ValueError, TypeError):
        return _or_default("float", value, default)


def forgiving_int(value: Any, default: Any = _REQUIRED, base: int = 10) -> Any:
    """A whole number; ``default`` when it is none."""
    try:
        return int(value, base) if isinstance(value, str) and base != 10 else int(float(value))
    except (ValueError, TypeError, OverflowError):
        return _or_default("int", value, default)


def _or_default(name: str, value: Any, default: Any) -> Any:
    if default is _REQUIRED:
        raise ValueError(f"{name} got {str(value)[:40]!r}, which is no number, and there is no default")
    return default


def rounded(value: Any, precision: int = 0, method: str = "common", default: Any = _REQUIRED) -> Any:
    """Rounded to ``precision`` places: common, ceil, floor or half."""
    try:
        number, scale = float(value), 10.0**precision
        if method == "ceil":
            number = math.ceil(number * scale) / scale
        elif method == "floor":
            number = math.floor(number * scale) / scale
        elif method == "half":
            number = round(number * 2) / 2
        else:
            number = round(number, precision)
    except (ValueError, TypeError, OverflowError):
        return _or_default("round", value, default)
    return int(number) if precision == 0 and method != "half" else number


def as_timestamp(value: Any, default: Any = _REQUIRED) -> Any:
    """Seconds since the epoch."""
    try:
        moment = as_datetime(value)
        return moment.timestamp()
    except (ValueError, TypeError, AttributeError):
        return _or_default("as_timestamp", value, default)


def as_datetime(value: Any) -> Any:
    """A time from ISO 8601 text or seconds since the epoch."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(str(value))


def iif(value: Any, if_true: Any = True, if_false: Any = False, if_none: Any = _REQUIRED) -> Any:
    """One of two values, by a condition."""
    if value is None and if_none is not _REQUIRED:
        return if_none
    return if_true if value else if_false


def _smallest(*values: Any) -> Any:
    return min(values[0] if len(values) == 1 else values)


def _largest(*values: Any) -> Any:
    return max(values[0] if len(values) == 1 else values)


def _summed(values: Any) -> Any:
    return sum(value for value in values if isinstance(value, int | float))


def _name_of(raw: EntityState) -> str:
    name = raw.attributes.get("name")
    return str(name.get("th") or name.get("en")) if isinstance(name, Mapping) else raw.entity


# Filters that are plain functions; jinja's own that are harmless on bounded values are listed in template.py.
FILTERS: dict[str, Callable[..., Any]] = {
    "int": forgiving_int, "float": forgiving_float, "round": rounded, "iif": iif, "join": joined, "replace": replaced,
    "as_timestamp": as_timestamp, "as_datetime": as_datetime, "sum": _summed, "string": str,
    "lower": lambda value: str(value).lower(), "upper": lambda value: str(value).upper(),
    "title": lambda value: str(value).title(), "capitalize": lambda value: str(value).capitalize(),
    "trim": lambda value: str(value).strip(), "abs": abs, "bool": bool,
    "to_json": lambda value: json.dumps(value, ensure_ascii=False),
}  # fmt: skip


def state_filters(names: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    """Functions of state that may stand behind a bar: ``'light.x' | states``."""
    return {name: names[name] for name in ("states", "state_attr", "is_state", "is_state_attr", "has_value")}
