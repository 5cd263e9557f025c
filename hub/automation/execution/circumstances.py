"""Conditions on when and where: the time of day, the sun, places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

from hub.automation.execution.moments import moment_of
from hub.automation.execution.places import inside, position
from hub.automation.execution.sun import sun_of_day
from hub.automation.execution.trace import Notes
from hub.automation.execution.values import Values
from hub.automation.language.model import (
    Condition,
    ForeignCondition,
    SunCondition,
    TimeCondition,
    ZoneCondition,
)
from hub.automation.templates.views import World

Check = Callable[[Values, Notes], bool]
_LAST = time(23, 59, 59, 999_999)


class ConditionFailed(ValueError):
    """The condition cannot be decided: a missing entity, a text where a number should be."""


def compile_circumstance(condition: Condition, world: World) -> Check:
    """Those of this module."""
    if isinstance(condition, TimeCondition):
        return _time(condition, world)
    if isinstance(condition, SunCondition):
        return _sun(condition, world)
    if isinstance(condition, ZoneCondition):
        return _zone(condition, world)
    if isinstance(condition, ForeignCondition):
        return _foreign(condition)
    raise TypeError(f"no such condition: {type(condition).__name__}")


def _time(condition: TimeCondition, world: World) -> Check:
    path, weekdays = condition.path, condition.weekdays

    def check(_values: Values, notes: Notes) -> bool:
        now = world.now()
        after, before = _clock(condition.after, time(0), world, now), _clock(condition.before, _LAST, world, now)
        at = now.time()
        result = after <= at < before if after < before else not before <= at < after
        if weekdays is not None and now.weekday() not in weekdays:
            result = False
        notes.add(path, result, {"now": at.isoformat("seconds"), "after": str(after), "before": str(before)})
        return result

    return check


def _clock(given: time | str | None, default: time, world: World, now: datetime) -> time:
    if not isinstance(given, str):
        return default if given is None else given
    found = moment_of(world.get(given), now)
    if found is None:
        raise ConditionFailed(f"{given} says no time")
    return found.time() if isinstance(found, datetime) else found


def _sun(condition: SunCondition, world: World) -> Check:
    path = condition.path

    def check(_values: Values, notes: Notes) -> bool:
        now = world.now()
        moments = {
            event: sun_of_day(event, now, world.location, world.zone) for event in {condition.after, condition.before}
            if event is not None
        }  # fmt: skip
        if None in moments.values():
            notes.add(path, False, {"sun": "it does not reach the horizon today"})
            return False
        late = _shifted(moments.get(condition.after or ""), condition.after_offset)
        early = _shifted(moments.get(condition.before or ""), condition.before_offset)
        if condition.before == "sunrise" and condition.after == "sunset":  # one night is parts of two days
            result = early is not None and late is not None and (now < early or now > late)
        else:
            result = (early is None or now <= early) and (late is None or now >= late)
        notes.add(path, result, {"after": str(late) if late else None, "before": str(early) if early else None})
        return result

    return check


def _shifted(moment: datetime | None, offset: float) -> datetime | None:
    return moment + timedelta(seconds=offset) if moment is not None else None


def _zone(condition: ZoneCondition, world: World) -> Check:
    path = condition.path

    def check(_values: Values, notes: Notes) -> bool:
        places = []
        for name in condition.zones:
            if (place := world.get(name)) is None:
                raise ConditionFailed(f"there is no place {name}")
            places.append(place)
        result = True
        for name in condition.entities:
            entity = world.get(name)
            if entity is None or position(entity) is None:
                raise ConditionFailed(f"{name} has no position")
            result = result and any(inside(place, entity) for place in places)
        notes.add(path, result, {"zones": list(condition.zones), "entities": list(condition.entities)})
        return result

    return check


def _foreign(condition: ForeignCondition) -> Check:
    def check(_values: Values, _notes: Notes) -> bool:
        raise ConditionFailed(f"the hub has no condition {condition.kind!r}")

    return check
