"""Grants: who may do what to which entities, from when to when, for what purpose.

The partner who lets the station see a camera during one incident, the officer who stands in for a night.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from hub.access.rights import PATTERN_FORM, matches
from hub.core.access import Actor
from hub.core.error import InvalidInput, LimitExceeded, NotFound
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState

TABLE = "grants"
MAX_GRANTS = 2_000
LONGEST_S = 366 * 86_400.0  # a grant ends; what is meant to last is a role


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant.

    ``who``: an actor's id (``user:somchai``) or ``role:NAME``. ``rights``: patterns as in the roles' table.
    ``entities``: a glob over entity ids, ``camera.gold_shop_*``; ``*`` also covers what needs no entity.
    ``since`` ≤ now < ``until``, seconds since the epoch. ``purpose``: when set, only an actor that works for exactly
    this purpose may use it. ``by``: who gave it.
    """

    id: str
    who: str
    rights: tuple[str, ...]
    entities: str
    since: float
    until: float
    by: str
    purpose: str | None = None

    def allows(self, actor: Actor, right: str, entity: EntityState | None, now: float) -> bool:
        """Does it let the actor do this, now?"""
        return (
            self._usable(actor, right, now)
            and (self.entities == "*" if entity is None else fnmatchcase(entity.entity, self.entities))
        )  # fmt: skip

    def _usable(self, actor: Actor, right: str, now: float) -> bool:
        return (
            self.since <= now < self.until
            and (self.who == actor.id or self.who.removeprefix("role:") in actor.roles)
            and (self.purpose is None or self.purpose == actor.purpose)
            and any(matches(pattern, right) for pattern in self.rights)
        )

    def as_data(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self) | {"rights": list(self.rights)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Grant:
        """The grant that ``as_data`` described."""
        return cls(**{**data, "rights": tuple(data["rights"])})


class Grants:
    """All grants, in memory and in the records table ``grants``. Runs on the loop thread."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._grants: dict[str, Grant] = {}
        pipeline.on_recover.append(self.load)

    def load(self) -> None:
        """Take them from the journal: at start, and after a failed commit."""
        self._grants = {key: Grant.from_data(value) for key, value in self._pipeline.journal.records(TABLE)}

    def give(
        self, who: str, rights: Iterable[str], entities: str, since: float, until: float, by: str,
        purpose: str | None = None,
    ) -> Grant:  # fmt: skip
        """Give a grant in the open group; ``InvalidInput`` names what is wrong. The caller checks ``grant.manage``."""
        grant = Grant(self._pipeline.ids.new(), who, tuple(rights), entities, since, until, by, purpose)
        _validate(grant)
        self._drop_ended()
        if len(self._grants) >= MAX_GRANTS:
            raise LimitExceeded(f"there are {MAX_GRANTS} grants", where=TABLE, hint="revoke those no longer needed")
        self._grants[grant.id] = grant
        self._pipeline.put(Put(TABLE, grant.id, grant.as_data()))
        return grant

    def revoke(self, grant_id: str) -> Grant:
        """End a grant in the open group; ``NotFound`` otherwise."""
        grant = self._grants.pop(grant_id, None)
        if grant is None:
            raise NotFound("no such grant", where=grant_id, hint="it has ended or was revoked")
        self._pipeline.put(Drop(TABLE, grant_id))
        return grant

    def allow(self, actor: Actor, right: str, entity: EntityState | None) -> bool:
        """Does any grant let the actor do this, now?"""
        now = self._pipeline.clock.now()
        return any(grant.allows(actor, right, entity, now) for grant in self._grants.values())

    def some(self, actor: Actor, right: str) -> bool:
        """Does any grant give the actor this right now, on whatever entity?"""
        now = self._pipeline.clock.now()
        return any(grant._usable(actor, right, now) for grant in self._grants.values())

    def all(self) -> list[Grant]:
        """Those that have not ended, the first to end first."""
        now = self._pipeline.clock.now()
        return sorted((g for g in self._grants.values() if now < g.until), key=lambda g: (g.until, g.id))

    def _drop_ended(self) -> None:
        now = self._pipeline.clock.now()
        for grant in [g for g in self._grants.values() if g.until <= now]:
            del self._grants[grant.id]
            self._pipeline.put(Drop(TABLE, grant.id))


def _validate(grant: Grant) -> None:
    kind, _, name = grant.who.partition(":")
    if kind not in ("user", "token", "instance", "automation", "role") or not name:
        raise InvalidInput(f"{grant.who!r} names nobody", where="who", hint="user:NAME, token:ID or role:NAME")
    if not grant.rights:
        raise InvalidInput("no right is given", where="rights")
    for right in grant.rights:
        if right == "*" or not PATTERN_FORM.fullmatch(right):
            raise InvalidInput(f"{right!r} is no right", where="rights", hint="write domain.verb, or domain.*")
    if not grant.entities:
        raise InvalidInput("no entities are named", where="entities", hint="write a glob, or * for all")
    if not grant.since < grant.until <= grant.since + LONGEST_S:
        raise InvalidInput("a grant ends after it begins and within a year", where="until")
