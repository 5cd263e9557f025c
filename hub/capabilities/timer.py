"""Timers that rules start, and whose end rules wait for. Actions, states and the data of the events are Home
Assistant's; its event types have a dot (``timer.finished``), ours do not: rules may write either."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from hub.capabilities.helper import RIGHT
from hub.core.action import action
from hub.core.event import EventData, Projection, event_type, same

Unit = Literal["days", "hours", "minutes", "seconds", "milliseconds"]
Span = (
    Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=40)]
    | dict[Unit, Annotated[float, Field(allow_inf_nan=False)]]
)  # fmt: skip
"""Seconds, ``HH:MM:SS``, or ``{minutes: 5}``."""


class Timer(Protocol):
    """A timer, ``timer.NAME``: ``idle``, ``active`` or ``paused``."""

    @action("เริ่มจับเวลา", "Start the timer", right=RIGHT)
    async def start(self, duration: Span | None = None) -> None:
        """Run so long, else for its own duration; without ``duration`` a paused timer goes on with what is left."""

    @action("พักการจับเวลา", "Pause the timer", right=RIGHT, idempotent=True)
    async def pause(self) -> None:
        """Stand still until it is started; nothing happens unless it is active."""

    @action("ยกเลิกการจับเวลา", "Cancel the timer", right=RIGHT, idempotent=True)
    async def cancel(self) -> None:
        """Back to idle without having finished."""

    @action("จบการจับเวลา", "Finish the timer", right=RIGHT, idempotent=True)
    async def finish(self) -> None:
        """Finish before its time; nothing happens unless it is active."""

    @action("ปรับเวลาที่เหลือ", "Change what is left", right=RIGHT)
    async def change(self, duration: Span) -> None:
        """Add to what is left of an active timer, or with a minus take away; at most up to its duration."""


_PROJECTION = Projection(state_from="state", attributes=same("duration", "remaining", "finishes_at"))


class TimerEvent(EventData):
    """What all events of a timer say. ``duration``, ``remaining``: as in ``0:05:00``. ``finishes_at``: ISO 8601, while
    it is active."""

    entity_id: str
    state: Literal["idle", "active", "paused"]
    duration: str
    remaining: str | None = None
    finishes_at: str | None = None


@event_type("timer_started", "เริ่มจับเวลา", "Timer started", projection=_PROJECTION)
class TimerStarted(TimerEvent):
    """It runs; it was idle."""


@event_type("timer_restarted", "เริ่มจับเวลาใหม่", "Timer restarted", projection=_PROJECTION)
class TimerRestarted(TimerEvent):
    """It runs; it was active or paused."""


@event_type("timer_paused", "พักการจับเวลา", "Timer paused", projection=_PROJECTION)
class TimerPaused(TimerEvent):
    """It stands still."""


@event_type("timer_changed", "ปรับเวลาที่เหลือ", "Timer changed", projection=_PROJECTION)
class TimerChanged(TimerEvent):
    """It ends earlier or later than it would have."""


@event_type("timer_cancelled", "ยกเลิกการจับเวลา", "Timer cancelled", projection=_PROJECTION)
class TimerCancelled(TimerEvent):
    """It was ended before its time and has not finished."""


@event_type("timer_finished", "จับเวลาครบ", "Timer finished", projection=_PROJECTION)
class TimerFinished(TimerEvent):
    """Its time is over. ``finished_at``: when it was, also if the hub was down then."""

    finished_at: str
