"""What a template may cost: sizes of values, and time.

Every value a template makes passes ``Budget.keep``; so no value is larger than the limits, and with bounded values
every single operation is bounded too.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from time import perf_counter, thread_time
from typing import Any

from jinja2.filters import do_batch

MAX_ITEMS = 10_000  # in one value, counted through all levels
MAX_CHARS = 65_536  # in one value
MAX_BITS = 4_096  # of one number
MAX_FORM = 16_384  # of a format's text
MAX_TIME_FORM = 200
MAX_STRIPPED = 64  # different letters that are stripped at once
MAX_RENDER_S = 0.04

# filters and functions whose result is never larger than what they are given, or small, and that take no time
SMALL = frozenset(
    "int float bool round abs length count first last default d is_number states state_attr is_state has_value "
    "is_state_attr as_timestamp iif now utcnow today_at timedelta as_datetime as_local select reject selectattr "
    "rejectattr".split()
)
QUICK = frozenset({"upper", "lower", "title", "capitalize", "trim", "string"})  # what gives a short text is quick
NUMBERS = frozenset({int, float})
SHORT = 64  # turns of a loop without a look at the time

_NUMERIC = (int, float)
_ATOMS = frozenset({float, bool, type(None)})
# %Y, %-d …: a width would ask the C library for that many characters
_PERCENT = re.compile(r"(?:[^%]|%(?:\(\w{1,40}\))?[-+ 0#]{0,3}\d{0,2}(?:\.\d{1,2})?[sdiufFeEgGxXoc%])*", re.DOTALL)
_BRACES = re.compile(
    r"(?:[^{}]|\{\{|\}\}|\{\w{0,40}(?:![rs])?(?::[^{}\d]{0,3}\d{0,2},?(?:\.\d{1,2})?[sdfFeEgGxXobn%]?)?\})*", re.DOTALL
)
_STRFTIME = re.compile(r"(?:[^%]|%[-_]?[A-Za-z%])*")


class TooCostly(ValueError):
    """The template would take too much time or space."""


class Budget:
    """The bound of one rendering. One is enough for a loop thread: rendering never waits."""

    def __init__(self) -> None:
        self._until = 0.0
        self._late: float | None = None  # this thread's CPU when the wall clock first said that it is late

    def begin(self) -> None:
        """A rendering begins; the first look at the time starts its clock, as most need none."""
        self._until = 0.0
        self._late = None

    def look(self) -> None:
        """``TooCostly`` when the rendering is late: before each thing that takes long by itself."""
        if perf_counter() > self._until:
            self._check_time()

    def _check_time(self) -> None:
        """A busy machine makes an honest template late; only what this thread itself has used since then counts."""
        # the machine's own time, not the injected clock: this protects the loop and decides nothing else
        if not self._until:
            self._until = perf_counter() + MAX_RENDER_S
            return
        used = thread_time()
        if self._late is None:
            self._late = used
        elif used - self._late > MAX_RENDER_S:
            raise TooCostly(f"the template ran longer than {MAX_RENDER_S * 1000:g} ms")
        self._until = perf_counter() + MAX_RENDER_S / 10

    def each(self, values: Any) -> Any:
        """What a loop walks through: of bounded length, the time looked at when it begins and every 64 turns."""
        if perf_counter() > self._until:
            self._check_time()
        if isinstance(values, (list, tuple, range, str, dict, set, Mapping)):
            _bounded(len(values), MAX_ITEMS, "items")
            return values if len(values) <= SHORT else self._timed(values)
        return self._timed(islice(values, MAX_ITEMS + 1))

    def _timed(self, values: Any) -> Iterator[Any]:
        for turn, value in enumerate(values):
            if not turn % SHORT and perf_counter() > self._until:
                self._check_time()
            yield value

    def steps(self, found: Iterable[Any], most: int = MAX_ITEMS) -> Iterator[Any]:
        """Each as it is found, the time looked at each time: finding one may take long."""
        for turn, one in enumerate(found):
            _bounded(turn + 1, most, "items")
            self.look()
            yield one

    def keep(self, value: Any) -> Any:
        """The value, when it is within bounds; iterators become lists."""
        if perf_counter() > self._until:
            self._check_time()
        if isinstance(value, str):
            _bounded(len(value), MAX_CHARS, "characters")
        elif isinstance(value, int):
            _bounded(value.bit_length(), MAX_BITS, "bits")
        elif type(value) not in _ATOMS:
            if isinstance(value, Iterator):
                value = self._drawn(value)
            if isinstance(value, (list, tuple, set, Mapping)):
                _weigh(value)
        return value

    def _drawn(self, values: Iterator[Any]) -> list[Any]:
        """A list of what it gives; what is too large together is not made first."""
        made, chars = [], 0
        for value in self.steps(values):
            if isinstance(value, str):
                chars += len(value)
                _bounded(chars, MAX_CHARS, "characters")
            made.append(value)
        return made


def _bounded(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise TooCostly(f"a value of {size} {what}; at most {limit}")


def _weigh(value: Any) -> None:
    items = chars = 0
    pending = [value]
    while pending:
        item = pending.pop()
        items += 1
        if isinstance(item, str):
            chars += len(item)
        elif isinstance(item, Mapping):
            pending += item.keys()
            pending += item.values()
        elif isinstance(item, list | tuple | set):
            pending += item
        if items + len(pending) > 2 * MAX_ITEMS or items > MAX_ITEMS:
            raise TooCostly(f"a value of more than {MAX_ITEMS} items")
    _bounded(chars, MAX_CHARS, "characters")


def multiply(left: Any, right: Any) -> Any:
    """``left * right``; repetition of text or lists is bounded before it happens."""
    if isinstance(left, _NUMERIC) and isinstance(right, _NUMERIC):
        if isinstance(left, int) and isinstance(right, int):
            _bounded(left.bit_length() + right.bit_length(), MAX_BITS, "bits")
        return left * right
    many, times = (left, right) if isinstance(right, int) else (right, left)
    if isinstance(times, int) and isinstance(many, str | list | tuple):
        _bounded(len(many) * max(times, 0), MAX_CHARS if isinstance(many, str) else MAX_ITEMS, "parts")
    return left * right


def power(left: Any, right: Any) -> Any:
    """``left ** right`` for numbers whose result is small enough."""
    if not isinstance(left, _NUMERIC) or not isinstance(right, _NUMERIC):
        raise TypeError("** is for numbers")
    if isinstance(left, int) and isinstance(right, int):
        _bounded(left.bit_length() * max(right, 0), MAX_BITS, "bits")
    return left**right


def modulo(left: Any, right: Any) -> Any:
    """``left % right`` for numbers; a text is a format with bounded widths."""
    if isinstance(left, str):
        return percent_formatted(left, *(right if isinstance(right, tuple) else (right,)))
    if not isinstance(left, _NUMERIC):
        raise TypeError("% is for numbers and texts")
    return left % right


def _filled_bounded(form: str, fields: int, values: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    """Before it is filled: each field could hold the longest value."""
    _bounded(len(form), MAX_FORM, "characters in a format")
    if fields > 1:
        longest = max((len(str(value)) for value in (*values, *named.values())), default=0)
        _bounded(fields * longest, MAX_CHARS * 16, "characters")


def percent_formatted(form: Any, *values: Any, **named: Any) -> str:
    """``form % values`` where no field is wider than 99."""
    form = str(form)
    _filled_bounded(form, form.count("%"), values, named)
    if not _PERCENT.fullmatch(form):
        raise ValueError(f"{form[:40]!r} is no format here: %s, %d, %.1f, %05d and the like")
    return str(form % (named or values))


def formatted(form: str, *values: Any, **named: Any) -> str:
    """``form.format(…)`` of plain fields: ``{}``, ``{0}``, ``{name}``, each with a width below 100."""
    _filled_bounded(form, form.count("{"), values, named)
    if not _BRACES.fullmatch(form):
        raise ValueError(f"{form[:40]!r} is no format here: {{}}, {{0:.1f}}, {{name:>5}} and the like")
    return form.format(*values, **named)


def padded(method: str, text: str, width: int, fill: str = " ") -> str:
    """``zfill``, ``ljust``, ``rjust``, ``center`` to a bounded width."""
    _bounded(int(width), MAX_CHARS, "characters")
    made = getattr(str(text), method)
    return str(made(int(width)) if method == "zfill" else made(int(width), fill))


def stripped(method: str, text: str, what: str | None = None) -> str:
    """``strip``, ``lstrip``, ``rstrip``; each letter is looked for among those of ``what``."""
    letters = None if what is None else "".join(set(what))
    _bounded(len(letters or ""), MAX_STRIPPED, "letters to strip")
    return str(getattr(text, method)(letters))


def batches(values: Any, linecount: int, fill_with: Any = None) -> Iterator[list[Any]]:
    """jinja's ``batch`` with a bounded size."""
    _bounded(int(linecount), MAX_ITEMS, "items")
    return do_batch(values, linecount, fill_with)


def plus(left: Any, right: Any) -> Any:
    """``left + right``, bounded."""
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        _bounded(len(left) + len(right), MAX_CHARS if isinstance(left, str) else MAX_ITEMS, "parts")
    return left + right


ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": plus, "-": operator.sub, "*": multiply, "/": operator.truediv, "//": operator.floordiv, "%": modulo,
    "**": power,
}  # fmt: skip


def repeated(text: Any, width: Any = 4, first: bool = False, blank: bool = False) -> str:
    """jinja's ``indent`` with a bounded width."""
    pad = width if isinstance(width, str) else " " * min(int(width), 200)
    lines = str(text).split("\n")
    _bounded(sum(map(len, lines)) + (len(pad) + 1) * len(lines), MAX_CHARS, "characters")
    rest = [pad + line if line or blank else line for line in lines[1:]]
    return "\n".join([(pad if first else "") + lines[0], *rest])


def bounded_range(*args: int) -> range:
    """``range`` of at most ``MAX_ITEMS`` numbers."""
    made = range(*args)
    _bounded(len(made), MAX_ITEMS, "numbers")
    return made


def replaced(text: Any, old: str, new: str, count: int = -1) -> str:
    """``str.replace`` whose result is bounded before it is made."""
    text = str(text)
    found = text.count(old) if count < 0 else min(count, text.count(old))
    _bounded(len(text) + found * len(new), MAX_CHARS, "characters")
    return str(text.replace(old, new, count))


def joined(values: Any, between: str = "", *, most: int = MAX_ITEMS) -> str:
    """Texts of the values with ``between`` between them."""
    parts: list[str] = []
    between, length = str(between), 0
    for value in values:
        parts.append(text := str(value))
        length += len(text) + len(between)
        if length > MAX_CHARS + len(between) or len(parts) > most:
            raise TooCostly(f"a text of more than {MAX_CHARS} characters or {most} parts")
    return between.join(parts)


def formatted_time(moment: Any, form: str) -> str:
    """``datetime.strftime`` without widths."""
    if len(form) > MAX_TIME_FORM or not _STRFTIME.fullmatch(form):
        raise ValueError(f"{form[:40]!r} is no format of a time here")
    return str(moment.strftime(form))
