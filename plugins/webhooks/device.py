"""What a request is: its signature, its body, and whether it came from the local network."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import parse_qsl

import orjson

MAX_BODY = 64 * 1024
MAX_DEPTH = 16  # far over what senders use, and a rule can still walk it
MAX_VALUES = 5_000
MAX_FIELDS = 200
WINDOW_S = 300  # how far the sender's clock may be from ours

# Loopback, private and link-local networks (RFC 1122, 1918, 3927, 4193, 4291).
_LOCAL = tuple(map(ip_network, (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
    "::1/128", "fc00::/7", "fe80::/10",
)))  # fmt: skip


class Bad(ValueError):
    """The sender is known, and the request is wrong: ``status`` of HTTP, and words that say what."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class Body:
    """What a body says: JSON or a form."""

    json: Any = None
    form: Mapping[str, str] = field(default_factory=dict)


def sign(secret: bytes, at: int, body: bytes) -> str:
    """The header ``X-Signature``: ``t=SECONDS,v1=HEX`` with HMAC-SHA256 (RFC 2104) over ``SECONDS.BODY``."""
    return f"t={at},v1={hmac.digest(secret, b'%d.' % at + body, hashlib.sha256).hex()}"


def signed_at(secret: bytes, header: str, body: bytes) -> int | None:
    """When it was signed; ``None`` when not by who knows the secret. Takes as long for either."""
    stamp = header.partition(",")[0].removeprefix("t=")
    at = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 else 0
    good = hmac.compare_digest(sign(secret, at, body).encode(), header.encode("utf-8", "replace"))
    return at if good else None


def same(secret: bytes, given: str) -> bool:
    """Is this the secret? In constant time."""
    return hmac.compare_digest(secret, given.encode("utf-8", "replace"))


def read_body(content_type: str, body: bytes) -> Body:
    """The body; ``Bad`` says what is wrong with it."""
    if len(body) > MAX_BODY:
        raise Bad(413, "limit", f"the body has {len(body)} bytes; at most {MAX_BODY} are taken")
    if not body:
        return Body()
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return Body(json=_json(body))
    if kind == "application/x-www-form-urlencoded":
        return Body(form=_form(body))
    words = f"the content type {kind[:60]!r} is not taken: send application/json or application/x-www-form-urlencoded"
    raise Bad(415, "invalid_input", words)


def _json(body: bytes) -> Any:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        raise Bad(400, "invalid_input", f"not JSON in UTF-8: {wrong}") from None
    count, level = 0, [value]
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_VALUES:
            raise Bad(400, "invalid_input", f"more than {MAX_VALUES} values")
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return value
    raise Bad(400, "invalid_input", f"nested deeper than {MAX_DEPTH} levels")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except UnicodeDecodeError:
        raise Bad(400, "invalid_input", "the form is not in UTF-8") from None
    except ValueError as wrong:
        raise Bad(400, "invalid_input", f"not a form: {str(wrong)[:100]}") from None
    return dict(pairs)


def is_local(remote: str) -> bool:
    """Does this address lie on loopback or in a private network?"""
    address = _address(remote)
    return address is not None and any(address in network for network in _LOCAL)


def sender_of(remote: str) -> str:
    """Who counts as one sender: an IPv4 address, or the /64 of an IPv6 one, which one line has whole (RFC 6177)."""
    address = _address(remote)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address or remote)


def _address(remote: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
