"""Windows of time in which a box must be visited, as a person writes them: ``22:00-06:00/120`` is every two hours of
each night, ``mon,fri 08:00-16:00/240`` twice on Mondays and Fridays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(r"(?:([a-z]{3}(?:,[a-z]{3})*) )?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})/(\d{1,4})")
MIN_EVERY, MAX_EVERY = 15, 1440
MAX_SPAN_S = 62 * 86_400.0


class BadWindow(ValueError):
    """The text is no window; it says why."""


@dataclass(frozen=True, slots=True)
class Window:
    """Part of a day (``end`` at or before ``begin`` is on the next day), in pieces of ``every_min`` minutes. ``days``:
    on which it begins, 0 is Monday."""

    begin: time
    end: time
    every_min: int
    days: frozenset[int]


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One piece, seconds since 1970: somebody should come at or after ``start`` and before ``end``."""

    start: float
    end: float


def parse(text: str) -> Window:
    """Read one window. ``BadWindow`` names what is wrong."""
    found = _FORM.fullmatch(" ".join(text.lower().split()))
    if found is None:
        raise BadWindow(f"{text!r} is no window: write it as 22:00-06:00/120 or mon,fri 08:00-16:00/240")
    days, *numbers = found.groups()
    hour, minute, to_hour, to_minute, every = map(int, numbers)
    try:
        begin, end = time(hour, minute), time(to_hour % 24, to_minute)
    except ValueError:
        raise BadWindow(f"{text!r} holds a time that is none") from None
    if not MIN_EVERY <= every <= MAX_EVERY:
        raise BadWindow(f"{text!r}: the minutes after the / are {MIN_EVERY} to {MAX_EVERY}")
    names = days.split(",") if days else list(DAYS)
    if wrong := [name for name in names if name not in DAYS]:
        raise BadWindow(f"{wrong[0]!r} is no day: {', '.join(DAYS)}")
    return Window(begin, end, every, frozenset(map(DAYS.index, names)))


def slots(windows: Iterable[Window], zone: tzinfo, since: float, until: float) -> list[Slot]:
    """The pieces that end after ``since`` and at or before ``until``, in order of their end; 62 days at most."""
    since = max(since, until - MAX_SPAN_S)
    first = datetime.fromtimestamp(since, zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(until, zone).date()
    found = {
        slot
        for window in windows
        for offset in range((last - first).days + 1)
        for slot in _of_day(window, first + timedelta(days=offset), zone)
        if since < slot.end <= until
    }
    return sorted(found, key=lambda slot: (slot.end, slot.start))


def running(windows: Iterable[Window], zone: tzinfo, at: float) -> Slot | None:
    """The piece in which ``at`` lies, the one that ends first; ``None`` outside all windows."""
    ahead = slots(windows, zone, at, at + 86_400.0 * 2)
    return next((slot for slot in ahead if slot.start <= at < slot.end), None)


def _of_day(window: Window, day: date, zone: tzinfo) -> list[Slot]:
    if day.weekday() not in window.days:
        return []
    begin = _moment(day, window.begin, zone)
    over_night = window.end <= window.begin
    end = _moment(day + timedelta(days=1) if over_night else day, window.end, zone)
    step, made = window.every_min * 60.0, list[Slot]()
    while begin < end:
        made.append(Slot(begin, min(begin + step, end)))
        begin += step
    return made


def _moment(day: date, at: time, zone: tzinfo) -> float:
    return datetime.combine(day, at, zone).astimezone(UTC).timestamp()
