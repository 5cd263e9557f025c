"""Timers. When one ends stands in the hub's state, so it ends then, whatever was restarted meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.capabilities import (
    TimerCancelled,
    TimerChanged,
    TimerEvent,
    TimerFinished,
    TimerPaused,
    TimerRestarted,
    TimerStarted,
)
from hub.sdk import Conflict, Context, EntityState, InvalidInput

from .agenda import Agenda
from .helper import Helper, Value
from .settings import TimerSettings
from .spans import seconds_of, shown

IDLE, ACTIVE, PAUSED = "idle", "active", "paused"


class Countdown(Helper):
    """``timer``."""

    domain = "timer"

    def __init__(self, ctx: Context, name: str, settings: TimerSettings, agenda: Agenda) -> None:
        super().__init__(ctx, name, settings)
        self._duration, self._restore, self._agenda = settings.seconds(), settings.restore, agenda

    def first(self, held: EntityState | None) -> Value:
        if held is not None and self._restore and held.state in (ACTIVE, PAUSED):
            return held.state, {"restore": True}
        at_rest = {"duration": shown(self._duration), "remaining": None, "finishes_at": None}
        return IDLE, {**at_rest, "restore": self._restore}

    async def take_up(self) -> None:
        """Go on, or finish at once when that was due while the hub was down."""
        await super().take_up()
        held = await self.held()
        if held.state == ACTIVE:
            self._agenda.plan(self.id, _ends(held), self._due)

    async def start(self, duration: Any = None) -> None:
        """Run."""
        given = None if duration is None else self._seconds(duration)
        async with self._turn:
            held = await self.held()
            whole = given if given is not None else self._whole(held)
            left = seconds_of(held.attributes["remaining"]) if given is None and held.state == PAUSED else whole
            if left <= 0:
                raise InvalidInput(f"{left:g} s is no duration", where=self.id, hint="give duration, as in 00:05:00")
            kind = TimerStarted if held.state == IDLE else TimerRestarted
            await self._run(kind, whole, left)

    async def pause(self) -> None:
        """Stand still."""
        async with self._turn:
            held = await self.held()
            if held.state == ACTIVE:
                left = max(_ends(held) - self._ctx.clock.now(), 0.001)
                await self._tell(TimerPaused, PAUSED, self._whole(held), remaining=shown(left))

    async def cancel(self) -> None:
        """Back to idle."""
        async with self._turn:
            if (await self.held()).state != IDLE:
                await self._tell(TimerCancelled, IDLE, self._duration)

    async def finish(self) -> None:
        """Finish before its time."""
        async with self._turn:
            if (await self.held()).state == ACTIVE:
                await self._finished(self._ctx.clock.now())

    async def change(self, duration: Any) -> None:
        """More or less time."""
        more = self._seconds(duration)
        async with self._turn:
            held = await self.held()
            if held.state != ACTIVE:
                raise Conflict(f"it is {held.state}; only an active timer is changed", where=self.id, hint="start it")
            whole, left = self._whole(held), _ends(held) - self._ctx.clock.now() + more
            if not 0 <= left <= whole:
                words = f"{shown(abs(left))} {'below nothing' if left < 0 else 'would be left'}"
                hint = f"what is left must be between 0 and its duration of {shown(whole)}"
                raise InvalidInput(words, where=self.id, hint=hint)
            await self._run(TimerChanged, whole, left)

    # --- its own

    def _seconds(self, duration: Any) -> float:
        try:
            return seconds_of(duration)
        except ValueError as wrong:
            raise InvalidInput(str(wrong), where=self.id) from None

    def _whole(self, held: EntityState) -> float:
        """The duration it runs for, or would."""
        return self._duration if held.state == IDLE else seconds_of(held.attributes["duration"])

    async def _run(self, kind: type[TimerEvent], whole: float, left: float) -> None:
        ends = datetime.fromtimestamp(self._ctx.clock.now() + left, UTC)
        self._agenda.plan(self.id, ends.timestamp(), self._due)  # first: what is told is then sure to end
        await self._tell(kind, ACTIVE, whole, remaining=shown(left), finishes_at=ends.isoformat())

    async def _due(self) -> float | None:
        async with self._turn:
            held = await self.held()
            if held.state != ACTIVE:
                return None
            if (ends := _ends(held)) > self._ctx.clock.now():
                return ends
            await self._finished(ends)
            return None

    async def _finished(self, at: float) -> None:
        moment = datetime.fromtimestamp(at, UTC).isoformat()
        await self._tell(TimerFinished, IDLE, self._duration, finished_at=moment)

    async def _tell(self, kind: type[TimerEvent], state: str, whole: float, **more: str) -> None:
        fields = {"entity_id": self.id, "state": state, "duration": shown(whole), **more}
        await self._ctx.emit(kind.model_validate(fields), entity=self.id)


def _ends(held: EntityState) -> float:
    return datetime.fromisoformat(held.attributes["finishes_at"]).timestamp()
