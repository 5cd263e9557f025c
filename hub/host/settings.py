"""The typed parts of ``config.yaml``: the zone, the listeners, the limits of child processes."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyAddress, field_validator, model_validator

from hub.access.retention import with_days
from hub.core.error import InvalidInput
from hub.sdk.views import Words

MAX_POINTS = 5_000


class Settings(BaseModel):
    """Base: unknown fields are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _both(value: Any) -> Any:
    return {"th": value, "en": value} if isinstance(value, str) else value


def _ring(value: Any) -> Any:
    """Points from a GeoJSON object (RFC 7946: longitude first, the outer ring closed), or as they are."""
    if not isinstance(value, dict):
        return value
    shape: Any = value
    if shape.get("type") == "FeatureCollection":
        shape = next(iter(shape.get("features") or [{}]))
    if isinstance(shape, dict) and shape.get("type") == "Feature":
        shape = shape.get("geometry") or {}
    kind = shape.get("type") if isinstance(shape, dict) else None
    try:
        rings = {"Polygon": lambda c: c[0], "MultiPolygon": lambda c: max((p[0] for p in c), key=len)}
        ring = [[point[1], point[0]] for point in rings[kind](shape["coordinates"])]  # type: ignore[index]
    except (KeyError, IndexError, TypeError, ValueError):
        raise ValueError("needs a GeoJSON Polygon, or a list of [lat, lon]") from None
    return ring[:-1] if len(ring) > 3 and ring[0] == ring[-1] else ring


Title = Annotated[Words, BeforeValidator(_both)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Position = tuple[Lat, Lon]
Ring = Annotated[list[Position], Field(min_length=3, max_length=MAX_POINTS), BeforeValidator(_ring)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,79}$")]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Area(Settings):
    """A community or another part of the zone. ``polygon``: (latitude, longitude) in degrees, WGS 84."""

    id: Id
    name: Title
    polygon: Ring
    residents: Annotated[int, Field(ge=0)] | None = None


class Place(Settings):
    """A shop, school, bank … on the map."""

    id: Id
    kind: Id
    name: Title
    position: Position
    simulated: bool = False


class Zone(Settings):
    """The safety zone. ``border``: (latitude, longitude) in degrees, WGS 84, not closed."""

    name: Title
    timezone: str = "Asia/Bangkok"
    center: Position
    border: Ring | None = None
    areas: list[Area] = []
    places: list[Place] = []
    simulated: bool = False
    attribution: Title | None = None

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone {value!r}; write one as in Asia/Bangkok") from None
        return value

    @field_validator("areas", "places")
    @classmethod
    def _once(cls, value: list[Any]) -> list[Any]:
        seen: set[str] = set()
        for item in value:
            if item.id in seen:
                raise ValueError(f"the id {item.id!r} is used twice")
            seen.add(item.id)
        return value

    def as_data(self) -> dict[str, Any]:
        """The body of ``GET /api/zone``."""
        data = self.model_dump(mode="json")
        for place in data["places"]:
            place["lat"], place["lon"] = place.pop("position")
        data["border"] = data["border"] or []
        return data


class Listener(Settings):
    """An address the public listener binds. ``url``: under which phones reach it, where that is another (a reverse
    proxy's, a name in the DNS)."""

    host: str = "127.0.0.1"
    port: Port
    url: Annotated[str | None, Field(pattern=r"^https?://[^/\s]+$")] = None


class Tls(Settings):
    """A certificate and its key, as PEM files."""

    cert: str
    key: str


class Web(Settings):
    """The staff listener, the public one, and TLS for both (``auto``: the hub's own certificate off loopback).
    ``proxies``: whose word in ``X-Forwarded-For`` is believed."""

    host: str = "127.0.0.1"
    port: Port = 8123
    public: Listener | None = None
    tls: Tls | Literal["auto"] = "auto"
    proxies: Annotated[list[IPvAnyAddress], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.public is not None and (self.public.host, self.public.port) == (self.host, self.port) and self.port:
            raise ValueError("the public listener needs an address of its own")
        return self


class Children(Settings):
    """Limits of child processes. ``user``: the account they run as, where the hub runs as root."""

    memory_mb: Annotated[int, Field(ge=16, le=65_536)] = 256
    nice: Annotated[int, Field(ge=0, le=19)] = 5
    user: str | None = None


class Contact(Settings):
    """Somebody to reach when nothing else works; printed by ``hub contacts``."""

    name: Title
    phone: Annotated[str, Field(max_length=60)] = ""
    radio: Annotated[str, Field(max_length=60)] = ""
    note: Title | None = None


class Upkeep(Settings):
    """What the hub does by itself. ``retention``: days by class, where the station decided on others than the hub's
    own; ``at``: hour and minute of the nightly round, local time; ``clock``: alarm when nothing keeps the clock right.
    """

    retention: dict[str, int] = {}
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "03:30"
    clock: bool = True
    contacts: Annotated[list[Contact], Field(max_length=100)] = []

    @field_validator("retention")
    @classmethod
    def _classes(cls, value: dict[str, int]) -> dict[str, int]:
        try:
            with_days(value)
        except InvalidInput as wrong:
            raise ValueError(f"{wrong.where}: {wrong.message} ({wrong.hint})") from None
        return value
