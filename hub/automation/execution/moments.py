"""Moments: the next that matches a pattern, and the time that an entity's state names.

Moments are compared by their time stamps: of two in the same zone, Python compares what the clock on the wall shows,
and that runs through one hour twice when summer time ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

from hub.core.state import EntityState

Wanted = frozenset[int] | None


def next_match(now: datetime, hours: Wanted, minutes: Wanted, seconds: Wanted) -> datetime:
    """The first full second after ``now`` whose parts are wanted; an empty part of ``None`` takes any. Time goes on
    through both of the hours that are called the same when summer time ends."""
    stamp = int(now.timestamp()) + 1
    while True:  # at most 48 + 60 + 60 turns
        moment = datetime.fromtimestamp(stamp, now.tzinfo)
        if hours is not None and moment.hour not in hours:
            stamp += 3600 - 60 * moment.minute - moment.second
        elif minutes is not None and moment.minute not in minutes:
            stamp += 60 - moment.second
        elif seconds is not None and moment.second not in seconds:
            stamp += 1
        else:
            return moment


def next_daily(now: datetime, at: time, offset: timedelta = timedelta()) -> datetime:
    """The next time after ``now`` that is ``offset`` after (or before) this time of a day."""
    far = abs(offset).days + 1  # with an offset it is today's, or that of a day around
    days = (now.date() + timedelta(days=day) for day in range(-far, far + 2))
    first = first_after(now, (after(moment_on(day, at, now.tzinfo), offset) for day in days))
    assert first is not None  # noqa: S101 - the last of these days lies after now
    return first


def first_after(now: datetime, moments: Iterable[datetime]) -> datetime | None:
    """The earliest of these after ``now``."""
    later = [moment for moment in moments if moment.timestamp() > now.timestamp()]
    return min(later, key=datetime.timestamp, default=None)


def after(moment: datetime, offset: timedelta) -> datetime:
    """So much later, as time passes and not as the clock on the wall shows it."""
    return datetime.fromtimestamp(moment.timestamp() + offset.total_seconds(), moment.tzinfo) if offset else moment


def moment_on(day: date, at: time, zone: tzinfo | None) -> datetime:
    """This time of this day: the first of two when the clock is set back; where the clock skips it, the moment at
    which it does."""
    wall = datetime.combine(day, at.replace(fold=0, tzinfo=None))
    due = wall.replace(tzinfo=zone)
    if datetime.fromtimestamp(due.timestamp(), zone).replace(tzinfo=None) == wall:
        return due
    # the skip lies between what the time would be by the offset after it and by the one before it
    low, high = int(due.replace(fold=1).timestamp()), int(due.timestamp())
    before = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, zone)


def moment_of(state: EntityState | None, now: datetime) -> datetime | time | None:
    """What an ``input_datetime`` or a time stamp says: a moment, or a time of every day; ``None`` when it says none."""
    if state is None:
        return None
    about, text = state.attributes, state.state
    if state.domain == "sensor" and about.get("device_class") != "timestamp":
        return None
    try:
        if state.domain == "input_datetime" and not about.get("has_date", True):
            return time.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return time.fromisoformat(text)
        except ValueError:
            return None
    return moment.astimezone(now.tzinfo) if moment.tzinfo else moment_on(moment.date(), moment.time(), now.tzinfo)
