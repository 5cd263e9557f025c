"""Who looked at whose camera: rows for the owner's page, and the gate that cuts a view when its share ends.

The audit ledger holds every look as well (``hub.access.viewing``, ``hub.core.actions``); these rows are what an owner
reads of it, without asking the auditor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from hub.access.shares import SEALED, Shares
from hub.core.access import Actor, View, ViewGate, ViewKind
from hub.core.bus import Subscription
from hub.core.event import Event
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline
from hub.core.state import Change, EntityState

TABLE = "camera_views"
MAX_EACH = 2_000  # an owner's; older ones stand in the ledger only
# Actions on a camera that an owner wants to know of, and what the page calls them.
LOOKS: Final[Mapping[str, str]] = {
    "camera.snapshot": "snapshot", "camera.clip": "clip", "ptz.move": "control", "ptz.goto_preset": "control",
}  # fmt: skip
REVOKED = "the owner shares this camera no more"


@dataclass(frozen=True, slots=True)
class Look:
    """One look. ``kind``: live, recorded, snapshot, clip or control. ``ended``: ``None`` while it lasts, or when the
    hub stopped meanwhile. ``share``: under which it was, for a private camera."""

    id: str
    owner: str
    camera: str
    who: str
    roles: tuple[str, ...]
    kind: str
    began: float
    ended: float | None
    purpose: str | None
    share: str | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Look:
        """The look that was recorded."""
        return cls(**{**data, "roles": tuple(data["roles"])})


class Views:
    """The looks at owners' cameras. ``actor_of`` answers for an actor's id. Runs on the loop thread."""

    def __init__(self, pipeline: Pipeline, shares: Shares, actor_of: Callable[[str], Actor]) -> None:
        self._pipeline, self._shares, self._actor_of = pipeline, shares, actor_of
        self._looks: dict[str, Look] = {}
        self._order: dict[str, deque[str]] = {}
        pipeline.on_recover.append(self.load)
        pipeline.rules.add(Subscription(self._asked, "action_requested"))

    def load(self) -> None:
        """Take them from the journal: at start, and after a failed commit."""
        found = [Look.from_data(value) for _, value in self._pipeline.journal.records(TABLE)]
        self._looks, self._order = {}, {}
        for look in sorted(found, key=lambda look: (look.began, look.id)):
            self._keep(look)

    def begin(self, actor: Actor, entity: EntityState, kind: str, *, lasting: bool = True) -> Look | None:
        """Put a row into the open group; ``None`` for a camera without owner, and for the owner's own looks."""
        owner = self._shares.owner_of(entity) or entity.attributes.get("owner")
        if not isinstance(owner, str) or not owner or actor.owner == owner:
            return None
        now = self._pipeline.clock.now()
        way: Any = kind if kind in ("live", "control") else "recorded"
        share = self._shares.used(actor, way, entity)
        look = Look(
            self._pipeline.ids.new(), owner, entity.entity, actor.id, tuple(sorted(actor.roles)), kind, now,
            None if lasting else now, actor.purpose, share.id if share else None,
        )  # fmt: skip
        self._put(look)
        return look

    def end(self, look: Look) -> None:
        """It has ended: put that into the open group."""
        if look.id in self._looks:
            self._put(replace(look, ended=self._pipeline.clock.now()))

    def private(self, entity: EntityState) -> bool:
        """May its owner take back who sees it?"""
        return self._shares.owner_of(entity) is not None

    def gone(self, name: str) -> EntityState | None:
        """A private camera that was taken out."""
        return self._shares.gone(name)

    async def settled(self) -> None:
        """Wait until what was put is durable."""
        await self._pipeline.settled()

    def of_owner(self, owner: str, limit: int = MAX_EACH) -> list[dict[str, Any]]:
        """The newest first, as JSON data."""
        named = list(self._order.get(owner, ()))[-limit:]
        found = [self._looks[name] for name in reversed(named)]
        return [{**asdict(look), "roles": list(look.roles)} for look in found]

    def _asked(self, event: Event, change: Change | None) -> None:
        """A snapshot, a clip or a move was asked for: rights were checked before this event."""
        kind = LOOKS.get(str(event.data.get("action")))
        entity = self._pipeline.state.get(event.entity) if kind and event.entity else None
        if kind is None or entity is None:
            return
        self.begin(self._actor_of(str(event.data["actor"])), entity, kind, lasting=False)

    def _put(self, look: Look) -> None:
        data = asdict(look) | {"roles": list(look.roles)}
        self._pipeline.put(Put(TABLE, look.id, data, sealed=SEALED))
        self._keep(look)

    def _keep(self, look: Look) -> None:
        order = self._order.setdefault(look.owner, deque())
        if look.id not in self._looks:
            order.append(look.id)
        self._looks[look.id] = look
        while len(order) > MAX_EACH:
            old = order.popleft()
            self._looks.pop(old, None)
            self._pipeline.put(Drop(TABLE, old))


class _OwnedView:
    """A ``hub.core.access.View`` of an owner's camera."""

    def __init__(self, gate: OwnerGate, inner: View, look: Look) -> None:
        self._gate, self._inner, self._look = gate, inner, look
        self.cut = inner.cut
        self._reason = ""

    @property
    def reason(self) -> str:
        """See ``View``."""
        return self._reason or self._inner.reason

    @reason.setter
    def reason(self, words: str) -> None:
        self._reason = words

    def allowed(self) -> bool:
        """See ``View``."""
        if self._inner.allowed():
            return True
        self._reason = self._reason or REVOKED
        return False

    async def close(self) -> None:
        """See ``View``."""
        if self._gate.forget(self):
            self._gate.views.end(self._look)
        await self._inner.close()


class OwnerGate:
    """A ``hub.core.access.ViewGate`` that keeps owners' rows and cuts views when a share changes; ``inner`` decides
    the right and writes the ledger."""

    def __init__(self, inner: ViewGate, views: Views, shares: Shares) -> None:
        self._inner, self.views = inner, views
        self._open: set[_OwnedView] = set()
        shares.on_change.append(self.look_again)

    async def open(self, actor: Actor, entity: EntityState, kind: ViewKind, purpose: str | None) -> View:
        """See ``ViewGate``."""
        inner = await self._inner.open(actor, entity, kind, purpose)
        look = self.views.begin(replace(actor, purpose=purpose), entity, kind)
        if look is None:
            return inner
        view = _OwnedView(self, inner, look)
        self._open.add(view)
        await self.views.settled()
        if not view.allowed():  # it changed while the beginning was written down
            view.cut.set()
        return view

    def look_again(self) -> None:
        """Cut every view that is allowed no more."""
        for view in self._open:
            if not view.allowed():
                view.cut.set()

    def forget(self, view: _OwnedView) -> bool:
        """It is closed; was it open?"""
        there = view in self._open
        self._open.discard(view)
        return there
