"""Shares of private cameras, enforced by the hub: without one nobody but the owner sees such a camera.

A camera is private when its description names an owner and says ``private``. The hub remembers that in a row of its
own, so that neither a plugin's later word nor a camera that was taken out opens what was private.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from hub.access.audit import Ledger
from hub.access.share import (
    MAX_CAMERAS,
    NEEDED,
    Kind,
    Share,
    Wish,
    clean_hours,
    clean_kinds,
    clean_span,
    clean_text,
    clean_to,
)
from hub.capabilities.share import ShareChanged
from hub.core.access import Actor
from hub.core.bus import Subscription
from hub.core.error import Conflict, Denied, InvalidInput, LimitExceeded, NotFound
from hub.core.event import Draft, Event
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline
from hub.core.state import Change, EntityState

TABLE, WISHES, PRIVATE = "shares", "share_wishes", "private_cameras"
SEALED = "audit"  # words of people and who asked
MAX_SHARES = 5_000
MAX_EACH = 200  # an owner's shares that are not over
MAX_WAITING = 50  # an owner's wishes that wait
KEPT_S = 90 * 86_400.0  # how long what is over still stands on the owner's page; the ledger keeps it longer


class Shares:
    """All shares and wishes, in memory and in rows. Runs on the loop thread; the caller waits for the commit."""

    def __init__(self, pipeline: Pipeline, ledger: Ledger, zone: tzinfo) -> None:
        self._pipeline, self._ledger, self._zone = pipeline, ledger, zone
        self._shares: dict[str, Share] = {}
        self._by_owner: dict[str, dict[str, Share]] = {}  # every live picture asks twice a second
        self._wishes: dict[str, Wish] = {}
        self._private: dict[str, str] = {}
        self.on_change: list[Callable[[], None]] = []
        pipeline.on_recover.append(self.load)
        pipeline.rules.add(Subscription(self._described, "entity_added"))

    def load(self) -> None:
        """Take them from the journal: at start, and after a failed commit."""
        records = self._pipeline.journal.records
        self._shares, self._by_owner = {}, {}
        for _, value in records(TABLE):
            self._keep(Share.from_data(value))
        self._wishes = {key: Wish.from_data(value) for key, value in records(WISHES)}
        self._private = {key: str(value["owner"]) for key, value in records(PRIVATE)}

    # --- who may see

    def owner_of(self, entity: EntityState) -> str | None:
        """Whose private camera it is; ``None`` for one that is not private."""
        return self._private.get(entity.entity)

    def gone(self, name: str) -> EntityState | None:
        """A private camera that was taken out, for the pictures that are left of it."""
        owner = self._private.get(name)
        return EntityState(name, "unknown", {"owner": owner}, 0.0, 0.0, 0) if owner is not None else None

    def allow(self, actor: Actor, right: str, entity: EntityState) -> bool:
        """Does a share let the actor do that to this private camera now? Rights are asked beside it."""
        return self.used(actor, NEEDED[right], entity) is not None

    def used(self, actor: Actor, kind: Kind, entity: EntityState) -> Share | None:
        """The share under which the actor sees this private camera, the longest when there are several."""
        now, owner = self._pipeline.clock.now(), self.owner_of(entity)
        fits = [
            share for share in self._by_owner.get(owner or "", {}).values()
            if share.covers(actor, kind, entity.entity) and share.in_force(now, self._zone)
        ]  # fmt: skip
        return max(fits, key=lambda share: share.until, default=None)

    # --- what the owner does

    def give(
        self, actor: Actor, cameras: Iterable[str], kinds: Iterable[str], to: Iterable[str], since: float,
        until: float, hours: Iterable[str] | None = None, purpose: str | None = None, note: str = "",
    ) -> Share:  # fmt: skip
        """Share in the open group; ``InvalidInput`` names what is wrong, ``Denied`` a camera that is not theirs."""
        owner, now = self._owner(actor), self._pipeline.clock.now()
        self._forget_old(now)
        if sum(not share.over(now) for share in self._by_owner.get(owner, {}).values()) >= MAX_EACH:
            raise LimitExceeded(f"there are {MAX_EACH} shares", where="shares", hint="take some back first")
        if len(self._shares) >= MAX_SHARES:
            raise LimitExceeded(f"the hub holds {MAX_SHARES} shares", where="shares")
        since, until = clean_span(since, until, now)
        share = Share(
            self._pipeline.ids.new(), owner, self._own(owner, cameras), clean_kinds(kinds), clean_to(to), since,
            until, actor.id, now, clean_hours(hours), _clean_purpose(purpose), clean_text(note, "note"),
        )  # fmt: skip
        self._put(share)
        self._tell("given", share, share.id, actor)
        return share

    def revoke(self, actor: Actor, share_id: str) -> Share:
        """Take a share back in the open group: open views end at once. ``NotFound`` for somebody else's."""
        owner, now = self._owner(actor), self._pipeline.clock.now()
        share = self._shares.get(share_id)
        if share is None or share.owner != owner or share.over(now):
            raise NotFound("no such share", where=share_id[:80], hint="it has ended or was taken back")
        ended = replace(share, ended=now, ended_by=actor.id)
        self._put(ended)
        self._tell("revoked", ended, ended.id, actor)
        return ended

    def of_owner(self, owner: str) -> list[Share]:
        """All of an owner, those that are not over first, then the newest."""
        now, mine = self._pipeline.clock.now(), self._by_owner.get(owner, {}).values()
        return sorted(mine, key=lambda share: (share.over(now), -share.made, share.id))

    def state_of(self, share: Share) -> str:
        """``active``, ``waiting`` (its time or hours are to come), ``revoked`` or ``ended``."""
        now = self._pipeline.clock.now()
        if share.ended is not None:
            return "revoked"
        if share.over(now):
            return "ended"
        return "active" if share.in_force(now, self._zone) else "waiting"

    def cameras_of(self, owner: str) -> list[str]:
        """An owner's private cameras, by id."""
        return sorted(name for name, whose in self._private.items() if whose == owner)

    # --- what the station asks

    def wish(
        self, actor: Actor, cameras: Iterable[str], kinds: Iterable[str], until: float, reason: str,
        hours: Iterable[str] | None = None, to: Iterable[str] = (), purpose: str | None = None,
    ) -> Wish:  # fmt: skip
        """Ask the owner of the cameras for a share, for the asker when ``to`` names nobody."""
        now, named = self._pipeline.clock.now(), tuple(dict.fromkeys(cameras))
        owners = {self._private.get(name) for name in named}
        if len(owners) != 1 or None in owners or len(named) > MAX_CAMERAS:
            hint = "ask each owner apart; cameras that are not private need no share"
            raise InvalidInput("must be private cameras of one owner", where="cameras", hint=hint)
        owner = str(owners.pop())
        self._forget_old(now)
        if sum(w.owner == owner and w.state == "waiting" for w in self._wishes.values()) >= MAX_WAITING:
            raise LimitExceeded(f"{MAX_WAITING} requests wait for this owner", where=owner, hint="call them")
        _, until = clean_span(now, until, now)
        why = clean_text(reason, "reason")
        if not why:
            raise InvalidInput("says nothing", where="reason", hint="the owner decides by it")
        wish = Wish(
            self._pipeline.ids.new(), owner, named, clean_kinds(kinds), clean_to(tuple(to) or (actor.id,)), until,
            why, actor.id, now, clean_hours(hours), _clean_purpose(purpose),
        )  # fmt: skip
        self._put_wish(wish)
        self._tell("asked", wish, wish.id, actor)
        return wish

    def answer(self, actor: Actor, wish_id: str, yes: bool) -> Share | None:
        """The owner's answer; the share that follows from a yes."""
        owner, wish = self._owner(actor), self._wishes.get(wish_id)
        if wish is None or wish.owner != owner:
            raise NotFound("no such request", where=wish_id[:80])
        if wish.state != "waiting":
            raise Conflict("was answered already", where=wish_id)
        now, share = self._pipeline.clock.now(), None
        if yes:
            share = self.give(
                actor, wish.cameras, wish.kinds, wish.to, now, wish.until, wish.hours, wish.purpose, wish.reason
            )  # fmt: skip
        else:
            self._tell("refused", wish, wish.id, actor)
        self._put_wish(replace(wish, state="approved" if yes else "refused", answered=now))
        return share

    def wishes(self, *, owner: str | None = None, by: str | None = None) -> list[Wish]:
        """Those to an owner or of a person, the waiting first, then the newest."""
        found = [w for w in self._wishes.values() if owner in (None, w.owner) and by in (None, w.by)]
        return sorted(found, key=lambda wish: (wish.state != "waiting", -wish.made, wish.id))

    # --- inside

    @staticmethod
    def _owner(actor: Actor) -> str:
        if actor.owner is None:
            raise Denied(f"{actor.id} owns no camera", where="share.manage", hint="only an owner's account shares")
        return actor.owner

    def _own(self, owner: str, cameras: Iterable[str]) -> tuple[str, ...]:
        named = tuple(dict.fromkeys(cameras))
        if not 1 <= len(named) <= MAX_CAMERAS:
            raise InvalidInput(f"names {len(named)} cameras", where="cameras", hint=f"1 to {MAX_CAMERAS}")
        for name in named:
            if self._private.get(name) != owner:
                raise Denied("is no private camera of yours", where=name[:120])
        return named

    def _keep(self, share: Share) -> None:
        self._shares[share.id] = share
        self._by_owner.setdefault(share.owner, {})[share.id] = share

    def _put(self, share: Share) -> None:
        self._keep(share)
        self._pipeline.put(Put(TABLE, share.id, share.as_data()))
        for call in self.on_change:
            call()

    def _put_wish(self, wish: Wish) -> None:
        self._wishes[wish.id] = wish
        self._pipeline.put(Put(WISHES, wish.id, wish.as_data(), sealed=SEALED))

    def _tell(self, change: Any, about: Share | Wish, about_id: str, actor: Actor) -> None:
        told = ShareChanged(
            change=change, share=about_id, owner=about.owner, kinds=list(about.kinds), to=list(about.to),
            by=actor.id, until=about.until,
        ).model_dump(mode="json")  # fmt: skip
        for camera in about.cameras:
            self._pipeline.emit(Draft("share_changed", told, "hub", camera))
        self._ledger.record(actor.id, f"share.{change}", about_id, about.purpose, about.as_data())

    def _described(self, event: Event, change: Change | None) -> None:
        """An instance brought a camera in, or described it anew."""
        name, about = str(event.entity), event.data.get("description") or {}
        owner = about.get("owner") if about.get("private") is True else None
        if owner == self._private.get(name):
            return
        self._ledger.record(event.source, "camera.private", name, None, {"owner": owner})
        if owner:
            self._private[name] = str(owner)
            self._pipeline.put(Put(PRIVATE, name, {"owner": str(owner)}))
        else:
            self._private.pop(name, None)
            self._pipeline.put(Drop(PRIVATE, name))
        for call in self.on_change:
            call()

    def _forget_old(self, now: float) -> None:
        for share in [s for s in self._shares.values() if s.over(now) and (s.ended or s.until) + KEPT_S < now]:
            del self._shares[share.id], self._by_owner[share.owner][share.id]
            self._pipeline.put(Drop(TABLE, share.id))
        old = [w for w in self._wishes.values() if w.made + KEPT_S < now or (w.state == "waiting" and w.until <= now)]
        for wish in old:
            del self._wishes[wish.id]
            self._pipeline.put(Drop(WISHES, wish.id))


def _clean_purpose(purpose: str | None) -> str | None:
    if purpose is None or not purpose.strip():
        return None
    kept = purpose.strip()
    if len(kept) > 120 or not kept.startswith(("incident.", "duty.")):
        raise InvalidInput(f"{kept[:40]!r} is no purpose", where="purpose", hint="incident.ID or duty.NAME")
    return kept
