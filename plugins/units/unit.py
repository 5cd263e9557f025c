"""One unit: its duty, task, position, SOS and dead-man timer. All it knows is in its state, so a restart loses none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from hub.capabilities import (
    SosCleared,
    SosRaised,
    UnitAlerted,
    UnitMoved,
    UnitStatusChanged,
    UnitTaskSeen,
    UnitTimerSet,
)
from hub.sdk import Context, Entity, EntityState, InvalidInput, StateChanged, current_call

from .device import Fix

STATUSES = ("available", "busy", "off_duty")
SAME_SOS_S = 10.0
"""A second press within this time is the same call for help, unless it brings the position that was missing."""
POSITION = ("lat", "lon", "fix_at", "accuracy_m", "speed_mps", "heading_deg")

Told = Callable[["Unit", str], Awaitable[None]]


async def _nobody(unit: Unit, what: str) -> None:
    """Who hears of units when no TAK server is configured."""


class Unit:
    """Serves one unit's actions and keeps what its phone last said. ``told(unit, what)`` hears, after it is durable,
    of ``moved``, ``off_duty``, ``sos`` and ``sos_over``."""

    def __init__(self, ctx: Context, described: Entity, secret: str, told: Told = _nobody) -> None:
        self._ctx, self._described, self.entity, self.secret, self.told = ctx, described, described.id, secret, told
        self._newest = float("-inf")
        self._one_by_one = asyncio.Lock()  # a press and its repeat at once are one SOS

    async def take_up(self) -> None:
        """Begin with the state of before a restart; a new unit is available."""
        a = await self.attributes()
        await self._describe(on_duty=a["state"] != "off_duty")
        if a["state"] in STATUSES:
            self._newest = float(a.get("fix_at") or "-inf")
        else:
            await self._change("available", None, None)

    async def _describe(self, on_duty: bool) -> None:
        """Bring it in; off duty its silence is no fault."""
        limit = self._described.silent_after if on_duty else None
        await self._ctx.add(replace(self._described, silent_after=limit), self)

    async def attributes(self) -> dict[str, Any]:
        """What is known of it, with ``state``."""
        state = await self._ctx.state(self.entity)
        return {**state.attributes, "state": state.state} if state is not None else {"state": None}

    # --- duty

    async def alert(
        self, text: str, incident: str | None = None, lat: float | None = None, lon: float | None = None
    ) -> None:
        await self._ctx.emit(UnitAlerted(text=text, incident=incident, lat=lat, lon=lon), entity=self.entity)

    async def set_status(self, status: str, incident: str | None = None) -> None:
        """A unit off duty stays so when a rule or a closed case calls: that is for people."""
        by_machine = not current_call().actor.startswith("user:")
        if status == "available" and by_machine and (await self.attributes())["state"] == "off_duty":
            return
        await self.change_status(status, incident)

    async def change_status(self, status: str, incident: str | None = None) -> None:
        """The same by the unit's own phone."""
        if status not in STATUSES:
            raise InvalidInput(f"{status!r} is no status", where="status", hint=f"one of {', '.join(STATUSES)}")
        now, a = self._ctx.clock.now(), await self.attributes()
        if status == "off_duty":
            await self._change(status, None, None)
            await self._end_duty(a)
            return
        begins = a["state"] == "off_duty"
        await self._change(status, incident, now if begins else a.get("on_duty_since"))
        if begins:
            await self._describe(on_duty=True)

    async def _change(self, status: str, incident: str | None, since: float | None) -> None:
        changed = UnitStatusChanged(status=status, incident=incident, on_duty_since=since)
        await self._ctx.emit(changed, entity=self.entity)

    async def _end_duty(self, a: dict[str, Any]) -> None:
        """Off duty nobody is watched: the last position goes from the screens, and the timer ends."""
        await self._ctx.emit(StateChanged(attributes=dict.fromkeys(POSITION)), entity=self.entity)
        if a.get("timer_due") is not None:
            await self._ctx.emit(UnitTimerSet(minutes=None, due=None), entity=self.entity)
        await self._describe(on_duty=False)
        await self.told(self, "off_duty")

    # --- position

    async def moved(self, fix: Fix) -> bool:
        """Report a position. ``False``: it is not kept, since it was taken off duty; nothing of it is written down.
        One that is older than what is known came late and changes nothing."""
        a = await self.attributes()
        if a["state"] == "off_duty" or fix.at < float(a.get("on_duty_since") or "-inf"):
            return False
        before = self._newest
        if fix.at <= before:
            return True
        self._newest = fix.at  # at once, so that an older point that comes meanwhile is late
        data = UnitMoved(
            lat=fix.lat, lon=fix.lon, fix_at=fix.at, accuracy_m=fix.accuracy_m, speed_mps=fix.speed_mps,
            heading_deg=fix.heading_deg, battery_pct=fix.battery_pct,
        )  # fmt: skip
        try:
            await self._ctx.emit(data, entity=self.entity, at=fix.at)
        except BaseException:  # it was not kept: the phone sends it again
            self._newest = before if self._newest == fix.at else self._newest
            raise
        await self.told(self, "moved")
        return True

    # --- the task

    async def task(self) -> dict[str, Any]:
        """What the phone should show: nothing of a case that is closed."""
        a = await self.attributes()
        status, case = a["state"], a.get("task_incident")
        if isinstance(case, str) and _closed(await self._ctx.state(case)):
            a = {}
        return {
            "status": status, "text": a.get("task"), "incident": a.get("task_incident"), "lat": a.get("task_lat"),
            "lon": a.get("task_lon"), "seen": a.get("task_seen_at") is not None,
        }  # fmt: skip

    async def task_seen(self) -> None:
        """The phone showed the task; harmless when there is none, or it was seen before."""
        task = await self.task()
        if task["text"] is not None and not task["seen"]:
            seen = UnitTaskSeen(seen_at=self._ctx.clock.now(), incident=task["incident"])
            await self._ctx.emit(seen, entity=self.entity)

    # --- SOS

    async def sos(self, sos_id: str, raised_at: float, fix: Fix | None = None, kind: str = "button") -> None:
        """Call for help, on duty or off. The same ``sos_id``, or a press right after another, is the same call."""
        async with self._one_by_one:
            a = await self.attributes()
            if a.get("sos_at") is not None and not self._news(a, sos_id, fix):
                return
            if fix is not None:
                place: dict[str, Any] = {
                    "lat": fix.lat, "lon": fix.lon, "accuracy_m": fix.accuracy_m, "fix_at": fix.at,
                }  # fmt: skip
            else:
                place = {name: a.get(name) for name in ("lat", "lon", "accuracy_m", "fix_at")}
            raised = SosRaised.model_validate({
                "kind": kind, "sos_id": sos_id, "raised_at": raised_at, "simulated": self._described.simulated, **place,
            })  # fmt: skip
            await self._ctx.emit(raised, entity=self.entity)
        await self.told(self, "sos")

    def _news(self, a: dict[str, Any], sos_id: str, fix: Fix | None) -> bool:
        if a.get("sos_lat") is None and fix is not None:
            return True
        return a.get("sos_id") != sos_id and self._ctx.clock.now() - float(a["sos_at"]) > SAME_SOS_S

    async def clear_sos(self, reason: str) -> None:
        await self.end_sos(current_call().actor, reason)

    async def end_sos(self, by: str, reason: str) -> None:
        """It is over; harmless when there is none."""
        if (await self.attributes()).get("sos_at") is not None:
            await self._ctx.emit(SosCleared(by=by, reason=reason), entity=self.entity)
            await self.told(self, "sos_over")

    # --- the dead-man timer

    async def set_timer(self, minutes: int | None) -> None:
        """Begin the timer, or tap it again (``minutes`` anew); ``None`` ends it."""
        due = None if minutes is None else self._ctx.clock.now() + minutes * 60
        await self._ctx.emit(UnitTimerSet(minutes=minutes, due=due), entity=self.entity)

    async def tap(self) -> bool:
        """"I am well": the timer begins again. ``False`` when none runs."""
        minutes = (await self.attributes()).get("timer_minutes")
        if minutes is None:
            return False
        await self.set_timer(int(minutes))
        return True

    async def timer_ended(self, due: float) -> None:
        """Raise the SOS of a timer that ran out, also of one that did while the hub was not there."""
        await self.sos(f"timer-{due:.0f}", self._ctx.clock.now(), kind="dead_man")
        await self.set_timer(None)  # after the SOS: a crash between the two raises the same one again, not none


def _closed(case: EntityState | None) -> bool:
    return case is not None and case.state == "closed"
