"""When a flight is allowed: recorded authorisations, hours, fence, height and battery.

Rules change. They stand in the configuration with their source and the day on which they were read; what is here is
only the default. An authorisation is recorded by people; a licensed pilot decides about each flight.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from pydantic import Field, field_validator, model_validator

from hub.sdk import Config, Name, distance_m

BANGKOK = timezone(timedelta(hours=7), "Asia/Bangkok")
"""Thailand has had UTC+7 without summer time since 1920."""
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DAY = 24 * 60

Place = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day in minutes since midnight; ``start`` after ``end`` reaches over midnight."""

    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Hours:
        """``06:00-18:00``, ``00:00-24:00`` or over midnight ``18:00-06:00``; ``ValueError`` otherwise."""
        found = _HOURS.fullmatch(text)
        start, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
        if start == end or max(start, end) > _DAY:
            raise ValueError(f"{text!r} is no part of a day: write HH:MM-HH:MM, as in 06:00-18:00")
        return cls(start, end)

    def hold(self, at: datetime) -> bool:
        """Does the local time lie inside? The last minute is outside."""
        minute = at.hour * 60 + at.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


class Authorisation(Config):
    """One recorded permit."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$", description="short name, shown with each flight under it")
    title: Name = Field(description="what it is called")
    source: str = Field(min_length=1, max_length=300, description="who gave it, its number and date")
    valid_from: date = Field(description="first day, Thai time")
    valid_until: date = Field(description="last day, Thai time")
    hours: str | None = Field(None, description="HH:MM-HH:MM in which it allows flights; else the hours of the rules")

    @field_validator("hours")
    @classmethod
    def _hours(cls, value: str | None) -> str | None:
        if value is not None:
            Hours.parse(value)
        return value

    @model_validator(mode="after")
    def _order(self) -> Authorisation:
        if self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from")
        return self


class Rules(Config):
    """What holds for every flight."""

    hours: str = Field("06:00-18:00", description="HH:MM-HH:MM, Thai time, unless an authorisation names its own")
    altitude_m: float = Field(90.0, gt=0, le=90, description="highest metres above the take-off point")
    source: str = Field(
        "Ministry of Transport notification on remotely piloted aircraft, B.E. 2558 (2015), with CAAT's conditions",
        min_length=1, max_length=300, description="where the rules stand",
    )  # fmt: skip
    as_of: date = Field(date(2026, 11, 22), description="day on which somebody last compared them with the source")

    @field_validator("hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        Hours.parse(value)
        return value

    @property
    def cited(self) -> str:
        """The source with the day of the reading."""
        return f"{self.source}; as read on {self.as_of.isoformat()}"


class Fence(Config):
    """Where flights may go: a circle or a polygon. The autopilot's own fence is a second check, never the first."""

    center: Place | None = Field(None, description="latitude, longitude of the circle's middle")
    radius_m: float | None = Field(None, gt=0, le=20_000, description="the circle's radius in metres")
    polygon: list[Place] | None = Field(None, min_length=3, max_length=100, description="corners; the ring closes")

    @model_validator(mode="after")
    def _one(self) -> Fence:
        circle = self.center is not None and self.radius_m is not None
        half = (self.center is None) != (self.radius_m is None)
        if half or circle == (self.polygon is not None):
            raise ValueError("give either center and radius_m, or polygon")
        for lat, lon in [*([self.center] if self.center else []), *(self.polygon or [])]:
            if not (-90 <= lat <= 90 and -180 <= lon <= 180):
                raise ValueError(f"{lat}, {lon} is no latitude, longitude")
        return self

    def beyond(self, place: Place) -> str:
        """How the place lies outside, in words; empty inside."""
        if self.center is not None and self.radius_m is not None:
            away = distance_m(self.center, place)
            return "" if away <= self.radius_m else f"{away:.0f} m from its middle, {self.radius_m:.0f} m are allowed"
        return "" if inside(place, self.polygon or []) else "outside its polygon"


@dataclass(frozen=True, slots=True)
class Flight:
    """What is asked, and what is known of the drone at that moment. ``now``: seconds since the epoch."""

    now: float
    place: Place
    altitude_m: float
    linked: bool
    fixed: bool
    battery_pct: float | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A check that failed: ``link``, ``authorisation``, ``hours``, ``fence``, ``altitude`` or ``battery``."""

    check: str
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of one drone, in their order; the first that fails is told."""

    rules: Rules
    fence: Fence
    authorisations: Sequence[Authorisation]
    min_battery_pct: float

    def judge(self, flight: Flight) -> Authorisation | Refusal:
        """The authorisation under which the flight is allowed, or why it is not."""
        if not flight.linked:
            return Refusal("link", "the drone does not answer")
        if not flight.fixed:
            return Refusal("link", "the drone has no GPS position yet")
        permit = self._permit(datetime.fromtimestamp(flight.now, UTC).astimezone(BANGKOK))
        if isinstance(permit, Refusal):
            return permit
        return self._room(flight) or self._battery(flight) or permit

    def _permit(self, at: datetime) -> Authorisation | Refusal:
        valid = [one for one in self.authorisations if one.valid_from <= at.date() <= one.valid_until]
        if not valid:
            return self._none_valid(at.date())
        for one in valid:
            if Hours.parse(one.hours or self.rules.hours).hold(at):
                return one
        named = valid[0]
        allowed, source = (named.hours, named.source) if named.hours else (self.rules.hours, self.rules.cited)
        return Refusal("hours", f"it is {at:%H:%M} and {named.title.en} allows flights {allowed}", source)

    def _none_valid(self, today: date) -> Refusal:
        past = [one for one in self.authorisations if one.valid_until < today]
        if past:
            last = max(past, key=lambda one: one.valid_until)
            return Refusal("authorisation", f"{last.title.en} ended on {last.valid_until.isoformat()}", last.source)
        if self.authorisations:
            first = min(self.authorisations, key=lambda one: one.valid_from)
            return Refusal("authorisation", f"{first.title.en} begins on {first.valid_from.isoformat()}", first.source)
        return Refusal("authorisation", "no authorisation is recorded", self.rules.cited)

    def _room(self, flight: Flight) -> Refusal | None:
        if beyond := self.fence.beyond(flight.place):
            return Refusal("fence", f"the place lies outside the fence: {beyond}", "fence in the configuration")
        if not flight.altitude_m <= self.rules.altitude_m:
            reason = f"{flight.altitude_m:g} m is higher than {self.rules.altitude_m:g} m"
            return Refusal("altitude", reason, self.rules.cited)
        return None

    def _battery(self, flight: Flight) -> Refusal | None:
        if flight.battery_pct is not None and flight.battery_pct >= self.min_battery_pct:
            return None
        known = "not known" if flight.battery_pct is None else f"at {flight.battery_pct:.0f} %"
        reason = f"the battery is {known}; {self.min_battery_pct:g} % are needed"
        return Refusal("battery", reason, "min_battery_pct in the configuration")


def inside(place: Place, polygon: Sequence[Place]) -> bool:
    """Whether the place lies in the polygon (even-odd rule on degrees)."""
    odd = False
    for (lat_a, lon_a), (lat_b, lon_b) in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
        if (lat_a > place[0]) != (lat_b > place[0]):
            odd ^= place[1] < lon_a + (place[0] - lat_a) / (lat_b - lat_a) * (lon_b - lon_a)
    return odd
