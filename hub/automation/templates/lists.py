"""Lists and mappings in templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from random import Random
from typing import Any

from hub.automation.templates.bounds import MAX_ITEMS

Function = Callable[..., Any]


def iif(value: Any, if_true: Any = True, if_false: Any = False, *if_none: Any) -> Any:
    """One of two values, by a condition."""
    if value is None and if_none:
        return if_none[0]
    return if_true if value else if_false


def contains(value: Any, item: Any) -> bool:
    """Is the item in it?"""
    return item in value


def flatten(value: Any, levels: int | None = None) -> list[Any]:
    """Lists in lists as one, so many levels deep."""
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        raise TypeError(f"flatten expected a list, got {value!r}")
    found: list[Any] = []
    for item in islice(value, MAX_ITEMS):
        if isinstance(item, list | tuple | set) and levels != 0:
            found += flatten(item, None if levels is None else levels - 1)
        else:
            found.append(item)
    return found


def merged(*values: Any, recursive: bool = False) -> dict[Any, Any]:
    """Mappings as one, the later over the earlier."""
    made: dict[Any, Any] = {}
    for value in values:
        if not isinstance(value, Mapping):
            raise TypeError(f"combine expected mappings, got {type(value).__name__}")
        for key, item in value.items():
            both = recursive and isinstance(made.get(key), Mapping) and isinstance(item, Mapping)
            made[key] = merged(made[key], item, recursive=True) if both else item
    return made


def as_set(value: Any) -> set[Any]:
    """Each value once."""
    return set(islice(value, MAX_ITEMS))


def as_tuple(value: Any) -> tuple[Any, ...]:
    """The values as a tuple."""
    return tuple(islice(value, MAX_ITEMS))


def zipped(*values: Any) -> list[tuple[Any, ...]]:
    """Side by side."""
    return list(islice(zip(*values, strict=False), MAX_ITEMS // max(1, len(values)) + 1))


def typeof(value: Any) -> str:
    """The name of its kind."""
    return type(value).__name__


def chosen(random: Random) -> tuple[dict[str, Function], dict[str, Function]]:
    """``random`` and ``shuffle``, from one source so that a replay chooses the same."""

    def shuffled(*values: Any, seed: Any = None) -> list[Any]:
        found = list(values[0] if values and isinstance(values[0], list | tuple | range) else values)
        (Random(str(seed)) if seed is not None else random).shuffle(found)  # noqa: S311 - a choice, no secret
        return found

    def one(values: Any) -> Any:
        return random.choice(list(islice(values, MAX_ITEMS)))

    return {"shuffle": shuffled}, {"random": one, "shuffle": shuffled}


BOTH: dict[str, Function] = {
    "iif": iif, "contains": contains, "flatten": flatten, "set": as_set, "tuple": as_tuple, "zip": zipped,
    "typeof": typeof, "combine": merged,
    "symmetric_difference": lambda a, b: list(set(a) ^ set(b)), "difference": lambda a, b: list(set(a) - set(b)),
    "intersect": lambda a, b: list(set(a) & set(b)), "union": lambda a, b: list(set(a) | set(b)),
}  # fmt: skip
TESTS: dict[str, Callable[..., bool]] = {
    "list": lambda value: isinstance(value, list), "set": lambda value: isinstance(value, set),
    "tuple": lambda value: isinstance(value, tuple), "datetime": lambda value: isinstance(value, datetime),
    "string_like": lambda value: isinstance(value, str | bytes | bytearray), "contains": contains,
}  # fmt: skip
