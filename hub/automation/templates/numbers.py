"""Numbers in templates."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from typing import Any

from hub.automation.templates.bounds import MAX_BITS
from hub.automation.templates.forgiving import REQUIRED, or_default

_TRUE = frozenset({"1", "true", "yes", "on", "enable"})
_FALSE = frozenset({"0", "false", "no", "off", "disable"})
Function = Callable[..., Any]


def forgiving_float(value: Any, default: Any = REQUIRED) -> Any:
    """A number with fraction; ``default`` when it is none."""
    try:
        return float(value)
    except (ValueError, TypeError):
        return or_default("float", value, default)


def forgiving_int(value: Any, default: Any = REQUIRED, base: int = 10) -> Any:
    """A whole number; ``default`` when it is none."""
    try:
        if isinstance(value, str) and base != 10:
            return int(value, base) if len(value) <= MAX_BITS else or_default("int", value, default)
        return int(float(value))
    except (ValueError, TypeError, OverflowError):
        return or_default("int", value, default)


def forgiving_bool(value: Any, default: Any = REQUIRED) -> Any:
    """A truth value of the words true, yes, on, enable, 1 and their opposites, or of a number."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    return or_default("bool", value, default)


def rounded(value: Any, precision: int = 0, method: str = "common", default: Any = REQUIRED) -> Any:
    """Rounded to ``precision`` places: common, ceil, floor or half (to the next half)."""
    try:
        number, scale = float(value), 10.0**precision
        if method == "ceil":
            number = math.ceil(number * scale) / scale
        elif method == "floor":
            number = math.floor(number * scale) / scale
        elif method == "half":
            number = round(number * 2) / 2
        else:
            number = round(number, precision)
        return int(number) if precision == 0 else number
    except (ValueError, TypeError, OverflowError):
        return or_default("round", value, default)


def is_number(value: Any) -> bool:
    """Is it a finite number, or a text that is one?"""
    try:
        return math.isfinite(float(value))
    except (ValueError, TypeError):
        return False


def multiply(value: Any, amount: Any, default: Any = REQUIRED) -> Any:
    """``value * amount``, both as numbers."""
    try:
        return float(value) * amount
    except (ValueError, TypeError):
        return or_default("multiply", value, default)


def add(value: Any, amount: Any, default: Any = REQUIRED) -> Any:
    """``value + amount``, both as numbers."""
    try:
        return float(value) + amount
    except (ValueError, TypeError):
        return or_default("add", value, default)


def logarithm(value: Any, base: Any = math.e, default: Any = REQUIRED) -> Any:
    """To a base; the natural one without."""
    try:
        base_number = float(base)
    except (ValueError, TypeError):
        return or_default("log", base, default)
    try:
        return math.log(float(value), base_number)
    except (ValueError, TypeError, ZeroDivisionError):
        return or_default("log", value, default)


def _of_one(name: str, compute: Callable[[float], float]) -> Function:
    def function(value: Any, default: Any = REQUIRED) -> Any:
        try:
            return compute(float(value))
        except (ValueError, TypeError, OverflowError):
            return or_default(name, value, default)

    return function


def atan2(*args: Any, default: Any = REQUIRED) -> Any:
    """Of ``y, x`` or of one pair."""
    try:
        pair: tuple[Any, ...] = args
        if 1 <= len(args) <= 2 and isinstance(args[0], list | tuple):
            if len(args) == 2 and default is REQUIRED:
                default = args[1]
            pair = tuple(args[0])
        elif len(args) == 3:
            if default is REQUIRED:
                default = args[2]
            pair = args[:2]
        return math.atan2(float(pair[0]), float(pair[1]))
    except (ValueError, TypeError, IndexError):
        return or_default("atan2", args, default)


def _many(name: str, args: tuple[Any, ...], default: Any) -> tuple[list[Any], Any]:
    """The values of ``f(list)``, ``f(list, default)`` or ``f(a, b, …)``, and the default."""
    if not args:
        raise TypeError(f"{name} expected at least 1 argument, got 0")
    if isinstance(args[0], Iterable) and not isinstance(args[0], str):
        if len(args) > 1 and default is REQUIRED:
            default = args[1]
        return list(args[0]), default
    if len(args) == 1:
        raise TypeError(f"{type(args[0]).__name__!r} object is not iterable")
    return list(args), default


def _statistic(name: str, compute: Callable[[list[Any]], Any], *, as_numbers: bool) -> Function:
    def function(*args: Any, default: Any = REQUIRED) -> Any:
        values, instead = _many(name, args, default)
        try:
            return compute([float(value) for value in values] if as_numbers else values)
        except (ValueError, TypeError, statistics.StatisticsError):
            return or_default(name, values, instead)

    return function


def smallest(*values: Any) -> Any:
    """The least of a list or of the arguments."""
    return min(values) if len(values) > 1 else min(*values)


def largest(*values: Any) -> Any:
    """The greatest of a list or of the arguments."""
    return max(values) if len(values) > 1 else max(*values)


def summed(values: Any, start: Any = 0) -> Any:
    """The numbers of a list, added; ``attribute`` sums are left to ``map``."""
    return sum((value for value in values if isinstance(value, int | float)), start)


def clamp(value: Any, low: Any, high: Any) -> Any:
    """Not below ``low`` and not above ``high``."""
    return max(low, min(float(value), high))


# functions that are filters as well
BOTH: dict[str, Function] = {
    "float": forgiving_float, "int": forgiving_int, "bool": forgiving_bool, "round": rounded, "multiply": multiply,
    "add": add, "log": logarithm, "atan2": atan2, "min": smallest, "max": largest, "is_number": is_number,
    "average": _statistic("average", statistics.fmean, as_numbers=True),
    "median": _statistic("median", statistics.median, as_numbers=True),
    "statistical_mode": _statistic("statistical_mode", statistics.mode, as_numbers=False),
    "bitwise_and": lambda first, second: int(first) & int(second),
    "bitwise_or": lambda first, second: int(first) | int(second),
    "bitwise_xor": lambda first, second: int(first) ^ int(second), "clamp": clamp,
    **{
        name: _of_one(name, getattr(math, name))
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sqrt")
    },
}  # fmt: skip
CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf}
