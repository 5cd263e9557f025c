"""Sunrise and sunset at a place, by astral's equations (NOAA's)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from astral import Observer
from astral.sun import sunrise, sunset

Location = tuple[float, float]
MAX_DAYS = 366  # beyond the polar circles the sun may stay away for months


@lru_cache(maxsize=256)
def sun_time(event: str, day: date, location: Location) -> datetime | None:
    """``sunrise`` or ``sunset`` of a UTC date at a latitude and longitude; ``None`` when there is none that day."""
    find = sunrise if event == "sunrise" else sunset
    try:
        return find(Observer(*location), date=day)
    except ValueError:  # the sun does not reach the horizon
        return None


def next_sun(event: str, offset: float, now: datetime, location: Location) -> datetime | None:
    """The next one after ``now``, ``offset`` seconds later."""
    for days in range(-1, MAX_DAYS):
        moment = sun_time(event, (now + timedelta(days=days)).date(), location)
        if moment is not None and (due := moment + timedelta(seconds=offset)) > now:
            return due.astimezone(now.tzinfo)
    return None


def sun_of_day(event: str, now: datetime, location: Location, zone: tzinfo) -> datetime | None:
    """That of today's date in the zone, or of tomorrow's when today's falls on the day before."""
    today = now.astimezone(zone).date()
    moment = sun_time(event, today, location)
    if moment is not None and moment.astimezone(zone).date() < today:
        moment = sun_time(event, today + timedelta(days=1), location)
    return moment
