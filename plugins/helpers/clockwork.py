"""Dates, times of day and weeks in the zone's own time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_S = 86_400
AHEAD = 8  # days that are looked at: a week repeats, so what comes next comes within it

Week = Sequence[Sequence[tuple[int, int]]]
"""Begin and end of each block in seconds after midnight, for each day from Monday on."""

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


def block_seconds(text: str) -> int:
    """Seconds after midnight of ``06:00`` or ``06:00:00``; up to ``24:00``. ``ValueError`` otherwise."""
    parts = _CLOCK.fullmatch(text)
    hour, minute, second = (int(part or 0) for part in parts.groups()) if parts else (99, 0, 0)
    found = hour * 3_600 + minute * 60 + second
    if minute > 59 or second > 59 or found > DAY_S:
        raise ValueError(f"{text!r} is no time of day; write HH:MM or HH:MM:SS, as in '06:00:00'")
    return found


def time_of(text: str) -> time:
    """A time of day; ``ValueError`` in words otherwise."""
    found = block_seconds(text.strip())
    if found == DAY_S:
        raise ValueError(f"{text!r} is no time of day; midnight is 00:00")
    return time(found // 3_600, found // 60 % 60, found % 60)


def date_of(text: str) -> date:
    """A date; ``ValueError`` in words otherwise."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no date; write it as in 2026-01-31") from None


def moment_of(text: str, zone: ZoneInfo | None = None) -> datetime:
    """Date and time of the zone's clock, to the second; one with its own offset is brought there when ``zone`` is
    given. ``ValueError`` in words otherwise."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no date and time; write it as in 2026-01-31 22:00:00") from None
    if found.tzinfo is not None:
        if zone is None:
            raise ValueError(f"{text!r} has an offset; write the time of the zone, as in 2026-01-31 22:00:00")
        found = found.astimezone(zone).replace(tzinfo=None)
    return found.replace(microsecond=0)


def naive_moment(text: str, has_date: bool, has_time: bool) -> datetime:
    """What a text says for a value with these parts; the others are those of the first day of 1970."""
    if has_date and has_time:
        return moment_of(text)
    if has_date:
        return datetime.combine(date_of(text), time(0))
    return datetime.combine(date(1970, 1, 1), time_of(text))


def at(week: Week, now: float, zone: ZoneInfo) -> tuple[bool, float | None]:
    """Is the schedule on, and when does that change next (``None``: never)? Blocks that meet at midnight are one."""
    today = datetime.fromtimestamp(now, zone).date()
    beyond = _moment(today, AHEAD * DAY_S, zone)
    for begin, end in _joined(week, today, zone):
        if begin <= now < end:
            return True, end if end < beyond else None
        if now < begin:
            return False, begin
    return False, None


def _joined(week: Week, today: date, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    """The blocks from today on."""
    open_: tuple[float, float] | None = None
    for day in (today + timedelta(days=ahead) for ahead in range(AHEAD)):
        for first, last in week[day.weekday()]:
            begin, end = _moment(day, first, zone), _moment(day, last, zone)
            if open_ is not None and begin <= open_[1]:
                open_ = (open_[0], max(end, open_[1]))
                continue
            if open_ is not None:
                yield open_
            open_ = (begin, end)
    if open_ is not None:
        yield open_


def _moment(day: date, seconds: int, zone: ZoneInfo) -> float:
    midnight = datetime.combine(day + timedelta(days=seconds // DAY_S), time(0))
    return (midnight + timedelta(seconds=seconds % DAY_S)).replace(tzinfo=zone).timestamp()
