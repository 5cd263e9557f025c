"""Passwords and PINs: argon2id, the rules for a new one, and hashing off the loop with a limit."""

from __future__ import annotations

import secrets
import unicodedata
from itertools import pairwise

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from hub.core.apart import Apart
from hub.core.error import InvalidInput

SHORTEST = 10
LONGEST = 256
OF_ITS_OWN = 6  # characters that must be left when the account's name is taken out
PIN_SHORTEST, PIN_LONGEST = 6, 12
AT_ONCE = 2  # each takes 19 MiB and a core
WAITING = 32

# RFC 9106's m, t, p; above the least of the OWASP Password Storage Cheat Sheet for argon2id (19 MiB, 2, 1).
MEMORY_KIB, PASSES, LANES = 19_456, 3, 1


def canonical(secret: str) -> str:
    """One form for the same keys on different keyboards (NFKC)."""
    return unicodedata.normalize("NFKC", secret)


def check_password(password: str, name: str) -> None:
    """``InvalidInput`` unless the password may be used for that account."""
    password = canonical(password)
    if len(password) < SHORTEST:
        raise InvalidInput(
            f"the password has {len(password)} characters", where="password",
            hint=f"use at least {SHORTEST}: three words are good",
        )  # fmt: skip
    if len(password) > LONGEST:
        raise InvalidInput(f"the password is longer than {LONGEST} characters", where="password")
    if len(password.casefold().replace(canonical(name).casefold(), "")) < OF_ITS_OWN:
        raise InvalidInput(
            "the password is little more than the account's name", where="password", hint="choose other words"
        )


def check_pin(pin: str) -> None:
    """``InvalidInput`` unless it is 6 to 12 digits that are not all the same nor counted up or down."""
    if not (PIN_SHORTEST <= len(pin) <= PIN_LONGEST and pin.isascii() and pin.isdigit()):
        raise InvalidInput(f"a PIN is {PIN_SHORTEST} to {PIN_LONGEST} digits", where="pin")
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise InvalidInput("this PIN is guessed first", where="pin", hint="use digits without an order")


class Hasher:
    """argon2id with the hub's parameters. An unknown account costs the same time as a known one."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES) -> None:
        self._argon2 = PasswordHasher(passes, memory_kib, lanes, hash_len=32, salt_len=16, type=Type.ID)
        self._dummy = ""
        self._apart = Apart("too many people are signing in at once", most=WAITING, at_once=AT_ONCE)

    def hash(self, secret: str) -> str:
        """The encoded hash with its parameters and salt; about 50 ms."""
        return self._argon2.hash(canonical(secret))

    def verify(self, encoded: str | None, secret: str) -> bool:
        """Is it the secret? ``None`` (nobody has this name) takes as long and is ``False``."""
        if encoded is None:
            self._dummy = self._dummy or self.hash(secrets.token_hex())
        try:
            self._argon2.verify(encoded or self._dummy, canonical(secret[: LONGEST + 1]))
        except (VerificationError, InvalidHashError):
            return False
        return encoded is not None

    def outdated(self, encoded: str) -> bool:
        """Was it made with other parameters than today's?"""
        return self._argon2.check_needs_rehash(encoded)

    async def verify_async(self, encoded: str | None, secret: str) -> bool:
        """``verify`` in a thread, two at once; ``LimitExceeded`` when too many wait."""
        return await self._apart.run(lambda: self.verify(encoded, secret))
