"""What level a lamp should have: schedule, command, boost, override. No I/O, and time is a number that is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

import astral
import astral.sun

KEPT_KEYS = 8
EVENTS: Mapping[str, Callable[..., datetime]] = {
    "dusk": astral.sun.dusk, "sunset": astral.sun.sunset, "dawn": astral.sun.dawn, "sunrise": astral.sun.sunrise,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """A level for a time: a boost or an override."""

    level_pct: float
    until: float
    by: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One lamp's wishes, as they are kept. ``base``: the level without boost and override, since ``base_at``;
    ``None`` when nobody ever asked. ``keys``: the calls that were done, so that one sent again changes nothing."""

    base: float | None = None
    base_at: float = 0.0
    boost: Wish | None = None
    override: Wish | None = None
    keys: tuple[str, ...] = ()

    def wanted(self) -> tuple[float | None, str]:
        """The level and why: override, boost, or the base."""
        if self.override is not None:
            return self.override.level_pct, "override"
        if self.boost is not None:
            return self.boost.level_pct, "boost"
        return self.base, "base"

    def at(self, now: float) -> Plan:
        """Without what has ended by ``now``."""
        boost = self.boost if self.boost is not None and self.boost.until > now else None
        override = self.override if self.override is not None and self.override.until > now else None
        ended = (boost, override) != (self.boost, self.override)
        return replace(self, boost=boost, override=override) if ended else self

    def scheduled(self, level: float, since: float) -> Plan:
        """After the schedule's last change, unless somebody asked for something since then."""
        return self if since <= self.base_at else replace(self, base=level, base_at=since)

    def done(self, key: str) -> Plan:
        """With the call noted."""
        return replace(self, keys=(*(one for one in self.keys if one != key), key)[-KEPT_KEYS:])

    def as_data(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that ``as_data`` described."""
        made = {name: Wish(**data[name]) if data.get(name) else None for name in ("boost", "override")}
        return cls(data.get("base"), float(data.get("base_at") or 0), **made, keys=tuple(data.get("keys") or ()))


@dataclass(frozen=True, slots=True)
class Moment:
    """What the schedule wants: the level, since when, and when it changes next (seconds since 1970)."""

    level_pct: float
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """On at an event of the sun, off at another, at a place (degrees WGS 84). Offsets in minutes."""

    lat: float
    lon: float
    on_at: str = "dusk"
    on_offset_min: float = 0.0
    off_at: str = "dawn"
    off_offset_min: float = 0.0
    level_pct: float = 100.0
    _cache: dict[date, list[tuple[float, float]]] = field(default_factory=dict, repr=False, compare=False)
    _last: list[Moment] = field(default_factory=list, repr=False, compare=False)

    def now(self, at: float) -> Moment | None:
        """The schedule at a time; ``None`` where the sun does not rise or set on these days."""
        if self._last and self._last[0].since <= at < self._last[0].until:
            return self._last[0]
        day = datetime.fromtimestamp(at, UTC).date()
        changes = sorted(one for n in (-2, -1, 0, 1, 2) for one in self._changes(day + timedelta(days=n)))
        before, after = [one for one in changes if one[0] <= at], [one for one in changes if one[0] > at]
        self._last[:] = [Moment(before[-1][1], before[-1][0], after[0][0])] if before and after else []
        return self._last[0] if self._last else None

    def _changes(self, day: date) -> list[tuple[float, float]]:
        if day not in self._cache:
            if len(self._cache) > 16:
                self._cache.clear()
            observer = astral.Observer(self.lat, self.lon)
            made = []
            for event, offset, level in (
                (self.on_at, self.on_offset_min, self.level_pct), (self.off_at, self.off_offset_min, 0.0),
            ):  # fmt: skip
                try:
                    when = EVENTS[event](observer, day, tzinfo=UTC)
                except ValueError:  # polar day or night
                    continue
                made.append((when.timestamp() + offset * 60, level))
            self._cache[day] = made
        return self._cache[day]


@dataclass(frozen=True, slots=True)
class Limits:
    """The owner's limits. In quiet hours (station's time) commands and schedule are bounded by ``quiet_max_pct``;
    boosts and overrides, which have a reason and an end, are not."""

    max_brightness_pct: float = 100.0
    max_boost_min: float = 60.0
    quiet_from: str | None = None
    quiet_to: str | None = None
    quiet_max_pct: float = 100.0

    def level(self, asked: float, why: str, at: float, zone: tzinfo) -> tuple[float, str | None]:
        """The level that is allowed, and the limit that made it less."""
        if why == "base" and asked > self.quiet_max_pct and self._quiet(at, zone):
            allowed = min(self.quiet_max_pct, self.max_brightness_pct)
            return allowed, "quiet_max_pct" if self.quiet_max_pct <= self.max_brightness_pct else "max_brightness_pct"
        if asked > self.max_brightness_pct:
            return self.max_brightness_pct, "max_brightness_pct"
        return asked, None

    def _quiet(self, at: float, zone: tzinfo) -> bool:
        if self.quiet_from is None or self.quiet_to is None:
            return False
        now = datetime.fromtimestamp(at, zone).time()
        begin, end = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_to)
        return begin <= now < end if begin <= end else now >= begin or now < end


BANGKOK = timezone(timedelta(hours=7))  # Thailand keeps one time all year
