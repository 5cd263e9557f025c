"""Moments: the next that matches a pattern, and the time that an entity's state names."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from hub.core.state import EntityState

Wanted = frozenset[int] | None


def next_match(now: datetime, hours: Wanted, minutes: Wanted, seconds: Wanted) -> datetime:
    """The first full second after ``now`` whose parts are wanted; an empty part of ``None`` takes any."""
    moment = now.replace(microsecond=0) + timedelta(seconds=1)
    while True:  # at most 24 + 60 + 60 turns
        if hours is not None and moment.hour not in hours:
            moment = (moment + timedelta(hours=1)).replace(minute=0, second=0)
        elif minutes is not None and moment.minute not in minutes:
            moment = (moment + timedelta(minutes=1)).replace(second=0)
        elif seconds is not None and moment.second not in seconds:
            moment += timedelta(seconds=1)
        else:
            return moment


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
    return moment.astimezone(now.tzinfo) if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
