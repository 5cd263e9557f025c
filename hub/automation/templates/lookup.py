"""``value.name`` and ``value[name]``: the allow-list of what may be reached from a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from jinja2.runtime import LoopContext
from jinja2.utils import Namespace

from hub.automation.templates.bounds import formatted, formatted_time, joined, padded, replaced, stripped
from hub.automation.templates.views import Domain, EventView, States, StateView

_TEXT_METHODS = frozenset(
    "upper lower startswith endswith split rsplit splitlines partition rpartition title capitalize "
    "find rfind count isdigit isnumeric isalpha isalnum isdecimal isupper islower removeprefix removesuffix index "
    "casefold swapcase".split()
)
_METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _TEXT_METHODS),
    (Mapping, frozenset({"get", "keys", "values", "items"})),
    (list, frozenset({"index", "count"})),
    (tuple, frozenset({"index", "count"})),
    (datetime, frozenset(
        "year month day hour minute second microsecond date time timestamp isoformat weekday isoweekday isocalendar "
        "replace tzinfo astimezone utcoffset".split()
    )),
    (date, frozenset("year month day isoformat weekday isoweekday isocalendar replace".split())),
    (time, frozenset("hour minute second microsecond isoformat replace".split())),
    (timedelta, frozenset("days seconds microseconds total_seconds".split())),
)  # fmt: skip


# text methods whose result could be of any size, or that could take any time
_BOUNDED: dict[str, Callable[..., Any]] = {
    "replace": replaced, "join": lambda between, values: joined(values, between), "format": formatted,
    "zfill": partial(padded, "zfill"), "ljust": partial(padded, "ljust"), "rjust": partial(padded, "rjust"),
    "center": partial(padded, "center"), "strip": partial(stripped, "strip"), "lstrip": partial(stripped, "lstrip"),
    "rstrip": partial(stripped, "rstrip"),
}  # fmt: skip
_LOOP = frozenset(
    "index index0 first last length revindex revindex0 previtem nextitem depth depth0 cycle changed".split()
)


def _bound(name: str, text: str) -> Callable[..., Any]:
    method = _BOUNDED[name]
    if name in ("zfill", "ljust", "rjust", "center"):
        return lambda width, *fill: method(text, width, *fill)
    return partial(method, text)


def _of_template(value: Namespace | LoopContext, name: str) -> Any:
    """A variable of a ``namespace``, or what a loop says of its turn."""
    if name.startswith("_") or (isinstance(value, LoopContext) and name not in _LOOP):
        raise KeyError(name)
    try:
        return getattr(value, name)
    except AttributeError:
        raise KeyError(name) from None


def lookup(value: Any, name: Any) -> Any:
    """``value.name`` or ``value[name]``; ``KeyError`` when there is no such thing for a template."""
    if type(value) is dict or isinstance(value, Mapping):
        if name in value:
            return value[name]
    elif isinstance(value, list | tuple | str) and isinstance(name, int | slice):
        return value[name]
    elif isinstance(value, StateView | EventView | States | Domain) and isinstance(name, str):
        return value.lookup(name)
    if isinstance(value, str) and name in _BOUNDED:
        return _bound(name, value)
    if isinstance(value, Namespace | LoopContext) and isinstance(name, str):
        return _of_template(value, name)
    if isinstance(value, datetime | date | time) and name == "strftime":
        return lambda form: formatted_time(value, form)
    for kind, names in _METHODS:
        if isinstance(value, kind):
            if name in names:
                return getattr(value, name)
            break
    raise KeyError(name)
