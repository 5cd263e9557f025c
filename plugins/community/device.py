"""Partners, meetings and promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from hub.sdk import Conflict, Context, Entity, InvalidInput, LimitExceeded, StateChanged, current_call

from .book import Book, emit
from .settings import Partner

MAX_MEETINGS = 500
MAX_MINUTES = 20_000
MAX_PROMISES = 500
LONGEST_DAYS = 730
OPEN = ("open", "overdue")
MINUTES = {"words": {"th": "บันทึกการประชุม", "en": "Minutes"}}
Title = Annotated[str, Field(min_length=1, max_length=200)]
Short = Annotated[str, Field(max_length=100)]
Id = Annotated[str, Field(min_length=1, max_length=100)]


class Partners:
    """The partners of the zone, from the configuration; who speaks for them is noted by hand."""

    def __init__(self, ctx: Context, partners: Sequence[Partner], simulated: bool) -> None:
        self.ctx, self._partners, self._simulated = ctx, partners, simulated
        self.book = Book(ctx, "partner", len(partners), (), simulated)

    async def take_up(self) -> None:
        for one in self._partners:
            about = {"kind": one.kind, "duty": one.duty.text().as_data()}
            entity = Entity(f"partner.{one.id}", one.name.text(), simulated=self._simulated, attributes=about)
            await self.ctx.add(entity)

    async def update_partner(self, partner: Id, contact: Short, phone: Short = "") -> None:
        """Note who speaks for a partner."""
        known = await self.book.need(partner)
        fields = {"contact": contact, "phone": phone, "by": current_call().actor}
        await emit(self.ctx, "partner_updated", known.entity, fields)

    async def met(self, entity: str, at: float) -> None:
        """It was at a meeting."""
        known = await self.book.need(entity)
        facts = {
            "meetings": int(known.attributes.get("meetings") or 0) + 1,
            "last_meeting_at": max(at, float(known.attributes.get("last_meeting_at") or 0)),
        }
        await self.ctx.emit(StateChanged(state="active", attributes=facts), entity=known.entity)


class Meetings:
    """Meetings with minutes and attendance."""

    def __init__(self, ctx: Context, partners: Partners, simulated: bool) -> None:
        self.ctx, self._partners = ctx, partners
        self.book = Book(ctx, "meeting", MAX_MEETINGS, ("held",), simulated, lambda entity: OneMeeting(self, entity))

    async def note_meeting(
        self, title: Title, held_at: Annotated[float, Field(ge=0)],
        partners: Annotated[list[str], Field(max_length=50)],
        minutes: Annotated[str, Field(max_length=8000, json_schema_extra=MINUTES)] = "",
        people: Annotated[int, Field(ge=0, le=5000)] = 0,
        place: Short = "",
    ) -> str:  # fmt: skip
        """Note a meeting; its entity id. ``partners``: those that were there; ``people``: how many persons."""
        if held_at > self.ctx.clock.now() + 86_400:
            raise InvalidInput("a meeting is noted when it was held, not before", where="held_at")
        there = [(await self._partners.book.need(one)).entity for one in dict.fromkeys(partners)]
        entity, new = await self.book.begin(title)
        if new:
            every = {one.entity for one in await self._partners.book.all()}
            fields = {
                "title": title, "held_at": held_at, "place": place, "minutes": minutes, "partners": sorted(set(there)),
                "absent": sorted(every - set(there)), "people": people, "by": current_call().actor,
                "made_at": self.ctx.clock.now(), "simulated": self.book.simulated,
            }  # fmt: skip
            await emit(self.ctx, "meeting_held", entity, fields)
            for one in sorted(set(there)):
                await self._partners.met(one, held_at)
        return entity

    async def add_minutes(self, meeting: str, text: str) -> None:
        """More of what was said, under what was noted."""
        known = await self.book.need(meeting)
        whole = f"{known.attributes.get('minutes') or ''}\n{text}".strip()
        if len(whole) > MAX_MINUTES:
            raise LimitExceeded(f"the minutes would have over {MAX_MINUTES} characters", where="text")
        await emit(self.ctx, "meeting_minuted", known.entity, {"minutes": whole, "by": current_call().actor})


@dataclass(frozen=True, slots=True)
class OneMeeting:
    """Serves the actions of one meeting."""

    keeper: Meetings
    entity: str

    async def add_minutes(self, text: str) -> None:
        await self.keeper.add_minutes(self.entity, text)


class Promises:
    """What was promised to whom, by when, and what became of it."""

    def __init__(self, ctx: Context, partners: Partners, meetings: Meetings, simulated: bool) -> None:
        self.ctx, self._partners, self._meetings = ctx, partners, meetings
        done = ("kept", "dropped")
        self.book = Book(ctx, "promise", MAX_PROMISES, done, simulated, lambda entity: OnePromise(self, entity))

    async def make_promise(
        self, text: Title, partner: Id, owner: Annotated[str, Field(min_length=1, max_length=100)],
        due_at: Annotated[float, Field(ge=0)], meeting: Short = "",
    ) -> str:  # fmt: skip
        """Note a promise; its entity id. ``owner``: the person who answers for it; ``partner``: whose it is."""
        whose = (await self._partners.book.need(partner)).entity
        held = (await self._meetings.book.need(meeting)).entity if meeting else ""
        self._check(due_at)
        entity, new = await self.book.begin(text)
        if new:
            fields = {
                "text": text, "partner": whose, "owner_name": owner, "due_at": due_at, "meeting": held,
                "by": current_call().actor, "made_at": self.ctx.clock.now(), "simulated": self.book.simulated,
            }  # fmt: skip
            await emit(self.ctx, "promise_made", entity, fields)
        return entity

    def _check(self, due_at: float) -> None:
        now = self.ctx.clock.now()
        if not now < due_at <= now + LONGEST_DAYS * 86_400:
            raise InvalidInput(f"the day must lie in the next {LONGEST_DAYS} days", where="due_at")

    async def end(self, promise: str, state: str, note: str) -> None:
        """It was kept or dropped."""
        known = await self.book.need(promise)
        if known.state == state:
            return
        if known.state not in OPEN:
            raise Conflict(f"this promise is {known.state}", where=known.entity)
        now = self.ctx.clock.now()
        fields = {
            "state": state, "at": now, "note": note, "by": current_call().actor,
            "late_s": max(0.0, now - float(known.attributes["due_at"])),
        }
        await emit(self.ctx, "promise_ended", known.entity, fields)

    async def move(self, promise: str, due_at: float, reason: str) -> None:
        """Another day, and why."""
        known = await self.book.need(promise)
        if known.state not in OPEN:
            raise Conflict(f"this promise is {known.state}", where=known.entity)
        self._check(due_at)
        fields = {"due_at": due_at, "before": known.attributes["due_at"], "reason": reason, "by": current_call().actor}
        await emit(self.ctx, "promise_moved", known.entity, fields)

    async def look(self) -> None:
        """Report what is overdue, once each. Called again and again."""
        now = self.ctx.clock.now()
        for one in await self.book.all():
            if one.state == "open" and now >= float(one.attributes["due_at"]):
                facts = one.attributes
                fields = {"due_at": facts["due_at"], "text": facts["text"], "partner": facts["partner"], "at": now}
                await emit(self.ctx, "promise_overdue", one.entity, fields)
        await self.ctx.alive()


@dataclass(frozen=True, slots=True)
class OnePromise:
    """Serves the actions of one promise."""

    keeper: Promises
    entity: str

    async def keep(self, note: str = "") -> None:
        await self.keeper.end(self.entity, "kept", note)

    async def drop(self, reason: str) -> None:
        await self.keeper.end(self.entity, "dropped", reason)

    async def move(self, due_at: float, reason: str) -> None:
        await self.keeper.move(self.entity, due_at, reason)
