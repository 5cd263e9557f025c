"""Triggers on time: times of day, patterns, the sun. One missed while the hub was down stays missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from hub.automation.execution.arming import Armed, Values
from hub.automation.execution.moments import after, first_after, moment_of, next_daily, next_match
from hub.automation.execution.sun import next_sun
from hub.automation.language.model import PatternTrigger, SunTrigger, TimeTrigger
from hub.core.bus import ANY, Subscription
from hub.core.clock import Timer
from hub.core.event import Event
from hub.core.state import Change


class _Alarm:
    """Calls ``due`` at each moment that ``following`` names; ``None`` ends it."""

    def __init__(
        self, armed: Armed, following: Callable[[datetime], datetime | None], due: Callable[[datetime], None]
    ) -> None:
        self._clock, self._zone = armed.arming.host.clock, armed.arming.templates.world.zone
        self._following, self._due_ = following, due
        self._timer: Timer | None = None
        self.schedule()
        armed.undo.append(self.cancel)

    def schedule(self) -> None:
        """Set the clock for the next moment."""
        self.cancel()
        moment = self._following(datetime.fromtimestamp(self._clock.now(), self._zone))
        if moment is not None:
            self._timer = self._clock.call_at(moment.timestamp(), lambda: self._due(moment))

    def cancel(self) -> None:
        """Call no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, moment: datetime) -> None:
        self.schedule()
        self._due_(moment)


def arm_time(armed: Armed, trigger: TimeTrigger, _variables: Values) -> None:
    """Times of day, and times that entities have."""
    for at in trigger.at:
        if isinstance(at, time):
            _daily(armed, trigger, at)
        else:
            _EntityTime(armed, trigger, *at)


def _daily(armed: Armed, trigger: TimeTrigger, at: time) -> None:
    _Alarm(armed, lambda now: next_daily(now, at), lambda due: _fire(armed, trigger, due, None))


def _fire(armed: Armed, trigger: TimeTrigger, due: datetime, entity: str | None) -> None:
    if trigger.weekdays is None or due.weekday() in trigger.weekdays:
        armed.fire(trigger, {"platform": "time", "now": due, "entity_id": entity}, None)


class _EntityTime:
    """The time stands in an entity's state and moves with it."""

    def __init__(self, armed: Armed, trigger: TimeTrigger, entity: str, offset: float) -> None:
        self._armed, self._trigger, self._entity = armed, trigger, entity
        self._offset = timedelta(seconds=offset)
        self._alarm = _Alarm(armed, self._following, self._due)
        armed.listen(Subscription(self._changed, ANY, entity=entity))

    def _following(self, now: datetime) -> datetime | None:
        found = moment_of(self._armed.arming.host.state.get(self._entity), now)
        if isinstance(found, time):
            return next_daily(now, found, self._offset)
        return first_after(now, [after(found, self._offset)]) if found is not None else None

    def _changed(self, _event: Event, _change: Change | None) -> None:
        self._alarm.schedule()

    def _due(self, due: datetime) -> None:
        _fire(self._armed, self._trigger, due, self._entity)


def arm_pattern(armed: Armed, trigger: PatternTrigger, _variables: Values) -> None:
    """Each moment that matches."""
    wanted = (trigger.hours, trigger.minutes, trigger.seconds)
    _Alarm(
        armed, lambda now: next_match(now, *wanted),
        lambda due: armed.fire(trigger, {"platform": "time_pattern", "now": due}, None),
    )  # fmt: skip


def arm_sun(armed: Armed, trigger: SunTrigger, _variables: Values) -> None:
    """Sunrise or sunset where the zone is."""
    location = armed.arming.templates.world.location
    told: dict[str, Any] = {"platform": "sun", "event": trigger.event, "offset": timedelta(seconds=trigger.offset)}
    _Alarm(
        armed, lambda now: next_sun(trigger.event, trigger.offset, now, location),
        lambda due: armed.fire(trigger, {**told, "now": due}, None),
    )  # fmt: skip
