"""Cursor on Target: the XML that TAK servers and clients exchange (MITRE MP090284, "CoT base schema" 2.0; details as
ATAK writes them). Reading is strict about what could harm: no document types, bounded size, depth and count."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

MAX_MESSAGE = 64 << 10
MAX_DEPTH, MAX_ELEMENTS = 24, 400
MAX_TEXT = 100
END = b"</event>"
UNKNOWN_M = 9_999_999.0  # what CoT writes for an error that is not known

Affiliation = Literal["friend", "neutral", "hostile", "unknown"]
_AFFILIATIONS: dict[str, Affiliation] = {"f": "friend", "a": "friend", "n": "neutral", "h": "hostile", "s": "hostile"}


class BadCot(ValueError):
    """The bytes are no CoT event that is taken; the text says why."""


@dataclass(frozen=True, slots=True)
class CotEvent:
    """One event. Degrees WGS 84, metres, metres a second, degrees from north, seconds since 1970."""

    uid: str
    type: str
    time: float
    stale: float
    lat: float
    lon: float
    ce_m: float | None = None
    callsign: str = ""
    speed_mps: float | None = None
    course_deg: float | None = None

    @property
    def affiliation(self) -> Affiliation:
        """What the sender says of it (second part of the type, MIL-STD-2525 standard identity)."""
        parts = self.type.split("-")
        return _AFFILIATIONS.get(parts[1] if len(parts) > 1 else "", "unknown")


class Splitter:
    """Parts a TCP stream into events; between them may stand white space and XML declarations only."""

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def inside(self) -> bool:
        """Is an event begun and not ended?"""
        return bool(self._held.strip())

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Whole events. ``BadCot`` when one is larger than ``MAX_MESSAGE``: the stream cannot be followed then."""
        self._held += data
        while (end := self._held.find(END)) >= 0:
            if end > MAX_MESSAGE:
                break
            yield bytes(self._held[: end + len(END)])
            del self._held[: end + len(END)]
        if len(self._held) > MAX_MESSAGE:
            raise BadCot(f"an event is over {MAX_MESSAGE >> 10} KB")


class _Reader:
    """Collects the attributes of the elements that matter."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, str]] = {}
        self.depth = self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > MAX_DEPTH or self.count > MAX_ELEMENTS:
            raise BadCot(f"it is deeper than {MAX_DEPTH} or has more than {MAX_ELEMENTS} elements")
        if name in ("event", "point", "contact", "track"):
            self.found.setdefault(name, attributes)

    def end(self, name: str) -> None:
        self.depth -= 1


def _refuse(*_: object) -> None:
    raise BadCot("a document type or entity declaration is not taken")


def parse(raw: bytes) -> CotEvent:
    """Read one event. Character references (taky writes Thai so) come out as letters. ``BadCot`` otherwise."""
    if len(raw) > MAX_MESSAGE:
        raise BadCot(f"an event is over {MAX_MESSAGE >> 10} KB")
    reader, parser = _Reader(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(raw.strip(), True)
    except (expat.ExpatError, ValueError) as wrong:
        raise wrong if isinstance(wrong, BadCot) else BadCot(f"no XML: {wrong}") from None
    event, point = reader.found.get("event"), reader.found.get("point")
    if event is None or point is None:
        raise BadCot("event or point is missing")
    track, contact = reader.found.get("track", {}), reader.found.get("contact", {})
    error = _number(point, "ce", 0, UNKNOWN_M, needed=False)
    return CotEvent(
        _text(event, "uid"), _text(event, "type"), _moment(event, "time"), _moment(event, "stale"),
        _number(point, "lat", -90, 90) or 0.0, _number(point, "lon", -180, 180) or 0.0,
        None if error is None or error >= UNKNOWN_M else error, contact.get("callsign", "")[:MAX_TEXT],
        _number(track, "speed", 0, 1000, needed=False), _number(track, "course", 0, 360, needed=False),
    )  # fmt: skip


def _text(holder: dict[str, str], name: str) -> str:
    value = holder.get(name, "")
    if not value or len(value) > MAX_TEXT or not value.isprintable():
        raise BadCot(f"{name} is no text of 1 to {MAX_TEXT} characters")
    return value


def _number(holder: dict[str, str], name: str, low: float, high: float, needed: bool = True) -> float | None:
    """A number within its limits; what is not needed and cannot be read is not known."""
    try:
        value = float(holder.get(name, ""))
    except ValueError:
        value = math.nan
    if low <= value <= high:
        return value
    if needed:
        raise BadCot(f"{name} is not within {low:g} to {high:g}")
    return None


def _moment(holder: dict[str, str], name: str) -> float:
    try:
        moment = datetime.fromisoformat(holder.get(name, "")[:40])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise BadCot(f"{name} is no time: ISO 8601") from None


def build(event: CotEvent, detail: str = "", how: str = "m-g") -> bytes:
    """One event as XML. ``detail``: further elements, already XML. ``how``: m-g is a machine's GPS, h-e a person."""
    ce = UNKNOWN_M if event.ce_m is None else event.ce_m
    inner = f"<contact callsign={quoteattr(event.callsign)}/>" if event.callsign else ""
    if event.speed_mps is not None or event.course_deg is not None:
        inner += f'<track speed="{event.speed_mps or 0:.2f}" course="{event.course_deg or 0:.1f}"/>'
    now = _iso(event.time)
    text = (
        f'<event version="2.0" uid={quoteattr(event.uid)} type={quoteattr(event.type)} how="{how}" time="{now}" '
        f'start="{now}" stale="{_iso(event.stale)}"><point lat="{event.lat:.7f}" lon="{event.lon:.7f}" '
        f'hae="{UNKNOWN_M}" ce="{ce:.1f}" le="{UNKNOWN_M}"/><detail>{inner}{detail}</detail></event>'
    )
    return text.encode()


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
