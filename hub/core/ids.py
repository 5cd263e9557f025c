"""Ids and randomness from one place, so that one seed replays a shift."""

from __future__ import annotations

import hashlib
from random import Random, SystemRandom

from hub.core.clock import Clock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread aloud
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]  # two characters a look-up
_TIME = tuple(range(40, -1, -10))


class Ids:
    """Makes ids that sort by time: 48 bits of milliseconds and 80 random bits (the layout of a ULID)."""

    def __init__(self, clock: Clock, random: Random | None = None) -> None:
        self._clock = clock
        self.random = random or SystemRandom()
        self._at, self._prefix = -1, ""  # of the last id: many are made in one millisecond

    def new(self) -> str:
        """A new id of 26 characters."""
        at = int(self._clock.now() * 1000) & (1 << 48) - 1
        if at != self._at:
            self._at, self._prefix = at, "".join([_PAIRS[at >> shift & 1023] for shift in _TIME])
        value, pair = self.random.getrandbits(80), _PAIRS
        # one text, no list: an id is made for every event
        return (
            f"{self._prefix}{pair[value >> 70]}{pair[value >> 60 & 1023]}{pair[value >> 50 & 1023]}"
            f"{pair[value >> 40 & 1023]}{pair[value >> 30 & 1023]}{pair[value >> 20 & 1023]}"
            f"{pair[value >> 10 & 1023]}{pair[value & 1023]}"
        )

    def receipt(self) -> str:
        """A number that a citizen can read out: ``K7M-2QX``, one of 10⁹, from letters not to be misread."""
        return _spelt(self.random.getrandbits(30))


def receipt_of(key: str) -> str:
    """A receipt that is the same whenever the same thing (a webhook's event, a call) is told again."""
    return _spelt(int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) >> 2)


def _spelt(number: int) -> str:
    letters = "".join(_ALPHABET[number >> place & 31] for place in range(0, 30, 5)).upper()
    return f"{letters[:3]}-{letters[3:]}"
