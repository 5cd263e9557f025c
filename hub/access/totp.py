"""Time-based one-time passwords: RFC 6238 over RFC 4226, SHA-1, 30 s, 6 digits, as every authenticator app has them."""

from __future__ import annotations

import base64
import hmac
import struct
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
DRIFT = 1  # steps before and after now that are accepted: clocks differ, people type slowly


def code(secret: bytes, counter: int, digits: int = DIGITS) -> str:
    """The HOTP value of RFC 4226 section 5.3."""
    mac = hmac.digest(secret, struct.pack(">Q", counter), "sha1")
    offset = mac[-1] & 15
    value = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(value % 10**digits).zfill(digits)


def match(secret: bytes, given: str, now: float, last_used: int = -1) -> int | None:
    """The counter of the step whose code was given, or ``None``. Nothing at or before ``last_used`` is taken again."""
    step = int(now // STEP_S)
    found = None
    for counter in range(max(0, step - DRIFT), step + DRIFT + 1):
        if hmac.compare_digest(code(secret, counter).encode(), given.strip().encode()) and counter > last_used:
            found = counter
    return found


def uri(secret: bytes, account: str, issuer: str) -> str:
    """The ``otpauth://`` address that authenticator apps read from a QR code."""
    query = urlencode({"secret": encode(secret), "issuer": issuer, "digits": DIGITS, "period": STEP_S})
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"


def encode(secret: bytes) -> str:
    """Base 32 without padding, as people type it."""
    return base64.b32encode(secret).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The secret that ``encode`` wrote."""
    return base64.b32decode(text + "=" * (-len(text) % 8))
