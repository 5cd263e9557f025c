"""The shift that is running: who is on duty, the sound test, and the change from one shift to the next."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Any

from hub.capabilities import (
    DutyChanged,
    DutyFilled,
    DutyShort,
    ShiftEnded,
    ShiftStarted,
    SoundTestDone,
    SoundTestOverdue,
)
from hub.sdk import Conflict, Context, InvalidInput, StateChanged, current_call

from .handover import Handovers
from .plan import Plan
from .times import Slot, following, running

CURRENT = "shift.current"
LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class Rules:
    """``grace_s``: time after a shift's start to sign in; ``sound_s``: to do the sound test; ``early_s``: before a
    shift's start in which its officers may sign in to it."""

    needed: int = 2
    grace_s: float = 900.0
    sound_s: float = 900.0
    early_s: float = 1_800.0
    must_sign_in: bool = True


@dataclass(slots=True)
class Now:
    """What is kept of the running shift. ``signed``, ``outgoing`` (of the shift before, until relieved), ``next``
    (signed in early to the one after): account → since when."""

    key: str = ""
    shift: str = ""
    since: float = 0.0
    until: float = 0.0
    signed: dict[str, float] = field(default_factory=dict)
    outgoing: dict[str, float] = field(default_factory=dict)
    next: dict[str, float] = field(default_factory=dict)
    sound: str = ""
    short: bool = False
    overdue: bool = False
    relieved: bool = False


class Desk:
    """Serves ``shift.current`` and ``Roster``."""

    def __init__(self, ctx: Context, plan: Plan, rules: Rules, handovers: Handovers) -> None:
        self._ctx, self._plan, self._rules, self._handovers = ctx, plan, rules, handovers
        self._rows = ctx.records("now")
        self._now = Now()
        self._kept: dict[str, Any] = {}
        self._told: dict[str, float] | None = None
        self._busy = asyncio.Lock()

    async def take_up(self) -> None:
        """Go on with the shift of before a restart."""
        kept = (await self._rows.all()).get("now")
        self._now = Now(**kept) if kept else Now()
        state = await self._ctx.state(CURRENT)
        if state is None or state.state == "unknown":
            await self._ctx.emit(StateChanged(state="none"), entity=CURRENT)
        await self.look(starting=True)
        await self._plan.forget_others()

    async def on_duty(self) -> list[str]:
        """The service ``Roster``."""
        return [f"user:{account}" for account in sorted(self._present(self._ctx.clock.now()))]

    def _present(self, now: float) -> dict[str, float]:
        """Who is on duty. The officers of the shift before stay until they are relieved or the time to sign in ends."""
        kept = self._now
        waiting = now < kept.since + self._rules.grace_s
        return {**(kept.outgoing if waiting else {}), **kept.signed}

    # --- time

    async def look(self, starting: bool = False) -> None:
        """What the clock brings: the next shift, too few officers, an overdue sound test. What asks for an alarm is
        not told while ``starting``: the rules that make alarms begin after the plugins."""
        async with self._busy:
            now = self._ctx.clock.now()
            slot = running(self._plan.slots(now), now)
            if (slot.key if slot else "") != self._now.key:
                await self._turn(slot, now)
            elif slot is not None and (slot.since, slot.until) != (self._now.since, self._now.until):
                self._now.since, self._now.until = slot.since, slot.until  # its hours were edited
            await self._roster_stands_in(slot)
            await self._told_all(now, "time")
            if not starting:
                await self._enough(now)
                await self._overdue(now)
            await self._keep()
        await self._ctx.alive()

    async def _turn(self, slot: Slot | None, now: float) -> None:
        """From one shift to the next."""
        before, present = self._now, self._present(now)
        if before.key:
            ended = ShiftEnded(
                shift=before.key, since=before.since, until=before.until, sound_test=before.sound or None,
                handed_over=before.relieved,
            )  # fmt: skip
            await self._ctx.emit(ended, entity=CURRENT)
        follows = bool(slot and before.key and slot.since - before.until < self._rules.grace_s)
        outgoing = present if follows and not before.relieved else {}
        self._now = Now(outgoing=outgoing)
        if slot is not None:
            signed = dict.fromkeys(before.next, slot.since)
            self._now = Now(slot.key, slot.pattern.id, slot.since, slot.until, signed, outgoing)
            await self._started(slot)
        self._told = None

    async def _started(self, slot: Slot) -> None:
        people = [self._plan.person(one) for one in slot.officers]
        started = ShiftStarted(shift=slot.key, since=slot.since, until=slot.until, officers=people)
        await self._ctx.emit(started, entity=CURRENT)

    async def _roster_stands_in(self, slot: Slot | None) -> None:
        """Where nobody needs to sign in, those of the roster are on duty."""
        if slot is not None and not self._rules.must_sign_in:
            wanted = {one: self._now.signed.get(one, slot.since) for one in slot.officers if self._plan.knows(one)}
            self._now.signed = {**self._now.signed, **wanted}

    async def _told_all(self, now: float, change: str, by: str = "", reason: str = "") -> None:
        """Report who is on duty when that is new, and whether they are enough."""
        present = self._present(now)
        if present != self._told:
            first, self._told = self._told is None, dict(present)
            officers = [self._plan.person(one, since=since) for one, since in sorted(present.items())]
            changed = DutyChanged(
                officers=officers, names=[self._plan.name(one) for one in sorted(present)], count=len(present),
                needed=self._rules.needed if self._now.key else 0,
                change="shift_started" if first and change == "time" else change, by=by, reason=reason,
            )  # fmt: skip
            if not first or not await self._stands(officers):
                await self._ctx.emit(changed, entity=CURRENT)
        await self._plan.show(now, present)

    async def _stands(self, officers: list[dict[str, Any]]) -> bool:
        """After a restart: was that told before?"""
        state = await self._ctx.state(CURRENT)
        return state is not None and state.attributes.get("officers") == officers

    async def _enough(self, now: float) -> None:
        kept, needed, count = self._now, self._rules.needed, len(self._present(now))
        if not kept.key:
            return
        if count >= needed and kept.short:
            kept.short = False
            await self._ctx.emit(DutyFilled(shift=kept.key, count=count, needed=needed), entity=CURRENT)
        late = now >= kept.since + self._rules.grace_s
        if count < needed and late and not kept.short:
            kept.short = True
            await self._ctx.emit(DutyShort(shift=kept.key, count=count, needed=needed), entity=CURRENT)

    async def _overdue(self, now: float) -> None:
        kept, limit = self._now, self._rules.sound_s
        if kept.key and not kept.sound and not kept.overdue and now >= kept.since + limit:
            kept.overdue = True
            await self._ctx.emit(SoundTestOverdue(shift=kept.key, minutes=round(limit / 60, 1)), entity=CURRENT)

    async def _keep(self) -> None:
        if (data := asdict(self._now)) != self._kept:
            await self._rows.put("now", data)
            self._kept = data

    # --- what officers do

    async def sign_in(self) -> dict[str, Any]:
        async with self._busy:
            account, now = _caller(), self._ctx.clock.now()
            slots = self._plan.slots(now)
            after = following(slots, now)
            early = after is not None and account in after.officers and after.since - now <= self._rules.early_s
            if not self._now.key and not early:
                raise Conflict("no shift is running", where=CURRENT, hint="look at the roster")
            if early and after is not None and account not in self._now.signed:
                self._now.next.setdefault(account, now)
                shift = after.key
            else:
                self._now.outgoing.pop(account, None)
                self._now.signed.setdefault(account, now)
                shift = self._now.key
            await self._told_all(now, "signed_in", account)
            await self._enough(now)
            await self._keep()
        return {"shift": shift, "on_duty": await self.on_duty()}

    async def sign_out(self, reason: str) -> dict[str, Any]:
        async with self._busy:
            account = _caller()
            held = [part for part in (self._now.signed, self._now.outgoing, self._now.next) if account in part]
            if not held:
                raise Conflict("you are not signed in", where=CURRENT)
            for part in held:
                del part[account]
            await self._told_all(self._ctx.clock.now(), "signed_out", account, reason)
            await self._enough(self._ctx.clock.now())
            await self._keep()
        return {"shift": self._now.key, "on_duty": await self.on_duty()}

    async def sound_test(self, result: str, note: str = "") -> None:
        async with self._busy:
            if not self._now.key:
                raise Conflict("no shift is running", where=CURRENT)
            self._now.sound = result
            done = SoundTestDone(
                shift=self._now.key, result=result, at=self._ctx.clock.now(), by=_caller(), note=note  # type: ignore[arg-type]
            )  # fmt: skip
            await self._ctx.emit(done, entity=CURRENT)
            await self._keep()

    async def hand_over(self, note: str = "") -> dict[str, Any]:
        async with self._busy:
            kept, account = self._now, _caller()
            if account not in kept.signed and account not in kept.outgoing:
                raise Conflict("only who is on duty hands over", where=CURRENT, hint="sign in to the shift first")
            about = {
                "shift": kept.key, "name": self._plan.patterns[kept.shift].th if kept.shift else "",
                "since": kept.since, "until": kept.until, "sound_test": kept.sound or None,
                "change": "into this shift" if kept.outgoing else "out of this shift",
                "on_duty": [self._plan.person(one) for one in sorted(self._present(self._ctx.clock.now()))],
            }  # fmt: skip
            return await self._handovers.give(current_call().key, self._plan.person(account), about, note)

    async def accept(self) -> dict[str, Any]:
        async with self._busy:
            kept, account = self._now, _caller()
            if account not in kept.signed and account not in kept.next:
                raise Conflict("only who is signed in takes over", where=CURRENT, hint="sign in to the shift first")
            result = await self._handovers.accept(current_call().key, self._plan.person(account))
            if kept.outgoing:
                kept.outgoing.clear()
            else:  # before the shift's end: nobody of it stays on after it
                kept.relieved = True
            await self._told_all(self._ctx.clock.now(), "relieved", account)
            await self._enough(self._ctx.clock.now())
            await self._keep()
            return result


def _caller() -> str:
    """The account of who asks; only people sign."""
    kind, _, name = current_call().actor.partition(":")
    if kind != "user" or not name:
        raise InvalidInput(f"{current_call().actor} is no person", where=CURRENT, hint="an officer signs in person")
    return name
