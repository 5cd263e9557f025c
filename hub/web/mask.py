"""What a reader may see: personal fields are masked, and events of entities that are not theirs left out."""

from __future__ import annotations

from typing import Any

from hub.access.roles import Roles
from hub.core.access import Actor
from hub.core.event import Event, EventTypes
from hub.core.state import Change, EntityState, State

MASK = "•••"
CLEARED = "personal.read"
# What a domain's states need beyond ``state.read``: not everybody who sees the lamps sees the cases.
DOMAIN_RIGHTS = {
    "alarm": "incident.read", "incident": "incident.read", "confirmation": "incident.read", "hit": "incident.read",
    "unit": "unit.read",
}  # fmt: skip
_NOBODYS = EntityState("hub.hub", "unknown", {}, 0.0, 0.0, 0)


class Mask:
    """Turns events and states into what one kind of reader may see."""

    def __init__(self, types: EventTypes, state: State, roles: Roles) -> None:
        self._types, self._state, self._roles = types, state, roles

    def cleared(self, actor: Actor) -> bool:
        """May the actor see personal data?"""
        return self._roles.may(actor, CLEARED)

    def may_see(self, actor: Actor, right: str, entity: str | None, change: Change | None = None) -> bool:
        """May the actor see things of this entity? What is about no entity, or about one that is not there, is
        nobody's own; ``change`` says what the entity was at an event, for it may be gone by now."""
        then = (change.new or change.old) if change is not None else None
        about = then or (self._state.get(entity) if entity else None) or _NOBODYS
        return self._roles.may(actor, right, about)

    def may_read(self, actor: Actor, entity: EntityState) -> bool:
        """May the actor see this entity's state? The right to all states, or to this one, and its domain's right."""
        needed = DOMAIN_RIGHTS.get(entity.domain)
        return self._roles.may(actor, "state.read", entity) and (
            needed is None or self._roles.may(actor, needed, entity)
        )

    def may_follow(self, actor: Actor, entity: str | None, change: Change | None) -> bool:
        """May the actor see this entity's changes on the stream?"""
        then = (change.new or change.old) if change is not None else None
        return self.may_read(actor, then or (self._state.get(entity) if entity else None) or _NOBODYS)

    def event(self, event: Event, cleared: bool) -> dict[str, Any]:
        """An event as JSON data."""
        data = event.as_data()
        kind = self._types.get(event.type)
        if not cleared and kind is not None and kind.personal:
            data["data"] = {key: MASK if key in kind.personal else value for key, value in event.data.items()}
        return data

    @staticmethod
    def state(entity: EntityState, cleared: bool) -> dict[str, Any]:
        """A state as JSON data."""
        data = entity.as_data()
        if not cleared and entity.personal:
            data["attributes"] = {
                key: MASK if key in entity.personal else value for key, value in entity.attributes.items()
            }
        return data
