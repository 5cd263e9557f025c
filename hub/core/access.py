"""Who asks, and what the core needs to know of rights. ``hub.access`` implements ``Authorizer``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal, Protocol

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


ViewKind = Literal["live", "recorded"]


class View(Protocol):
    """One person looking at one camera, from ``ViewGate.open`` to ``close``."""

    cut: asyncio.Event
    """Set when the view must end now (a share was revoked): whoever shows it stops within a second."""
    reason: str
    """Why it was cut, in words for the viewer; "" before."""

    def allowed(self) -> bool:
        """May it go on? Asked each second, so that hours and grants that run out end it too."""

    async def close(self) -> None:
        """It has ended; harmless when called again. Durable when it returns."""


class ViewGate(Protocol):
    """Decides who may look at a camera, and keeps who did."""

    async def open(self, actor: Actor, entity: EntityState, kind: ViewKind, purpose: str | None) -> View:
        """Begin a view; that it began is durable when this returns. ``Denied`` names what is missing."""
