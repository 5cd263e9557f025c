"""Notices from draft to end: who may approve, where they are published, and when they stop."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from hub.capabilities import (
    NoticeApproved,
    NoticeDelivered,
    NoticeDrafted,
    NoticeExpired,
    NoticeRejected,
    NoticeWithdrawn,
)
from hub.capabilities.notice import Severity
from hub.sdk import (
    Conflict,
    Context,
    Entity,
    EntityState,
    EventData,
    HubError,
    InvalidInput,
    LimitExceeded,
    Text,
    current_call,
)

from .areas import Area
from .feed import thai_time

MAX_NOTICES = 200
LONGEST_DAYS = 31
PUBLIC = ("published", "withdrawn", "expired")
Title = Annotated[str, Field(min_length=1, max_length=160)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]


@dataclass(slots=True)
class Board:
    """All notices of an instance. ``line_to``: LINE's ids of the groups that get them."""

    ctx: Context
    areas: Mapping[str, Area]
    line_to: tuple[str, ...]
    simulated: bool
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _sending: set[str] = field(default_factory=set)

    async def take_up(self) -> None:
        """Serve the notices of before a restart."""
        for state in await self.ctx.states("notice"):
            if state.attributes.get("instance") == self.ctx.instance:
                facts = state.attributes
                await self._add(state.entity, str(facts.get("title_th", "")), str(facts.get("title_en", "")))

    async def finish(self) -> None:
        """Send what a restart or a slow channel cut off: each message has its own key, so nobody gets it twice."""
        for one in await self.mine():
            told = one.attributes.get("line_purpose")
            if (one.state == "published" and told is None) or (one.state == "withdrawn" and told == "published"):
                await self.deliver(one.entity, one.state)

    async def _add(self, entity: str, th: str, en: str) -> None:
        # both titles in both languages: who approves reads both
        name = Text(f"{th} / {en}"[:200], f"{en} / {th}"[:200])
        await self.ctx.add(Entity(entity, name, ("notice",), simulated=self.simulated), OneNotice(self, entity))

    async def mine(self) -> list[EntityState]:
        """The notices, oldest first."""
        found = [one for one in await self.ctx.states("notice") if one.attributes.get("instance") == self.ctx.instance]
        return sorted(found, key=lambda one: (float(one.attributes.get("drafted_at") or 0), one.entity))

    async def draft(
        self, title_th: Title, title_en: Title, text_th: Words, text_en: Words,
        until: Annotated[float, Field(ge=0, json_schema_extra={"words": {"th": "สิ้นสุดเมื่อ", "en": "Until"}})],
        severity: Severity = "moderate",
        area: Annotated[str, Field(max_length=40)] = "",
    ) -> str:  # fmt: skip
        """Write a notice for a second person to approve; its entity id. ``area``: one of the configured areas, the
        first when empty. ``until``: seconds since 1970, at most 31 days ahead."""
        call, now = current_call(), self.ctx.clock.now()
        if not now < until <= now + LONGEST_DAYS * 86_400:
            raise InvalidInput(f"the end must lie in the next {LONGEST_DAYS} days", where="until")
        place = area or next(iter(self.areas))
        if place not in self.areas:
            raise InvalidInput(f"no area {area!r}", where="area", hint=f"one of {', '.join(self.areas)}")
        for name, text in (("title_th", title_th), ("title_en", title_en), ("text_th", text_th), ("text_en", text_en)):
            if not text.strip():
                raise InvalidInput("there are no words in it", where=name)
        entity = f"notice.{hashlib.sha256(call.key.encode()).hexdigest()[:12]}"
        async with self._turn:
            known = await self.ctx.state(entity)
            if known is None or known.state == "unknown":
                await self._room()
                await self._add(entity, title_th, title_en)
                drafted = NoticeDrafted(
                    title_th=title_th.strip(), title_en=title_en.strip(), text_th=text_th.strip(),
                    text_en=text_en.strip(), severity=severity, area=place, until=until, drafted_by=call.actor,
                    drafted_at=now, line_recipients=len(self.line_to), quota_left=await self._quota(),
                    simulated=self.simulated,
                )  # fmt: skip
                await self.ctx.emit(drafted, entity=entity)
        return entity

    async def _room(self) -> None:
        """Old notices that no longer hold leave the board; ``LimitExceeded`` when all of them hold."""
        notices = await self.mine()
        over = [one for one in notices if one.state in ("rejected", "withdrawn", "expired")]
        for one in over[: max(0, len(notices) - MAX_NOTICES + 1)]:
            await self.ctx.remove(one.entity)
        if len(notices) - len(over) >= MAX_NOTICES:
            raise LimitExceeded(f"{MAX_NOTICES} notices wait or hold", where="notice", hint="reject or withdraw some")

    async def _quota(self) -> int | None:
        """What LINE still takes this month, when a channel says so."""
        left = [one.attributes.get("quota_left") for one in await self.ctx.states("line")]
        known = [number for number in left if isinstance(number, int)]
        return min(known) if known else None

    async def expire(self) -> None:
        """What is over is over. Called again and again."""
        now = self.ctx.clock.now()
        for one in await self.mine():
            if one.state in ("draft", "published") and now >= float(one.attributes["until"]):
                await self.ctx.emit(NoticeExpired(), entity=one.entity)
        await self.ctx.alive()

    async def change(self, entity: str, wanted: tuple[str, ...], data: EventData) -> None:
        """Emit, if the notice is in one of the wanted states; ``Conflict`` otherwise."""
        async with self._turn:
            state = await self.state(entity)
            if state.state not in wanted:
                raise Conflict(f"this notice is {state.state}", where=entity)
            await self.ctx.emit(data, entity=entity)

    async def state(self, entity: str) -> EntityState:
        """The notice as it is now."""
        found = await self.ctx.state(entity)
        if found is None:
            raise Conflict("this notice is gone", where=entity)
        return found

    async def deliver(self, entity: str, purpose: str) -> None:
        """Send it to the LINE groups, and write down what came of it. What was sent before is not sent again."""
        if not self.line_to or entity in self._sending:
            return
        self._sending.add(entity)
        try:
            await self._send(entity, purpose, self._text((await self.state(entity)).attributes, purpose))
        finally:
            self._sending.discard(entity)

    async def _send(self, entity: str, purpose: str, text: str) -> None:
        reached, quota, wrong = 0, None, list[str]()
        for number, to in enumerate(self.line_to, 1):
            key = f"{entity}:{purpose}:{number}"
            try:
                outcome = await self.ctx.call("line.push", params={"to": to, "text": text}, key=key)
            except HubError as refused:
                wrong.append(refused.message)
                continue
            if outcome.status == "done":
                reached += 1
                quota = outcome.result.get("quota_left") if isinstance(outcome.result, dict) else None
            else:
                wrong.append(str((outcome.error or {}).get("message", outcome.status)))
        detail = "; ".join(dict.fromkeys(wrong))[:500]
        done = NoticeDelivered.model_validate({
            "channel": "line", "purpose": purpose, "reached": reached, "recipients": len(self.line_to),
            "detail": detail, "quota_left": quota if quota is not None else await self._quota(),
        })  # fmt: skip
        await self.ctx.emit(done, entity=entity)

    def _text(self, facts: Mapping[str, Any], purpose: str) -> str:
        head = "(จำลอง) " if facts.get("simulated") else ""
        if purpose == "withdrawn":
            return f"{head}ถอนประกาศ: {facts['title_th']}\n{facts.get('reason', '')}\nWithdrawn: {facts['title_en']}"
        area = self.areas.get(facts["place"])
        place = f"{area.name.th}\n" if area else ""
        return (
            f"{head}{facts['title_th']}\n{facts['text_th']}\n{place}ถึง {thai_time(facts['until'])}\n\n"
            f"{facts['title_en']}\n{facts['text_en']}"
        )


@dataclass(frozen=True, slots=True)
class OneNotice:
    """Serves the actions of one notice."""

    board: Board
    entity: str

    async def approve(self) -> None:
        by, board = current_call().actor, self.board
        known = await board.state(self.entity)
        if known.state == "published" and known.attributes.get("approved_by") == by:
            return
        if by == known.attributes.get("drafted_by"):
            raise Conflict("who drafted a notice cannot approve it", where=self.entity, hint="ask a second person")
        if not by.startswith("user:"):
            raise Conflict("a person approves a notice", where=self.entity, hint="sign in as one")
        now = board.ctx.clock.now()
        if now >= float(known.attributes["until"]):
            raise Conflict("this notice is over", where=self.entity, hint="draft it again with a later end")
        await board.change(self.entity, ("draft",), NoticeApproved(by=by, at=now))
        await board.deliver(self.entity, "published")

    async def reject(self, reason: str) -> None:
        known = await self.board.state(self.entity)
        if known.state != "rejected":
            await self.board.change(self.entity, ("draft",), NoticeRejected(by=current_call().actor, reason=reason))

    async def withdraw(self, reason: str) -> None:
        known, board = await self.board.state(self.entity), self.board
        if known.state == "withdrawn":
            return
        gone = NoticeWithdrawn(by=current_call().actor, at=board.ctx.clock.now(), reason=reason)
        await board.change(self.entity, ("published",), gone)
        await board.deliver(self.entity, "withdrawn")
