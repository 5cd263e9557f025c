"""Who asks, and what the core needs to know of rights. ``hub.access`` implements ``Authorizer``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from hub.core.state import EntityState


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. ``id`` is ``user:NAME``, ``token:ID``, ``automation:ID``, ``instance:NAME`` or ``system``.

    ``roles`` are those it acts with: an automation carries its publisher's. ``owner`` limits a partner to entities
    whose attribute ``owner`` is the same. ``grants`` are rights beyond the roles (``event.emit:plate_read``).
    ``purpose`` is the open incident or named duty for which people's data is looked at.
    """

    id: str
    roles: frozenset[str] = frozenset()
    owner: str | None = None
    grants: frozenset[str] = frozenset()
    purpose: str | None = None
    person: bool = field(default=False)  # a human being answered for this call: only such may confirm


SYSTEM = Actor("system", frozenset({"system"}))


class Authorizer(Protocol):
    """Decides rights; deny by default."""

    def check(self, actor: Actor, right: str, entity: EntityState | None = None) -> None:
        """Return when ``actor`` has ``right`` (on ``entity``); raise ``Denied`` naming the right otherwise."""
