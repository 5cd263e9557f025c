"""The roster that people edit: officers, and who is to be on which shift."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from hub.capabilities import OfficerListed, ShiftPlanned
from hub.sdk import Context, Entity, InvalidInput, LimitExceeded, NotFound, Text, current_call

from .times import HOURS, Pattern, Slot, days, running, slot_key, span, today

MAX_OFFICERS = 200
MAX_PER_SHIFT = 20
BEFORE_DAYS = 1
ACCOUNT = r"^[a-z0-9][a-z0-9_.-]{0,59}$"
OfficerAccount = Annotated[str, Field(pattern=ACCOUNT, description="account name, without user:")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="2026-11-23",
                           json_schema_extra={"format": "date"})]  # fmt: skip
Hours = Annotated[str, Field(max_length=5, description="08:00; empty: as every day")]


class Plan:
    """Officers and shifts. ``changed`` is called after each edit."""

    def __init__(
        self, ctx: Context, patterns: Sequence[Pattern], zone: ZoneInfo, needed: int, shown_days: int,
        officers: dict[str, dict[str, str]],
    ) -> None:  # fmt: skip
        self._ctx, self._zone, self._needed, self._shown_days = ctx, zone, needed, shown_days
        self.patterns = {pattern.id: pattern for pattern in patterns}
        self._given = officers
        self._officers, self._shifts = ctx.documents("officers"), ctx.documents("shifts")
        self._people: dict[str, dict[str, Any]] = {}
        self._edits: dict[str, dict[str, Any]] = {}
        self._planned: dict[str, tuple[object, ...]] = {}
        self._listed: dict[str, tuple[object, ...]] = {}
        self.changed: Callable[[], Awaitable[None]] | None = None

    async def load(self) -> None:
        """Read the documents."""
        self._people = await self._officers.all()
        self._edits = await self._shifts.all()

    # --- what stands in it

    def person(self, account: str, **more: Any) -> dict[str, Any]:
        """An officer as events tell them; one who is not in the roster by the account alone."""
        known = self._people.get(account) or self._given.get(account) or {}
        return {"account": account, "name": known.get("name", account), "title": known.get("title", ""), **more}

    def name(self, account: str) -> str:
        """Title and name in one."""
        person = self.person(account)
        return f"{person['title']} {person['name']}".strip()

    def knows(self, account: str) -> bool:
        """Is it an officer of the roster?"""
        if account in self._people:
            return not self._people[account].get("removed")
        return account in self._given

    def slots(self, now: float) -> list[Slot]:
        """All shifts from yesterday to the last day that is shown, in order."""
        first = today(now, self._zone) - timedelta(days=BEFORE_DAYS)
        made = [
            self._slot(day, pattern)
            for day in days(first, BEFORE_DAYS + self._shown_days)
            for pattern in self.patterns.values()
        ]
        return sorted(made, key=lambda slot: (slot.since, slot.key))

    def _slot(self, day: date, pattern: Pattern) -> Slot:
        key = slot_key(day, pattern.id)
        edit = self._edits.get(key, {})
        since, until = span(day, edit.get("start") or pattern.start, edit.get("end") or pattern.end, self._zone)
        officers = tuple(edit["officers"]) if "officers" in edit else pattern.officers
        return Slot(key, day, pattern, since, until, officers, edit.get("by", ""))

    # --- what people do with it

    async def set_officer(
        self, account: OfficerAccount, name: Annotated[str, Field(min_length=1, max_length=120)],
        title: Annotated[str, Field(max_length=120, description="rank or post")] = "",
    ) -> None:  # fmt: skip
        """Put an officer into the roster, or change name and title."""
        if account not in self._people and len(self._people) >= MAX_OFFICERS:
            raise LimitExceeded(f"the roster has {MAX_OFFICERS} officers", where="account")
        self._people[account] = {"account": account, "name": name, "title": title}
        await self._officers.put(account, self._people[account])
        await self._tell()

    async def remove_officer(self, account: OfficerAccount) -> None:
        """Take an officer out of the roster; the shifts planned with them say so as too few."""
        if not self.knows(account):
            raise NotFound(f"no officer {account!r} in the roster", where="account")
        if account in self._given:  # stands in the configuration: only marked
            self._people[account] = {"account": account, "name": account, "title": "", "removed": True}
            await self._officers.put(account, self._people[account])
        else:
            del self._people[account]
            await self._officers.delete(account)
        await self._tell()

    async def set_shift(
        self, day: Day, shift: Annotated[str, Field(max_length=40, description="which shift of the day")],
        officers: Annotated[list[OfficerAccount], Field(max_length=MAX_PER_SHIFT)],
        number_of_days: Annotated[int, Field(ge=1, le=62, description="the same on so many days")] = 1,
        start: Hours = "", end: Hours = "",
    ) -> list[str]:  # fmt: skip
        """Say who is on a shift, for one day or several; the shifts' entity ids."""
        pattern, first = self._pattern(shift), _day(day)
        if len(set(officers)) != len(officers):
            raise InvalidInput("an officer stands there twice", where="officers")
        if strangers := [one for one in officers if not self.knows(one)]:
            raise InvalidInput(
                f"not in the roster: {', '.join(strangers)}", where="officers", hint="first use roster.set_officer"
            )
        for where, hours in (("start", start), ("end", end)):
            if hours and not HOURS.fullmatch(hours):
                raise InvalidInput(f"{hours!r} is no time of day", where=where, hint="write 08:00")
        by = current_call().actor
        keys = [slot_key(one, pattern.id) for one in days(first, number_of_days)]
        for key, one in zip(keys, days(first, number_of_days), strict=True):
            edit = {"date": one.isoformat(), "shift": pattern.id, "officers": officers, "start": start, "end": end,
                    "by": by}  # fmt: skip
            await self._shifts.put(key, edit)
            self._edits[key] = edit
        await self._tell()
        return [f"roster.{key}" for key in keys]

    async def clear_shift(self, day: Day, shift: Annotated[str, Field(max_length=40)]) -> None:
        """Back to what stands in the configuration for every day."""
        key = slot_key(_day(day), self._pattern(shift).id)
        self._edits.pop(key, None)
        await self._shifts.delete(key)
        await self._tell()

    def _pattern(self, shift: str) -> Pattern:
        if shift not in self.patterns:
            raise InvalidInput(f"no shift {shift!r}", where="shift", hint=f"one of {', '.join(sorted(self.patterns))}")
        return self.patterns[shift]

    async def _tell(self) -> None:
        if self.changed is not None:
            await self.changed()

    # --- what the screens show

    async def show(self, now: float, on_duty: dict[str, float]) -> None:
        """Bring the shifts and officers in as entities, and report what is new of them."""
        slots = self.slots(now)
        current = running(slots, now)
        for slot in slots:
            await self._show_slot(slot, now, current)
        for gone in self._planned.keys() - {slot.key for slot in slots}:
            await self._ctx.remove(f"roster.{gone}")
            del self._planned[gone]
        accounts = {one for one in (*self._given, *self._people) if self.knows(one)} | on_duty.keys()
        for account in sorted(accounts):
            await self._show_officer(account, on_duty.get(account))
        for gone in self._listed.keys() - accounts:
            await self._ctx.remove(_officer(gone))
            del self._listed[gone]

    async def _show_slot(self, slot: Slot, now: float, current: Slot | None) -> None:
        known = [one for one in slot.officers if self.knows(one)]
        state: Any = "past" if slot.until <= now else "running" if slot == current else "planned"
        if state == "planned" and len(known) < self._needed:
            state = "short"
        shown = (state, slot.since, slot.until, slot.officers, tuple(str(self.person(one)) for one in known))
        if self._planned.get(slot.key) == shown:
            return
        if slot.key not in self._planned:
            day = f"{slot.day.year + 543}-{slot.day:%m-%d}"  # in this order the names sort by day
            name = Text(f"{day} {slot.pattern.th}", f"{slot.day.isoformat()} {slot.pattern.en}")
            await self._ctx.add(Entity(f"roster.{slot.key}", name))
        planned = ShiftPlanned(
            state=state, shift=slot.pattern.id, date=slot.day.isoformat(), since=slot.since, until=slot.until,
            officers=[self.person(one) for one in known], names=[self.name(one) for one in known],
            planned_by=slot.planned_by,
        )  # fmt: skip
        await self._tell_once(planned, f"roster.{slot.key}")
        self._planned[slot.key] = shown

    async def _show_officer(self, account: str, since: float | None) -> None:
        person = self.person(account)
        shown = (person["name"], person["title"], since)
        if self._listed.get(account) == shown:
            return
        if account not in self._listed:
            await self._ctx.add(Entity(_officer(account), Text(account, account)))
        listed = OfficerListed(
            state="off_duty" if since is None else "on_duty", account=account, officer=person["name"],
            title=person["title"], since=since,
        )  # fmt: skip
        await self._tell_once(listed, _officer(account))
        self._listed[account] = shown

    async def _tell_once(self, data: OfficerListed | ShiftPlanned, entity: str) -> None:
        """Report it, unless the entity's state says exactly that since before a restart."""
        known, fields = await self._ctx.state(entity), data.model_dump(mode="json")
        stands = known is not None and all(
            value == (known.state if name == "state" else known.attributes.get(name)) for name, value in fields.items()
        )
        if not stands:
            await self._ctx.emit(data, entity=entity)

    async def forget_others(self) -> None:
        """Take out what stands in the state from before and is no longer of the roster."""
        shown = {f"roster.{key}" for key in self._planned} | {_officer(account) for account in self._listed}
        for domain in ("roster", "officer"):
            for state in await self._ctx.states(domain):
                if state.attributes.get("instance") == self._ctx.instance and state.entity not in shown:
                    await self._ctx.remove(state.entity)


def _officer(account: str) -> str:
    return f"officer.{re.sub(r'[^a-z0-9]', '_', account.lower())[:79]}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is no date", where="day", hint="write 2026-11-23") from None
