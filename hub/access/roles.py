"""``Roles``: decides rights from roles, from what the actor brings along, and from grants. Deny by default."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from hub.access.grants import Grants
from hub.access.rights import LISTS, OWN, ROLES, holders, matches
from hub.access.share import NEEDED
from hub.access.shares import Shares
from hub.core.access import Actor
from hub.core.error import Denied
from hub.core.event import EventType
from hub.core.state import EntityState

EMIT = "event.emit"


class Roles:
    """The hub's ``Authorizer``. ``grants`` adds rights for a time; without it only roles count. ``shares`` narrows
    what the station may do with private cameras to what their owners share.

    A right may be asked with a qualifier, ``event.emit:plate_read``: who holds ``event.emit`` or exactly that has it.
    """

    def __init__(self, grants: Grants | None = None, shares: Shares | None = None) -> None:
        self._grants, self._shares = grants, shares

    def check(self, actor: Actor, right: str, entity: EntityState | None = None) -> None:
        """Return when ``actor`` has ``right`` (on ``entity``); ``Denied`` names the right and who has it."""
        if not self.may(actor, right, entity):
            bare = right.partition(":")[0]
            if entity is not None and self._kept_private(actor, bare, entity):
                raise Denied(
                    f"{entity.entity} is a private camera that its owner does not share with {actor.id} now",
                    where=entity.entity, hint="ask the owner to share it",
                )  # fmt: skip
            having = holders(bare)
            words = f"roles that have it: {', '.join(having)}" if having else "no role has it; it needs a grant"
            raise Denied(f"{actor.id} lacks the right {right}", where=entity.entity if entity else right, hint=words)

    def may(self, actor: Actor, right: str, entity: EntityState | None = None) -> bool:
        """The same as an answer: for filtering lists."""
        bare = right.partition(":")[0]
        if entity is not None and self._kept_private(actor, bare, entity):
            return False
        return (
            _by_roles(actor.roles, bare)
            or (_by_own_roles(actor.roles, bare) and _owns(actor, bare, entity))
            or (any(_covers(grant, right) for grant in actor.grants) and _within_owner(actor, bare, entity))
            or (self._grants is not None and self._grants.allow(actor, bare, entity))
        )

    def _kept_private(self, actor: Actor, right: str, entity: EntityState) -> bool:
        """Is it a private camera, and the actor neither its owner nor one with whom it is shared?"""
        if self._shares is None or right not in NEEDED or (owner := self._shares.owner_of(entity)) is None:
            return False
        return actor.owner != owner and not self._shares.allow(actor, right, entity)

    def may_some(self, actor: Actor, right: str) -> bool:
        """Does the actor hold the right in any form: for some entity, with some qualifier? For the door of a route
        whose handler then checks exactly."""
        return (
            self.may(actor, right)
            or (_by_own_roles(actor.roles, right) and actor.owner is not None)
            or any(_covers(grant.partition(":")[0], right) for grant in actor.grants)
            or (self._grants is not None and self._grants.some(actor, right))
        )

    def check_emit(self, actor: Actor, kind: EventType, entity: EntityState | None = None) -> None:
        """May this event come in from outside in the actor's name? ``Denied`` otherwise (invariant 13)."""
        if not kind.outside:
            raise Denied(f"{kind.name} is made by the hub itself", where=kind.name, hint="send another event type")
        self.check(actor, f"{EMIT}:{kind.name}", entity)

    def may_emit(self, actor: Actor, type_name: str, entity: EntityState | None = None) -> bool:
        """Has the actor the right to emit that type for that entity? ``check_emit`` also asks the type itself."""
        return self.may(actor, f"{EMIT}:{type_name}", entity)

    @staticmethod
    def patterns(actor: Actor) -> list[str]:
        """What the actor holds, as patterns, for a screen that hides what cannot be used. Not a decision."""
        held = set(actor.grants)
        for role in actor.roles:
            held |= ROLES.get(role, frozenset()) | OWN.get(role, frozenset())
        return sorted(held)


def roles_allow(roles: Iterable[str], right: str) -> bool:
    """Do these roles have the right, on some entity at least? For narrowing a token to what its owner may do."""
    held = frozenset(roles)
    bare = right.partition(":")[0]
    return _by_roles(held, bare) or _by_own_roles(held, bare)


@lru_cache(maxsize=4096)
def _by_roles(roles: frozenset[str], right: str) -> bool:
    return any(matches(pattern, right) for role in roles for pattern in ROLES.get(role, ()))


@lru_cache(maxsize=4096)
def _by_own_roles(roles: frozenset[str], right: str) -> bool:
    return any(matches(pattern, right) for role in roles for pattern in OWN.get(role, ()))


def _owns(actor: Actor, right: str, entity: EntityState | None) -> bool:
    if actor.owner is None:
        return False
    if entity is None:
        return right in LISTS
    return entity.attributes.get("owner") == actor.owner


def _within_owner(actor: Actor, right: str, entity: EntityState | None) -> bool:
    return actor.owner is None or _owns(actor, right, entity)


def _covers(grant: str, right: str) -> bool:
    held, _, qualifier = grant.partition(":")
    bare, _, asked = right.partition(":")
    return matches(held, bare) and qualifier in ("", asked)
