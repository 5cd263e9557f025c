"""Signed words: single-use tokens that are printed, and the mark of one filled page.

What a token proves: that the hub made it for this form and round, and that it answers once. Not who answers: a sheet
can be passed on, and who prints sheets can answer with them, which is why each printing is an event.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from random import Random
from typing import Final

KEY_BYTES: Final = 32
TOKEN_BYTES: Final = 10  # random; as many of the signature follow
PAGE_LASTS_S: Final = 86_400


def _word(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _mac(key: bytes, *parts: str) -> bytes:
    return hmac.digest(key, "\x1f".join(parts).encode(), hashlib.sha256)


def make_token(key: bytes, form: str, round_: int, random: Random) -> str:
    """A new single-use token: 32 letters and digits (RFC 4648 base 32, small)."""
    body = random.randbytes(TOKEN_BYTES)
    return _word(body + _mac(key, "token", form, str(round_), body.hex())[:TOKEN_BYTES])


def read_token(key: bytes, form: str, round_: int, token: str) -> str:
    """The token in its one spelling; empty when it was not made for this form and round."""
    try:
        raw = base64.b32decode(token.encode("ascii").upper())  # of Unicode, ſ is an S too, and ı an I
    except ValueError:
        return ""
    body, sign = raw[:TOKEN_BYTES], raw[TOKEN_BYTES:]
    wanted = _mac(key, "token", form, str(round_), body.hex())[:TOKEN_BYTES]
    return _word(raw) if hmac.compare_digest(sign, wanted) else ""


def make_mark(key: bytes, form: str, now: float, random: Random) -> str:
    """The hidden mark of one page: sent twice, it counts once."""
    body = f"{int(now):x}.{random.getrandbits(64):016x}"
    return f"{body}.{_mac(key, 'page', form, body).hex()[:20]}"


def mark_holds(key: bytes, form: str, now: float, mark: str) -> bool:
    """Was it made for this form within the last day?"""
    made, _, rest = mark.partition(".")
    number, _, sign = rest.partition(".")
    wanted = _mac(key, "page", form, f"{made}.{number}").hex()[:20]
    if len(made) > 12 or not hmac.compare_digest(sign.encode(), wanted.encode()):
        return False
    return 0 <= now - int(made, 16) + 1 <= PAGE_LASTS_S


def digest(key: bytes, form: str, round_: int, what: str) -> str:
    """What is written down in place of the token, mark or device: it cannot be turned back without the hub's key."""
    return _mac(key, "once", form, str(round_), what).hex()[:32]
