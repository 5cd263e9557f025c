"""Looking at cameras by right alone: the gate where no owner shares what is theirs. Each look stands in the ledger
with its purpose, at its beginning and at its end."""

from __future__ import annotations

import asyncio

from hub.access.audit import Ledger
from hub.access.roles import Roles
from hub.core.access import Actor, ViewKind
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState

RIGHTS: dict[ViewKind, str] = {"live": "camera.watch", "recorded": "media.read"}


class RightsView:
    """A ``hub.core.access.View`` that lasts as long as the right."""

    def __init__(
        self, gate: RightsGate, actor: Actor, entity: EntityState, kind: ViewKind, purpose: str | None
    ) -> None:
        self._gate, self._actor, self._entity, self._kind, self._purpose = gate, actor, entity, kind, purpose
        self._began = gate.pipeline.clock.now()
        self._closed = False
        self.cut = asyncio.Event()
        self.reason = ""

    def allowed(self) -> bool:
        """See ``View``: asked of the entity as it is now, for its owner may have changed."""
        now = self._gate.pipeline.state.get(self._entity.entity) or self._entity
        return self._gate.roles.may(self._actor, RIGHTS[self._kind], now)

    async def close(self) -> None:
        """See ``View``."""
        if not self._closed:
            self._closed = True
            seconds = round(self._gate.pipeline.clock.now() - self._began, 1)
            await self._gate.note(self._actor, "view.end", self._entity, self._purpose, self._kind, seconds=seconds)


class RightsGate:
    """A ``hub.core.access.ViewGate``: the rights of ``RIGHTS`` and two lines in the ledger."""

    def __init__(self, pipeline: Pipeline, roles: Roles, ledger: Ledger) -> None:
        self.pipeline, self.roles, self._ledger = pipeline, roles, ledger

    async def open(self, actor: Actor, entity: EntityState, kind: ViewKind, purpose: str | None) -> RightsView:
        """See ``ViewGate``."""
        self.roles.check(actor, RIGHTS[kind], entity)
        await self.note(actor, "view.begin", entity, purpose, kind)
        return RightsView(self, actor, entity, kind, purpose)

    async def note(
        self, actor: Actor, verb: str, entity: EntityState, purpose: str | None, kind: ViewKind, **more: float
    ) -> None:
        """One line, durable when this returns."""
        owner = entity.attributes.get("owner")
        detail = {"kind": kind, **({"owner": owner} if owner else {}), **more}
        self._ledger.record(actor.id, verb, entity.entity, purpose, detail)
        await self.pipeline.settled()
