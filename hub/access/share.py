"""What an owner shares of a private camera, for whom, at which hours and how long; and what somebody asks for.

Both are rows of the journal. Windows of the day are minutes of the zone's own clock (Asia/Bangkok): 20:00 to 06:00
goes over midnight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, Literal, get_args

from hub.access.account import LONGEST_NAME
from hub.access.rights import ROLES
from hub.core.access import Actor
from hub.core.error import InvalidInput

Kind = Literal["live", "recorded", "control"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
# What each guarded right needs shared. A snapshot and a clip stay with the station, so they are recorded pictures.
NEEDED: Final[Mapping[str, Kind]] = {
    "camera.watch": "live", "camera.view": "recorded", "camera.clip": "recorded", "media.read": "recorded",
    "camera.control": "control",
}  # fmt: skip
NOT_TO: Final = frozenset({"system", "public", "partner"})
MAX_CAMERAS, MAX_TO, MAX_TEXT = 64, 20, 500
LONGEST_S = 366 * 86_400.0  # a share ends; an owner who still wants it gives it again
DAY_MIN = 24 * 60
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Share:
    """One share. ``to``: ``role:NAME`` or ``user:NAME``. ``hours``: from and until as ``HH:MM``, the second not
    included; ``None``: the whole day. ``since`` ≤ now < ``until``, seconds since the epoch. ``purpose``: when set, for
    those only who work for exactly this incident or duty. ``ended``: when its owner (``ended_by``) took it back."""

    id: str
    owner: str
    cameras: tuple[str, ...]
    kinds: tuple[Kind, ...]
    to: tuple[str, ...]
    since: float
    until: float
    by: str
    made: float
    hours: tuple[str, str] | None = None
    purpose: str | None = None
    note: str = ""
    ended: float | None = None
    ended_by: str | None = None

    def in_force(self, now: float, zone: tzinfo) -> bool:
        """May it be used at this moment?"""
        return self.ended is None and self.since <= now < self.until and within(self.hours, now, zone)

    def over(self, now: float) -> bool:
        """Will it never be in force again?"""
        return self.ended is not None or now >= self.until

    def covers(self, actor: Actor, kind: Kind, camera: str) -> bool:
        """Is it for this person, this camera and this way of looking? The time is asked apart."""
        named = actor.id in self.to or any(f"role:{role}" in self.to for role in actor.roles)
        return named and kind in self.kinds and camera in self.cameras and self.purpose in (None, actor.purpose)

    def as_data(self) -> dict[str, Any]:
        """JSON form."""
        lists = {"cameras": list(self.cameras), "kinds": list(self.kinds), "to": list(self.to)}
        return asdict(self) | lists | {"hours": list(self.hours) if self.hours else None}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Share:
        """The share that ``as_data`` described."""
        lists = {name: tuple(data[name]) for name in ("cameras", "kinds", "to")}
        return cls(**{**data, **lists, "hours": tuple(data["hours"]) if data["hours"] else None})


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody of the station asks an owner for a share. ``state``: waiting, approved or refused."""

    id: str
    owner: str
    cameras: tuple[str, ...]
    kinds: tuple[Kind, ...]
    to: tuple[str, ...]
    until: float
    reason: str
    by: str
    made: float
    hours: tuple[str, str] | None = None
    purpose: str | None = None
    state: str = "waiting"
    answered: float | None = None

    def as_data(self) -> dict[str, Any]:
        """JSON form."""
        lists = {"cameras": list(self.cameras), "kinds": list(self.kinds), "to": list(self.to)}
        return asdict(self) | lists | {"hours": list(self.hours) if self.hours else None}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Wish:
        """The wish that ``as_data`` described."""
        lists = {name: tuple(data[name]) for name in ("cameras", "kinds", "to")}
        return cls(**{**data, **lists, "hours": tuple(data["hours"]) if data["hours"] else None})


def within(hours: tuple[str, str] | None, now: float, zone: tzinfo) -> bool:
    """Is the zone's clock between the two times of day? Over midnight when the second is the earlier."""
    if hours is None:
        return True
    begin, end = minute(hours[0]), minute(hours[1])
    local = datetime.fromtimestamp(now, zone)
    at = local.hour * 60 + local.minute
    return begin <= at < end if begin < end else at >= begin or at < end


def minute(clock: str) -> int:
    """``HH:MM`` as minutes since midnight; ``InvalidInput`` otherwise."""
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise InvalidInput(f"{clock[:20]!r} is no time of day", where="hours", hint="write HH:MM, as in 20:00")
    return int(found[1]) * 60 + int(found[2])


def clean_hours(hours: Iterable[str] | None) -> tuple[str, str] | None:
    """Two times of day; ``InvalidInput`` when they are not, or the same."""
    if hours is None:
        return None
    kept = tuple(hours)
    if len(kept) != 2:
        raise InvalidInput("needs a beginning and an end", where="hours", hint='["20:00", "06:00"]')
    if minute(kept[0]) == minute(kept[1]):
        raise InvalidInput("begins and ends at the same time", where="hours", hint="leave it out for the whole day")
    return kept[0], kept[1]


def clean_kinds(kinds: Iterable[str]) -> tuple[Kind, ...]:
    """Ways of looking, each once; ``InvalidInput`` names the one that is none."""
    asked = set(kinds)
    if not asked or asked - set(KINDS):
        raise InvalidInput(f"{sorted(asked)} is not among live, recorded, control", where="kinds")
    return tuple(kind for kind in get_args(Kind) if kind in asked)


def clean_to(to: Iterable[str]) -> tuple[str, ...]:
    """Roles and accounts, each once; ``InvalidInput`` names the one that cannot be."""
    kept = tuple(dict.fromkeys(to))
    if not 1 <= len(kept) <= MAX_TO:
        raise InvalidInput(f"names {len(kept)} receivers", where="to", hint=f"1 to {MAX_TO}: role:ccoc or user:NAME")
    for one in kept:
        kind, _, name = one.partition(":")
        role = kind == "role" and name in ROLES.keys() - NOT_TO
        user = kind == "user" and 0 < len(name) <= LONGEST_NAME and name.isprintable() and not name.isspace()
        if not role and not user:
            raise InvalidInput(f"{one[:80]!r} is nobody to share with", where="to", hint="role:ccoc or user:NAME")
    return kept


def clean_text(text: str, where: str) -> str:
    """Words of a person, cut of outer spaces; ``InvalidInput`` when they are too many."""
    kept = text.strip()
    if len(kept) > MAX_TEXT:
        raise InvalidInput(f"is longer than {MAX_TEXT} characters", where=where)
    return kept


def clean_span(since: float, until: float, now: float) -> tuple[float, float]:
    """From and until; ``InvalidInput`` when it is over already or too long."""
    if not since < until:
        raise InvalidInput("ends before it begins", where="until")
    if until <= now:
        raise InvalidInput("is in the past", where="until")
    if not until <= max(since, now) + LONGEST_S:
        raise InvalidInput("is more than a year away", where="until", hint="share again when it has ended")
    return since, until
