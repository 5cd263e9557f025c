"""Durations as Home Assistant writes them: seconds, ``HH:MM:SS``, or ``{minutes: 5}``; shown as ``0:05:00``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

HOW = "write seconds, HH:MM:SS, or {minutes: 5}"
LONGEST_S = 366 * 86_400.0
_UNITS = {"days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}
_CLOCK = re.compile(r"([+-]?)(\d{1,5}):([0-5]?\d)(?::([0-5]?\d(?:\.\d{1,6})?))?", re.ASCII)
_SECONDS = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,6})?", re.ASCII)


def seconds_of(value: object) -> float:
    """The seconds that a duration says, negative ones too; ``ValueError`` in words otherwise."""
    if isinstance(value, Mapping) and value and value.keys() <= _UNITS.keys():
        found = sum(seconds_of(amount) * _UNITS[unit] for unit, amount in value.items())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value)
    elif isinstance(value, str):
        found = _of_text(value)
    else:
        raise ValueError(f"{value!r} is no duration; {HOW}")
    if not math.isfinite(found) or abs(found) > LONGEST_S:
        raise ValueError(f"{value!r} is longer than 366 days")
    return found


def _of_text(text: str) -> float:
    if _SECONDS.fullmatch(text):
        return float(text)
    if (parts := _CLOCK.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is no duration; {HOW}")
    sign, hours, minutes, seconds = parts.groups()
    found = int(hours) * 3_600 + int(minutes) * 60 + float(seconds or 0)
    return -found if sign == "-" else found


def shown(seconds: float) -> str:
    """``0:05:00``; parts of a second only where there are some, so that ``seconds_of`` gives the same again."""
    whole, parts = divmod(round(seconds * 1_000_000), 1_000_000)
    text = f"{whole // 3_600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{text}.{parts:06}" if parts else text
