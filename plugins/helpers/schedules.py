"""Schedules of every week, in the zone's own time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hub.sdk import Context, EntityState

from .agenda import Agenda
from .clockwork import at
from .helper import Helper, Value
from .inputs import OFF, ON
from .settings import ScheduleSettings


class Timetable(Helper):
    """``schedule``."""

    domain, acts = "schedule", False

    def __init__(self, ctx: Context, name: str, settings: ScheduleSettings, zone: ZoneInfo, agenda: Agenda) -> None:
        super().__init__(ctx, name, settings)
        self._week, self._zone, self._agenda = settings.week(), zone, agenda

    def first(self, held: EntityState | None) -> Value:
        # what changed while the hub was down is told when the rules are there to hear it
        return (held.state, {}) if held is not None else self._now()[0]

    async def take_up(self) -> None:
        """On or off, and the next change."""
        await super().take_up()
        self._agenda.plan(self.id, self._ctx.clock.now(), self._due)

    async def _due(self) -> float | None:
        value, following = self._now()
        await self.become(lambda _held: value)
        return following

    def _now(self) -> tuple[Value, float | None]:
        on, following = at(self._week, self._ctx.clock.now(), self._zone)
        told = None if following is None else datetime.fromtimestamp(following, self._zone).isoformat()
        return (ON if on else OFF, {"next_event": told}), following
