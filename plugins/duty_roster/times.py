"""Shifts in time: hours of a day in the station's own zone, over midnight too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shift of every day. ``end`` at or before ``start`` means the day after. ``officers``: account names."""

    id: str
    th: str
    en: str
    start: str
    end: str
    officers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """One shift of one day: from ``since`` until just before ``until``, seconds since 1970."""

    key: str
    day: date
    pattern: Pattern
    since: float
    until: float
    officers: tuple[str, ...]
    planned_by: str = ""


def slot_key(day: date, pattern: str) -> str:
    """``20261123_day``: also the second half of the entity's id."""
    return f"{day:%Y%m%d}_{pattern}"


def span(day: date, start: str, end: str, zone: ZoneInfo) -> tuple[float, float]:
    """Begin and end of the hours of a day, seconds since 1970. By the wall clock, so a shift over a change of
    daylight-saving time is an hour shorter or longer, as the officers are."""
    begin, finish = _at(day, start, zone), _at(day, end, zone)
    if finish <= begin:
        finish = _at(day + timedelta(days=1), end, zone)
    return begin, finish


def _at(day: date, hours: str, zone: ZoneInfo) -> float:
    hour, minute = int(hours[:2]), int(hours[3:])
    if hour == 24:
        day, hour = day + timedelta(days=1), 0
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).timestamp()


def today(now: float, zone: ZoneInfo) -> date:
    """The date of a time in the station's zone."""
    return datetime.fromtimestamp(now, UTC).astimezone(zone).date()


def days(first: date, count: int) -> Iterable[date]:
    """So many days from the first on."""
    return (first + timedelta(days=number) for number in range(count))


def running(slots: Sequence[Slot], now: float) -> Slot | None:
    """The shift at a time; where two overlap, the one that began last."""
    there = [slot for slot in slots if slot.since <= now < slot.until]
    return max(there, key=lambda slot: (slot.since, slot.key), default=None)


def following(slots: Sequence[Slot], now: float) -> Slot | None:
    """The next shift to begin."""
    return min((slot for slot in slots if slot.since > now), key=lambda slot: (slot.since, slot.key), default=None)


def buddhist(when: float, zone: ZoneInfo) -> str:
    """``23/11/2569 20:00 น.``: as people in Thailand write it."""
    local = datetime.fromtimestamp(when, UTC).astimezone(zone)
    return f"{local.day}/{local.month}/{local.year + 543} {local:%H:%M} น."
