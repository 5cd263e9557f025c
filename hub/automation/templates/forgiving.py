"""Functions that take a default for values they cannot use, as Home Assistant's do."""

from __future__ import annotations

from typing import Any

REQUIRED: Any = object()


def or_default(name: str, value: Any, default: Any) -> Any:
    """The default; ``ValueError`` when there is none."""
    if default is REQUIRED:
        raise ValueError(f"{name} got {str(value)[:40]!r}, which it cannot use, and there is no default")
    return default
