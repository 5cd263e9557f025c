"""Months and ranges of months by the station's calendar (Bangkok time, UTC+7 without summer time)."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Final

from hub.sdk import InvalidInput

BANGKOK: Final = datetime.timezone(datetime.timedelta(hours=7))
MONTHS_TH: Final = (
    "มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน", "กรกฎาคม", "สิงหาคม", "กันยายน", "ตุลาคม",
    "พฤศจิกายน", "ธันวาคม",
)  # fmt: skip
MONTHS_EN: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MAX_MONTHS: Final = 24
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Period:
    """Seconds since 1970: ``begin`` belongs to it, ``end`` does not. ``name``: ``2026-10`` or ``2026-09_2026-11``."""

    name: str
    begin: float
    end: float
    th: str
    en: str


def read_month(name: str) -> Period:
    """A month written as ``2026-10``; ``InvalidInput`` otherwise."""
    found = _MONTH.fullmatch(name)
    if found is None:
        hint = "write it as 2026-10 (year of the Christian era)"
        raise InvalidInput(f"{name!r} is no month", where="month", hint=hint)
    year, number = int(found[1]), int(found[2])
    begin = datetime.datetime(year, number, 1, tzinfo=BANGKOK)
    after = datetime.datetime(year + number // 12, number % 12 + 1, 1, tzinfo=BANGKOK)
    th, en = f"{MONTHS_TH[number - 1]} {year + 543}", f"{MONTHS_EN[number - 1]} {year}"
    return Period(name, begin.timestamp(), after.timestamp(), th, en)


def months(first: str, last: str) -> list[Period]:
    """All months from the first to the last, at most 24."""
    found, end = [read_month(first)], read_month(last)
    if end.begin < found[0].begin:
        raise InvalidInput("the last month is before the first", where="last_month")
    while found[-1].begin < end.begin:
        found.append(read_month(month_of(found[-1].end)))
        if len(found) > MAX_MONTHS:
            raise InvalidInput(f"more than {MAX_MONTHS} months", where="last_month")
    return found


def whole(parts: list[Period]) -> Period:
    """One period of all of them."""
    first, last = parts[0], parts[-1]
    name = f"{first.name}_{last.name}"
    return Period(name, first.begin, last.end, f"{first.th} – {last.th}", f"{first.en} – {last.en}")


def month_of(at: float) -> str:
    """The month in which a moment lies."""
    return f"{datetime.datetime.fromtimestamp(at, BANGKOK):%Y-%m}"


def month_before(at: float) -> str:
    """The month before that one."""
    return month_of(read_month(month_of(at)).begin - 1)


def thai_date(at: float) -> str:
    """``23 พฤศจิกายน 2569 06:05 น.``"""
    when = datetime.datetime.fromtimestamp(at, BANGKOK)
    return f"{when.day} {MONTHS_TH[when.month - 1]} {when.year + 543} {when:%H:%M} น."
