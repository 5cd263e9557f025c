"""One call: what is kept of it, who is on its two lines, and its actions."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.sdk import Entity, Text, current_call

from .line import Line

KEPT = (
    "id", "receipt", "sticker", "place", "place_en", "lat", "lon", "key", "language", "started_at", "rings_since",
    "simulated", "officer", "answered_at", "forwarded_to", "unanswered", "ended_at", "pieces", "recordings",
)  # fmt: skip


def hashed(secret: str) -> str:
    """What is kept of a citizen's secret: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_secret(secret: str, kept: str) -> bool:
    """Is it the one? In constant time."""
    return hmac.compare_digest(hashed(secret), kept)


@dataclass(slots=True)
class EmergencyCall:
    """A call from its first ring on. Times are seconds since 1970. The second half is true only while the hub runs."""

    id: str
    receipt: str
    sticker: str
    place: str
    place_en: str
    lat: float | None
    lon: float | None
    key: str
    language: str
    started_at: float
    rings_since: float
    simulated: bool = False
    officer: str = ""
    answered_at: float | None = None
    forwarded_to: str = ""
    unanswered: int = 0
    ended_at: float | None = None
    pieces: int = 0
    recordings: list[str] = field(default_factory=list)

    caller: Line | None = None
    desk: Line | None = None
    caller_lost_at: float | None = None
    desk_lost_at: float | None = None
    turn: int = 0  # each new connection between the browsers has the next number
    picture_due: float | None = None  # a recording must have begun by then
    recorded_at: float | None = None  # when its last second came, while one is open
    located_at: float = 0.0
    sender: str = ""  # whose phone it is, as ``flood.sender`` counts them

    @property
    def entity(self) -> str:
        """Its entity id."""
        return f"call.{self.id}"

    @property
    def ringing(self) -> bool:
        """Does it wait for an officer?"""
        return self.ended_at is None and not self.officer

    def described(self) -> Entity:
        """As the hub's entity."""
        th, en = f"สายฉุกเฉิน {self.receipt} {self.place}", f"Emergency call {self.receipt} {self.place_en}"
        name = Text(th[:200], en[:200])
        where = (self.lat, self.lon) if self.lat is not None and self.lon is not None else None
        return Entity(self.entity, name, ("call",), position=where, simulated=self.simulated)

    def row(self) -> dict[str, Any]:
        """What outlives the hub's process."""
        return {name: getattr(self, name) for name in KEPT}

    @classmethod
    def of_row(cls, row: Mapping[str, Any], now: float) -> EmergencyCall:
        """A call from before a restart: both sides are to come back."""
        call = cls(**{name: row[name] for name in KEPT})
        call.caller_lost_at = now
        call.desk_lost_at = now if call.officer else None
        return call


class Acts(Protocol):
    """What can be done with calls."""

    async def answer(self, call: EmergencyCall, by: str) -> None: ...

    async def hang_up(self, call: EmergencyCall, by: str, reason: str) -> None: ...

    async def transfer(self, call: EmergencyCall, by: str, to: str) -> None: ...

    async def locate(self, call: EmergencyCall) -> None: ...


class CallDevice:
    """``hub.capabilities.Call`` of one call."""

    def __init__(self, acts: Acts, call: EmergencyCall) -> None:
        self._acts, self._call = acts, call

    async def answer(self) -> None:
        await self._acts.answer(self._call, current_call().actor)

    async def end(self, reason: str = "") -> None:
        await self._acts.hang_up(self._call, current_call().actor, reason)

    async def transfer(self, to: str = "") -> None:
        await self._acts.transfer(self._call, current_call().actor, to)

    async def locate(self) -> None:
        await self._acts.locate(self._call)
