"""JSON for browsers, also of what orjson refuses: one odd character in one entity must not blind the whole board."""

from __future__ import annotations

import json
from typing import Any

import orjson


def encoded(data: Any) -> bytes:
    """JSON (RFC 8259). Half a surrogate pair is escaped, a number of over 64 bits stands as it is; ``TypeError`` for
    what is no JSON data at all."""
    try:
        return orjson.dumps(data)
    except TypeError:
        return json.dumps(data).encode()
