"""Dates and times in templates: the zone's own time zone where none is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub.automation.templates.bounds import MAX_TIME_FORM, formatted_time
from hub.automation.templates.forgiving import REQUIRED, or_default
from hub.automation.templates.views import World

_ISO = re.compile(
    r"(?P<sign>[-+]?)P(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_WORDS = re.compile(
    r"(?:(?P<days>-?\d+) (?:days?, )?)?(?P<sign>-?)"
    r"(?:(?:(?P<hours>\d+):)?(?P<minutes>\d+):)?(?P<seconds>\d+(?:\.\d{1,6})?)"
)
# seconds of each unit and how many make the next
_UNITS = (("second", 60), ("minute", 60), ("hour", 24), ("day", 30), ("month", 12), ("year", 10**9))
Function = Callable[..., Any]


def as_datetime(value: Any, default: Any = REQUIRED) -> Any:
    """A time from ISO 8601 text or seconds since the epoch (UTC); ``None`` for a text that is none."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        pass
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        if default is REQUIRED and isinstance(value, str):
            return None
        return or_default("as_datetime", value, default)


def as_timedelta(value: Any) -> timedelta | None:
    """A duration of ISO 8601 (``PT10M``) or ``1 day, 2:00:00``; ``None`` for any other text."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    found = _ISO.fullmatch(text) or _WORDS.fullmatch(text)
    if found is None or not any(found.group(part) for part in ("days", "hours", "minutes", "seconds")):
        return None
    parts = {unit: float(found.group(unit) or 0) for unit in ("days", "hours", "minutes", "seconds")}
    days = timedelta(days=parts.pop("days"))
    rest = timedelta(**parts)
    return days - rest if found["sign"] == "-" else days + rest


def strptime(text: Any, form: str, default: Any = REQUIRED) -> Any:
    """A time read by a format (Python, ``strftime() and strptime() Format Codes``)."""
    try:
        if len(form) > MAX_TIME_FORM:  # it becomes a pattern, and that takes long
            raise ValueError
        return datetime.strptime(text, form)  # noqa: DTZ007 - the format says whether there is a zone
    except (ValueError, TypeError, AttributeError):
        return or_default("strptime", text, default)


def age(since: timedelta, precision: int = 1) -> str:
    """``5 minutes``, or with a precision above 1 ``1 hour 5 minutes``."""
    if precision <= 1:
        return _biggest(since.total_seconds())
    left = round(since.total_seconds())
    parts: list[str] = []
    for name, size in (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3600), ("minute", 60),
                       ("second", 1)):  # fmt: skip
        count, left = divmod(left, size)
        if count and len(parts) < precision:
            parts.append(_counted(count, name))
    return " ".join(parts) or "0 seconds"


def _biggest(amount: float) -> str:
    rounded = round(amount)
    for name, to_next in _UNITS:
        if rounded < to_next:
            return _counted(rounded, name)
        amount /= to_next
        rounded = round(amount)
    return _counted(rounded, "year")


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def time_functions(world: World) -> tuple[dict[str, Function], dict[str, Function]]:
    """Functions, and those of them that are filters too."""

    def local(value: datetime) -> datetime:
        return value.astimezone(world.zone) if value.tzinfo else value.replace(tzinfo=world.zone)

    def today_at(clock: str = "") -> datetime:
        at = time.fromisoformat(clock) if clock else time()
        return datetime.combine(world.now().date(), at, world.zone)

    def as_timestamp(value: Any, default: Any = REQUIRED) -> Any:
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            return or_default("as_timestamp", value, default)
        return local(moment).timestamp()

    def since(value: Any, precision: int = 1) -> Any:
        if not isinstance(value, datetime):
            return value
        now = world.now()
        return value if local(value) > now else age(now - local(value), precision)

    def until(value: Any, precision: int = 1) -> Any:
        if not isinstance(value, datetime):
            return value
        now = world.now()
        return value if local(value) < now else age(local(value) - now, precision)

    def custom(value: Any, form: str = "%Y-%m-%d %H:%M:%S", here: bool = True, default: Any = REQUIRED) -> Any:
        try:
            moment = datetime.fromtimestamp(value, world.zone if here else UTC)
            return formatted_time(moment, form)
        except (ValueError, TypeError, OverflowError, OSError):
            return or_default("timestamp_custom", value, default)

    def stamped(name: str, here: bool) -> Function:
        def function(value: Any, default: Any = REQUIRED) -> Any:
            try:
                return datetime.fromtimestamp(value, world.zone if here else UTC).isoformat()
            except (ValueError, TypeError, OverflowError, OSError):
                return or_default(name, value, default)

        return function

    both: dict[str, Function] = {
        "as_timestamp": as_timestamp, "as_datetime": as_datetime, "as_local": local, "as_timedelta": as_timedelta,
        "today_at": today_at, "relative_time": since, "time_since": since, "time_until": until,
        "timestamp_custom": custom, "timestamp_local": stamped("timestamp_local", True),
        "timestamp_utc": stamped("timestamp_utc", False),
    }  # fmt: skip
    only: dict[str, Function] = {
        "now": world.now, "utcnow": lambda: world.now().astimezone(UTC), "timedelta": timedelta, "strptime": strptime,
    }  # fmt: skip
    return {**both, **only}, both
