"""Who may ask, how often and for what; and what is kept of it: who, when, why, hit or not."""

from __future__ import annotations

from collections import deque
from typing import Annotated, Any, Literal

from pydantic import Field

from hub.capabilities import LookedUp
from hub.sdk import (
    ActionFailed,
    Context,
    Denied,
    InvalidInput,
    LimitExceeded,
    NotFound,
    StateChanged,
    current_call,
)

from .device import Register, RegisterError

HOUR_S = 3_600.0
DAY_S = 86_400.0
MAX_WAITING = 500
Kind = Literal["person", "vehicle", "case"]


class Desk:
    """Serves the two actions. ``register`` is ``None`` where officers look in CRIMES themselves."""

    def __init__(self, ctx: Context, entity: str, register: Register | None, per_hour: int) -> None:
        self._ctx, self._entity, self._register, self._per_hour = ctx, entity, register, per_hour
        self._asked: dict[str, deque[float]] = {}
        self._rows = ctx.records("waiting")
        self._waiting: dict[str, dict[str, Any]] = {}
        self._shown: dict[str, Any] = {}

    async def take_up(self) -> None:
        """Go on with the questions that wait for a result by hand."""
        now = self._ctx.clock.now()
        self._waiting = {request: {"at": now, **about} for request, about in (await self._rows.all()).items()}
        await self._show("ok" if self._register is None else "unknown")

    async def look_up(
        self,
        kind: Annotated[Kind, Field(description="person, vehicle or case")],
        value: Annotated[str, Field(min_length=2, max_length=100, description="name, id number, plate or case number")],
        purpose: Annotated[str, Field(min_length=5, max_length=300, description="why it is needed")],
        incident: Annotated[str, Field(max_length=120, description="the open incident, incident.ID")],
    ) -> dict[str, Any]:
        """Ask the register; ``{"request", "outcome", "lines"}``. By hand: ``outcome`` is ``waiting``."""
        call = current_call()
        await self._check(call.actor, incident)
        request = self._ctx.ids.new()
        about = {
            "by": call.actor, "kind": kind, "purpose": purpose, "incident": incident, "at": self._ctx.clock.now(),
        }  # fmt: skip
        if self._register is None:
            return await self._wait(request, about)
        try:
            found = await self._register.ask(kind, value, call.actor, incident, request)
        except RegisterError as wrong:
            await self._tell(request, about, "failed")
            await self._down(str(wrong))
            hint = "look in CRIMES by hand, and tell the technician"
            raise ActionFailed(f"the register did not answer: {wrong}", where=self._entity, hint=hint) from None
        await self._up()
        outcome = "hit" if found.hit else "no_hit"
        await self._tell(request, about, outcome)
        return {"request": request, "outcome": outcome, "lines": list(found.lines)}

    async def enter_result(
        self,
        request: Annotated[str, Field(max_length=40, description="number of the look-up")],
        hit: Annotated[bool, Field(description="was anything found")],
    ) -> None:
        """Say what a look-up by hand brought: hit or not, and nothing else."""
        about = self._waiting.get(request)
        if about is None:
            raise NotFound("no look-up of this number waits for a result", where="request")
        if about["by"] != current_call().actor:
            raise Denied(f"only {about['by']}, who asked, may enter the result", where="request")
        await self._close(request, about, "hit" if hit else "no_hit")
        await self._show("ok")

    async def look(self) -> None:
        """Is the register there? And which look-ups by hand has nobody closed within a day?"""
        await self._expire()
        if self._register is None:
            await self._ctx.alive()
            return
        try:
            await self._register.well()
        except RegisterError as wrong:
            await self._down(str(wrong))
        else:
            await self._up()

    # --- inside

    async def _expire(self) -> None:
        """Only who asked may enter a result, and may be off duty for good: after a day the answer counts as one that
        never came, or the room for questions fills up."""
        oldest = self._ctx.clock.now() - DAY_S
        late = [(request, about) for request, about in self._waiting.items() if about["at"] < oldest]
        for request, about in late:
            await self._close(request, about, "failed")
        if late:
            await self._show("ok" if self._register is None else "unknown")

    async def _close(self, request: str, about: dict[str, Any], outcome: str) -> None:
        await self._tell(request, about, outcome)
        self._waiting.pop(request, None)
        await self._rows.delete(request)

    async def _check(self, by: str, incident: str) -> None:
        state = await self._ctx.state(incident)
        if state is None or state.domain != "incident":
            raise InvalidInput(f"{incident!r} is no incident", where="incident", hint="open an incident first")
        if state.state == "closed":
            raise Denied(f"{incident} is closed", where="incident", hint="people are looked up for open incidents only")
        now = self._ctx.clock.now()
        asked = self._asked.setdefault(by, deque(maxlen=self._per_hour))
        while asked and now - asked[0] > HOUR_S:
            asked.popleft()
        if len(asked) >= self._per_hour:
            hint = "another officer may ask, or wait"
            raise LimitExceeded(f"{by} asked {self._per_hour} times within the hour", where=self._entity, hint=hint)
        asked.append(now)

    async def _wait(self, request: str, about: dict[str, Any]) -> dict[str, Any]:
        if len(self._waiting) >= MAX_WAITING:
            raise LimitExceeded(f"{MAX_WAITING} look-ups wait for a result", where=self._entity)
        await self._rows.put(request, about)
        self._waiting[request] = about
        await self._tell(request, about, "waiting")
        await self._show("ok")
        return {"request": request, "outcome": "waiting", "lines": []}

    async def _tell(self, request: str, about: dict[str, Any], outcome: Any) -> None:
        said = LookedUp(
            registry=self._ctx.instance, by=about["by"], subject_kind=about["kind"], purpose=about["purpose"],
            incident=about["incident"], outcome=outcome, request=request,
        )  # fmt: skip
        await self._ctx.emit(said, entity=self._entity)

    async def _up(self) -> None:
        await self._ctx.alive()
        await self._ctx.health(True)
        await self._show("ok")

    async def _down(self, why: str) -> None:
        await self._ctx.health(False, f"the register did not answer: {why}")
        await self._show("failing", last_error=why)

    async def _show(self, state: str, **more: Any) -> None:
        shown = {**self._shown, **more, "state": state, "waiting": len(self._waiting)}
        if shown != self._shown:
            self._shown = shown
            attributes = {key: value for key, value in shown.items() if key != "state"}
            await self._ctx.emit(StateChanged(state=state, attributes=attributes), entity=self._entity)
