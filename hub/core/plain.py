"""Values as JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 50
MAX_WORDS = 1_000


def plain(value: Any, depth: int = 0) -> Any:
    """JSON data of any value: keys are texts, a tuple or set is a list, and what has no such form is told in words."""
    if value is None or isinstance(value, str | int | float):
        return value
    if depth < MAX_DEPTH and isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if depth < MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth + 1) for item in value]
    return str(value)[:MAX_WORDS]
