"""Positions from officers' phones: three forms of post, one ``Fix``.

Forms: Traccar Client 9 and newer (JSON), Traccar Client before 9 (query, the OsmAnd form of traccar.org/osmand), and
OwnTracks in HTTP mode (JSON, owntracks.org/booklet/tech/json). Whatever is out of range is refused in words that the
person who sets up the phone can use.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MAX_BODY = 16 << 10
MAX_ID, MAX_SECRET = 64, 128
MAX_AGE_S = 30 * 86400.0
"""Phones keep what they could not send; older points than this are of no use to anyone."""
MAX_AHEAD_S = 600.0
"""A clock further ahead than this would hide every later point, since points are put in order by device time."""
_KNOT, _KMH = 1852 / 3600, 1 / 3.6
_EARTH_M = 6_371_008.8  # mean radius of the GRS 80 ellipsoid


class BadPosition(ValueError):
    """The post holds no usable position; the text says why."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One position by the device's own clock (``at``, seconds since the epoch). Degrees WGS 84, heading from north."""

    device_id: str
    at: float
    lat: float
    lon: float
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery_pct: float | None = None
    moving: bool | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """What a phone sent. ``fix`` is ``None`` for what is no position (OwnTracks' other types, an empty body).

    ``answer``: the JSON that this form's client expects.
    """

    form: str
    fix: Fix | None
    answer: bytes = b"{}"


def parse_post(query: Mapping[str, str], body: bytes, now: float, device_id: str = "") -> Post:
    """Read a post of any of the three forms.

    ``device_id``: who sent it, for OwnTracks, whose JSON does not say (its user of HTTP Basic).
    Errors: ``BadPosition``.
    """
    if "lat" in query or "lon" in query:
        return Post("osmand", _from_query(query, now))
    if not body.strip():
        return Post("owntracks", None, b"[]")
    document = _document(body)
    if "_type" in document:
        fix = _from_owntracks(document, now, device_id) if document["_type"] == "location" else None
        return Post("owntracks", fix, b"[]")
    return Post("traccar", _from_traccar(document, now))


def fix_of(item: Mapping[str, Any], now: float) -> Fix:
    """A position of the phone page's own script: {at, lat, lon, accuracy_m, speed_mps, heading_deg}, in the units of
    ``Fix``. Errors: ``BadPosition``."""
    return Fix(
        "", _moment(item.get("at"), "at", now), _number(item.get("lat"), "lat", -90, 90),
        _number(item.get("lon"), "lon", -180, 180), _known(item.get("accuracy_m"), "accuracy_m", 100_000),
        _known(item.get("speed_mps"), "speed_mps", 350), _heading(item.get("heading_deg"), "heading_deg"),
    )  # fmt: skip


def presented(query: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Device id and secret as the phone presents them, each "" when it does not.

    HTTP Basic (OwnTracks), else ``secret`` in the query (Traccar Client can send no header); names of headers are small
    letters. Nothing is compared here.
    """
    kind, _, coded = headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic" and len(coded) <= 2 * (MAX_ID + MAX_SECRET):
        try:
            user, _, secret = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user[:MAX_ID], secret[:MAX_SECRET]
    return query.get("id", "")[:MAX_ID], query.get("secret", "")[:MAX_SECRET]


def _document(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise BadPosition(f"the body is over {MAX_BODY >> 10} KB")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise BadPosition("the body is no JSON") from None
    if not isinstance(document, dict):
        raise BadPosition("the body is no JSON object")
    return document


def _from_traccar(document: dict[str, Any], now: float) -> Fix:
    location = _object(document, "location")
    coords = _object(location, "coords", "location.")
    battery = location.get("battery")
    level = _known(battery.get("level"), "location.battery.level", 1.0) if isinstance(battery, dict) else None
    moving = location.get("is_moving")
    return Fix(
        _device(document.get("device_id"), "device_id"),
        _moment(location.get("timestamp"), "location.timestamp", now),
        _number(coords.get("latitude"), "location.coords.latitude", -90, 90),
        _number(coords.get("longitude"), "location.coords.longitude", -180, 180),
        _known(coords.get("accuracy"), "location.coords.accuracy", 100_000),
        _known(coords.get("speed"), "location.coords.speed", 350),
        _heading(coords.get("heading"), "location.coords.heading"),
        None if level is None else round(level * 100, 1),
        moving if isinstance(moving, bool) else None,
    )


def _from_query(query: Mapping[str, str], now: float) -> Fix:
    speed = _known(query.get("speed"), "speed", 350 / _KNOT)
    return Fix(
        _device(query.get("id") or query.get("deviceid"), "id"),
        _moment(query.get("timestamp"), "timestamp", now),
        _number(query.get("lat"), "lat", -90, 90),
        _number(query.get("lon"), "lon", -180, 180),
        _known(query.get("accuracy"), "accuracy", 100_000),
        None if speed is None else speed * _KNOT,
        _heading(query.get("bearing") or query.get("heading"), "bearing"),
        _known(query.get("batt"), "batt", 100),
    )


def _from_owntracks(document: dict[str, Any], now: float, device_id: str) -> Fix:
    speed = _known(document.get("vel"), "vel", 350 / _KMH)
    return Fix(
        _device(device_id, "the user name of HTTP Basic"),
        _moment(document.get("tst"), "tst", now),
        _number(document.get("lat"), "lat", -90, 90),
        _number(document.get("lon"), "lon", -180, 180),
        _known(document.get("acc"), "acc", 100_000),
        None if speed is None else speed * _KMH,
        _heading(document.get("cog"), "cog"),
        _known(document.get("batt"), "batt", 100),
    )


def _object(holder: dict[str, Any], name: str, above: str = "") -> dict[str, Any]:
    value = holder.get(name)
    if not isinstance(value, dict):
        raise BadPosition(f"{above}{name} is missing" if value is None else f"{above}{name} is no JSON object")
    return value


def _device(value: Any, name: str) -> str:
    if value is None or value == "":
        raise BadPosition(f"{name} is missing: it names the device")
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not text or len(text) > MAX_ID or not text.isprintable():
        raise BadPosition(f"{name} is no device id: a text of at most {MAX_ID} characters")
    return text


def _read(value: Any, name: str) -> float:
    """A finite number from JSON or from text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or (isinstance(value, str) and "_" in value):
        raise BadPosition(f"{name} is no number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise BadPosition(f"{name} is no number") from None
    if not math.isfinite(number):
        raise BadPosition(f"{name} is no number")
    return number


def _number(value: Any, name: str, low: float, high: float) -> float:
    if value is None:
        raise BadPosition(f"{name} is missing")
    number = _read(value, name)
    if not low <= number <= high:
        raise BadPosition(f"{name} is {number:g}, not within {low:g} to {high:g}")
    return number


def _known(value: Any, name: str, high: float) -> float | None:
    """A measurement that may be absent; phones write a negative number for "not known"."""
    if value is None or value == "" or (number := _read(value, name)) < 0:
        return None
    return _number(number, name, 0, high)


def _heading(value: Any, name: str) -> float | None:
    heading = _known(value, name, 360)
    return None if heading is None else heading % 360


def _moment(value: Any, name: str, now: float) -> float:
    """Seconds since the epoch from seconds, milliseconds or ISO 8601, checked against the clock."""
    if value is None or value == "":
        raise BadPosition(f"{name} is missing")
    at = _iso(value, name) if isinstance(value, str) and not _is_number(value) else _read(value, name)
    if abs(at) > 1e11:  # seconds of the year 5138: what is beyond is milliseconds
        at /= 1000
    if at > now + MAX_AHEAD_S:
        raise BadPosition(f"{name} is {at - now:.0f} s ahead: set the phone's clock")
    if at < now - MAX_AGE_S:
        raise BadPosition(f"{name} is more than {MAX_AGE_S / 86400:.0f} days old")
    return at


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdecimal()


def _iso(text: str, name: str) -> float:
    try:
        moment = datetime.fromisoformat(text[:40])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise BadPosition(f"{name} is no time: seconds since 1970 or ISO 8601") from None
