"""State: what the events say of each entity, folded in memory.

``State.apply`` is the only way to change it, so ``replay(snapshot N, events after N) == state``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from hub.core.event import Event, EventTypes

UNKNOWN = "unknown"
UNAVAILABLE = "unavailable"


class EntityState(NamedTuple):
    """One entity's state. ``changed``: when the state string last changed, ``updated``: the last event's ``at``.

    ``personal`` says of the attributes that came from personal fields which kind they are (``Personal``): they are
    masked for readers not cleared.
    """

    entity: str
    state: str
    attributes: Mapping[str, Any]
    changed: float
    updated: float
    seq: int
    personal: Mapping[str, str] = MappingProxyType({})

    @property
    def domain(self) -> str:
        """The part before the dot: ``camera`` of ``camera.gold_shop_3``."""
        return self.entity.partition(".")[0]

    def as_data(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "entity": self.entity, "state": self.state, "attributes": self.attributes,
            "changed": self.changed, "updated": self.updated, "seq": self.seq,
        }  # fmt: skip


class Change(NamedTuple):
    """What one event did to one entity; ``old`` or ``new`` is ``None`` when it appeared or went."""

    event: Event
    entity: str
    old: EntityState | None
    new: EntityState | None


class State:
    """All entities' states."""

    def __init__(self, types: EventTypes) -> None:
        self._types = types
        self._entities: dict[str, EntityState] = {}
        self.seq = 0

    def get(self, entity: str) -> EntityState | None:
        """One entity, or ``None``."""
        return self._entities.get(entity)

    def __iter__(self) -> Iterator[EntityState]:
        return iter(self._entities.values())

    def __len__(self) -> int:
        return len(self._entities)

    def apply(self, event: Event) -> Change | None:
        """Fold one event; ``None`` when its type projects nothing or it names no entity."""
        self.seq = event.seq
        kind = self._types.get(event.type)
        if kind is None or kind.projection is None or event.entity is None:
            return None
        projection, old = kind.projection, self._entities.get(event.entity)
        if projection.remove:
            self._entities.pop(event.entity, None)
            return Change(event, event.entity, old, None) if old else None
        value = projection.state
        if projection.state_from is not None:
            raw = event.data.get(projection.state_from)
            value = None if raw is None else _as_state(raw)
        if value is None:
            value = old.state if old else UNKNOWN
        attributes = dict(old.attributes) if old else {}
        personal = old.personal if old else {}
        for attribute, source in projection.attributes.items():
            if source in event.data:
                attributes[attribute] = event.data[source]
                if source in kind.personal and attribute not in personal:
                    personal = {**personal, attribute: kind.personal[source].value}
        if projection.merge_from is not None:
            attributes.update(event.data.get(projection.merge_from) or {})
        changed = old.changed if old and old.state == value else event.at
        new = EntityState(event.entity, value, attributes, changed, event.at, event.seq, personal)
        self._entities[event.entity] = new
        return Change(event, event.entity, old, new)

    def dump(self) -> list[dict[str, Any]]:
        """All entities as JSON data, for a snapshot at ``seq``."""
        return [{**entity.as_data(), "personal": dict(entity.personal)} for entity in self._entities.values()]

    def load(self, seq: int, entities: Iterable[Mapping[str, Any]]) -> None:
        """Become the snapshot."""
        self.seq = seq
        self._entities = {data["entity"]: EntityState(**data) for data in entities}


def _as_state(raw: object) -> str:
    if isinstance(raw, bool):
        return "on" if raw else "off"
    return str(raw)
