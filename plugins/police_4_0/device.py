"""Patrol logs as files: CSV and JSON of a documented form, each mistake with its line and column.

No authority publishes an interface or a file format of Police 4.0; the form read here is the hub's own (README.md).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

MAX_FILE = 4 << 20
MAX_ROWS = 5_000
MAX_MISTAKES = 200
MAX_CELL = 300
OLDEST_S = 92 * 86_400.0
AHEAD_S = 300.0
THAI = timezone(timedelta(hours=7))
BUDDHIST = 543
"""Years from here on are of the Buddhist era."""
FIRST_BUDDHIST_YEAR = 2400

COLUMNS: dict[str, tuple[str, ...]] = {
    "time": ("time", "เวลา", "วันเวลา", "scanned_at"),
    "box": ("box", "box_code", "รหัสตู้", "ตู้แดง"),
    "officer": ("officer", "เจ้าหน้าที่", "ผู้ตรวจ"),
    "lat": ("lat", "latitude", "ละติจูด"),
    "lon": ("lon", "lng", "longitude", "ลองจิจูด"),
    "accuracy_m": ("accuracy_m", "accuracy", "คลาดเคลื่อน"),
}
NEEDED = ("time", "box")
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?")


class BadFile(ValueError):
    """The file as a whole cannot be read; the text says why and where."""

    def __init__(self, message: str, line: int = 1, column: str = "") -> None:
        super().__init__(message)
        self.line, self.column = line, column


class BadCell(ValueError):
    """One value is wrong."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Row:
    """One visit. ``line``: where it stands, from 1; in JSON the number of the item. ``at``: seconds since 1970.
    ``id``: the same for the same visit in whatever file it comes."""

    line: int
    id: str
    at: float
    box: str
    officer: str = ""
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a row. ``column``: as the file's heading says it, with its number."""

    line: int
    column: str
    message: str

    def as_data(self) -> dict[str, Any]:
        """JSON form."""
        return {"line": self.line, "column": self.column, "message": self.message}


@dataclass(slots=True)
class Log:
    """A file that was read. ``mistakes``: the first of them; ``bad``: how many there are."""

    rows: list[Row] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    bad: int = 0

    def wrong(self, line: int, column: str, message: str) -> None:
        """Note a row that is left out."""
        self.bad += 1
        if len(self.mistakes) < MAX_MISTAKES:
            self.mistakes.append(Mistake(line, column, message))


def parse_log(raw: bytes, now: float, name: str = "") -> Log:
    """Read a file: JSON when it begins with ``[`` or ``{`` or is named ``.json``, else CSV. ``now`` bounds the times.

    Errors: ``BadFile`` when nothing of it can be used; rows that are wrong stand in ``mistakes``, the others are read.
    """
    if len(raw) > MAX_FILE:
        raise BadFile(f"the file is over {MAX_FILE >> 20} MiB: export fewer days")
    text = _decoded(raw)
    begin = text.lstrip()[:1]
    if not begin:
        raise BadFile("the file is empty")
    as_json = name.lower().endswith(".json") or begin in "[{"
    log = Log()
    for line, cells in _from_json(text) if as_json else _from_csv(text, log):
        if len(log.rows) + log.bad >= MAX_ROWS:
            raise BadFile(f"more than {MAX_ROWS} rows: export fewer days", line)
        try:
            log.rows.append(_row(line, cells, now))
        except BadCell as wrong:
            log.wrong(line, wrong.column, str(wrong))
    return log


def _decoded(raw: bytes) -> str:
    """UTF-8, with or without a mark; Thai Windows' code page when it is not."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        try:
            text = raw.decode("cp874")
        except UnicodeDecodeError:
            line = raw[: wrong.start].count(b"\n") + 1
            raise BadFile("the file is no text: save it as CSV UTF-8", line) from None
    if "\0" in text:
        raise BadFile("the file is no text: save it as CSV UTF-8", text[: text.index("\0")].count("\n") + 1)
    return text


Cells = Mapping[str, tuple[str, Any]]  # our column → (its name and place in the file, value)


def _from_csv(text: str, log: Log) -> Iterator[tuple[int, Cells]]:
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        heading = next(reader)
        places = _places(heading)
        while (cells := _next(reader)) is not None:
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(heading):
                log.wrong(line, "", f"{len(cells)} columns, the heading has {len(heading)}")
                continue
            yield line, {
                ours: (f"{heading[place].strip()} ({place + 1})", cells[place]) for ours, place in places.items()
            }
    except csv.Error as wrong:
        raise BadFile(f"no CSV: {wrong}", reader.line_num or 1) from None


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    return next(reader, None)


def _places(heading: list[str]) -> dict[str, int]:
    names = [cell.strip().lower() for cell in heading]
    places = {
        ours: names.index(found)
        for ours, known in COLUMNS.items()
        if (found := next((one for one in known if one in names), None)) is not None
    }
    for needed in NEEDED:
        if needed not in places:
            known = " or ".join(COLUMNS[needed])
            raise BadFile(f"the first line names no column {known}", 1, needed)
    return places


def _from_json(text: str) -> Iterator[tuple[int, Cells]]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as wrong:
        raise BadFile(f"no JSON: {wrong.msg}", wrong.lineno, str(wrong.colno)) from None
    except (RecursionError, ValueError):
        raise BadFile("no JSON that can be read: too deep, or a number too long") from None
    items = document.get("scans") if isinstance(document, dict) else document
    if not isinstance(items, list):
        raise BadFile("neither a list of scans nor an object with the list scans")
    for number, item in enumerate(items, 1):
        given = item if isinstance(item, dict) else {}
        named = {str(key).strip().lower(): (str(key)[:60], value) for key, value in given.items()}
        yield number, {
            ours: named[found]
            for ours, known in COLUMNS.items()
            if (found := next((one for one in known if one in named), None)) is not None
        }


def _row(line: int, cells: Cells, now: float) -> Row:
    at = _time(cells, now)
    box, officer = _text(cells, "box", 64), _text(cells, "officer", 200, needed=False)
    lat, lon = _number(cells, "lat", -90, 90), _number(cells, "lon", -180, 180)
    if (lat is None) != (lon is None):
        missing = "lon" if lon is None else "lat"
        raise BadCell(_place(cells, missing), "latitude and longitude belong together")
    accuracy = _number(cells, "accuracy_m", 0, 100_000)
    same = f"{at:.0f}|{box.lower()}|{officer}|{lat}|{lon}"
    return Row(line, hashlib.sha256(same.encode()).hexdigest()[:24], at, box, officer, lat, lon, accuracy)


def _place(cells: Cells, ours: str) -> str:
    return cells[ours][0] if ours in cells else ours


def _text(cells: Cells, ours: str, most: int, needed: bool = True) -> str:
    place, value = cells.get(ours, (ours, ""))
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else None
    if value is None:
        text = ""
    if text is None or len(text) > most or not text.isprintable():
        raise BadCell(place, f"no text of at most {most} characters")
    if needed and not text:
        raise BadCell(place, "it is empty")
    return text


def _number(cells: Cells, ours: str, low: float, high: float) -> float | None:
    place, value = cells.get(ours, (ours, None))
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(value) if not isinstance(value, bool) and len(str(value)) <= 40 else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        raise BadCell(place, f"{str(value)[:40]!r} is no number within {low:g} to {high:g}")
    return number


def _time(cells: Cells, now: float) -> float:
    place, value = cells.get("time", ("time", ""))
    text = str(value).strip()[:40]
    if not text or value is None:
        raise BadCell(place, "it is empty")
    at = _moment(place, text)
    if at > now + AHEAD_S:
        raise BadCell(place, f"{text!r} has not come yet")
    if at < now - OLDEST_S:
        raise BadCell(place, f"{text!r} is more than {OLDEST_S / 86_400:.0f} days ago")
    return at


def _moment(place: str, text: str) -> float:
    """ISO 8601, or day/month/year hour:minute; Thai time when it does not say, Buddhist years too."""
    try:
        if (found := _DAY_FIRST.fullmatch(text)) is not None:
            day, month, year, hour, minute = (int(part) for part in found.groups()[:5])
            moment = datetime(_year(year), month, day, hour, minute, int(found.group(6) or 0), tzinfo=THAI)
        else:
            given = f"{_year(int(text[:4])):04d}{text[4:]}"
            moment = datetime.fromisoformat(given)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=THAI)
        return moment.timestamp()
    except (ValueError, OverflowError):
        words = "is no time: 2026-11-23T22:15:00+07:00 or 23/11/2569 22:15"
        raise BadCell(place, f"{text!r} {words}") from None


def _year(year: int) -> int:
    return year - BUDDHIST if year >= FIRST_BUDDHIST_YEAR else year
