"""Words and data of plugins, looked at before they enter: JSON in UTF-8 (RFC 8259, 8.1), or they would spoil every
answer in which they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hub.core.error import InvalidInput

MAX_STEPS = 64


def check_data(value: Any, where: str) -> None:
    """``InvalidInput`` naming the field that is no JSON data in UTF-8 (half a surrogate pair, a number of over 64
    bits, an object)."""
    if (wrong := _refused(value)) is not None:
        raise InvalidInput(f"not JSON data in UTF-8: {wrong}", where=_place(value, where))


def plain(text: str) -> str:
    """The text with ``?`` for what UTF-8 cannot carry: for words that must not be lost because of it."""
    return text.encode("utf-8", "replace").decode()


def _refused(value: Any) -> TypeError | None:
    try:
        orjson.dumps(value, _mapping)
    except TypeError as wrong:
        return wrong
    return None


def _mapping(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON data")


def _place(value: Any, where: str) -> str:
    for _ in range(MAX_STEPS):
        if isinstance(value, Mapping):
            inner = next(((key, part) for key, part in value.items() if _refused({key: part}) is not None), None)
        elif isinstance(value, list | tuple):
            inner = next(((n, part) for n, part in enumerate(value) if _refused(part) is not None), None)
        else:
            inner = None
        if inner is None:
            break
        where, value = f"{where}.{plain(str(inner[0]))}", inner[1]
    return where
