"""What a report of Police I Lert U looks like here: our published contract, since the app has no public interface.

One report is ``{"id", "at", "text", "name"?, "phone"?, "lat"?, "lon"?, "place"?, "kind"?}``; ``at`` is RFC 3339 or
seconds since 1970. A file is a JSON list of them, or CSV (RFC 4180) with these names in its first line.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import hmac
import io
from dataclasses import dataclass
from typing import Any

import orjson

MAX_ROWS = 5_000
MAX_AGE_S = 300.0
FIELDS = ("id", "at", "text", "name", "phone", "lat", "lon", "place", "kind")
_LENGTHS = {"id": 100, "text": 4_000, "name": 150, "phone": 40, "place": 300, "kind": 60}
_NEEDED = ("id", "text")


class BadReport(ValueError):
    """Not a report; the text says what is wrong and where."""


class BadSignature(ValueError):
    """The request is not signed by who knows the secret, or it is too old."""


@dataclass(frozen=True, slots=True)
class Said:
    """One report. ``at``: seconds since 1970; degrees WGS 84."""

    id: str
    at: float
    text: str
    name: str = ""
    phone: str = ""
    lat: float | None = None
    lon: float | None = None
    place: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file that is no report."""

    number: int
    column: str
    words: str

    def __str__(self) -> str:
        where = f"line {self.number}, {self.column}" if self.column else f"line {self.number}"
        return f"{where}: {self.words}"


def sign(secret: str, at: int, body: bytes) -> str:
    """The header ``X-Signature``: ``t=SECONDS,v1=HEX`` with HMAC-SHA256 (RFC 2104) over ``SECONDS.BODY``."""
    digest = hmac.digest(secret.encode(), b"%d." % at + body, hashlib.sha256)
    return f"t={at},v1={digest.hex()}"


def verify(secret: str, header: str, body: bytes, now: float) -> None:
    """``BadSignature`` unless the header signs this body, at most five minutes ago."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = parts.get("t", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadSignature("X-Signature is not t=SECONDS,v1=HEX")
    if not hmac.compare_digest(sign(secret, int(stamp), body).encode(), header.encode("utf-8", "replace")):
        raise BadSignature("the signature does not fit; look at secret")
    if abs(now - int(stamp)) > MAX_AGE_S:
        raise BadSignature(f"signed {abs(now - int(stamp)):.0f} s away from this clock; look at both clocks")


def parse_report(document: Any, now: float) -> Said:
    """One report; ``BadReport`` names the field."""
    if not isinstance(document, dict):
        raise BadReport("a report is an object")
    if unknown := sorted(document.keys() - set(FIELDS)):
        raise BadReport(f"{unknown[0]}: no field of a report; known are {', '.join(FIELDS)}")
    words = {name: _words(document, name) for name in _LENGTHS}
    lat, lon = _degrees(document, "lat", 90), _degrees(document, "lon", 180)
    if (lat is None) != (lon is None):
        raise BadReport("lat and lon: both or none")
    return Said(at=_time(document.get("at"), now), lat=lat, lon=lon, **words)


def parse_body(body: bytes, now: float) -> Said:
    """The webhook's body."""
    try:
        return parse_report(orjson.loads(body), now)
    except orjson.JSONDecodeError as wrong:
        raise BadReport(f"not JSON: {wrong}") from None


def parse_file(text: str, now: float) -> tuple[list[Said], list[Line]]:
    """The reports of a file and the lines that are none. ``BadReport`` when the file as a whole is none."""
    rows = _json_rows(text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text)
    if len(rows) > MAX_ROWS:
        raise BadReport(f"{len(rows)} reports; a file has at most {MAX_ROWS}")
    good: list[Said] = []
    bad: list[Line] = []
    for number, row in rows:
        try:
            good.append(parse_report(row, now))
        except BadReport as wrong:
            column, _, words = str(wrong).partition(": ")
            bad.append(Line(number, column, words) if words else Line(number, "", str(wrong)))
    return good, bad


def _json_rows(text: str) -> list[tuple[int, Any]]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        raise BadReport(f"not JSON: {wrong}") from None
    if not isinstance(document, list):
        raise BadReport("a JSON file is a list of reports")
    return list(enumerate(document, 1))


def _csv_rows(text: str) -> list[tuple[int, Any]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    if missing := [name for name in _NEEDED if name not in (reader.fieldnames or ())]:
        raise BadReport(f"the first line must name the columns; missing: {', '.join(missing)}")
    rows: list[tuple[int, Any]] = []
    try:
        for row in reader:
            if None in row:
                rows.append((reader.line_num, {"text": None, "more columns than the first line": ""}))
            else:
                rows.append((reader.line_num, {key: value for key, value in row.items() if value not in (None, "")}))
    except csv.Error as wrong:
        raise BadReport(f"line {reader.line_num + 1}: {wrong}") from None
    return rows


def _words(document: dict[str, Any], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise BadReport(f"{name}: a text is needed")
    if name in _NEEDED and not value.strip():
        raise BadReport(f"{name}: is missing")
    if len(value) > _LENGTHS[name]:
        raise BadReport(f"{name}: longer than {_LENGTHS[name]} characters")
    return value


def _degrees(document: dict[str, Any], name: str, limit: float) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    try:
        number = float(value) if not isinstance(value, bool) else limit + 1
    except (TypeError, ValueError):
        raise BadReport(f"{name}: {str(value)[:40]!r} is no number") from None
    if not -limit <= number <= limit:
        raise BadReport(f"{name}: not between -{limit} and {limit} degrees")
    return number


def _time(value: Any, now: float) -> float:
    if value is None:
        return now
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
            moment = datetime.datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError
            return moment.timestamp()
        at = float(value)
    except (TypeError, ValueError):
        raise BadReport("at: a time with its zone, as 2026-11-22T21:04:00+07:00, or seconds since 1970") from None
    if not 0 <= at <= 4e9:
        raise BadReport("at: no seconds since 1970")
    return at
