"""Slows down guessing: token buckets per account and address, and a delay that grows with failures and passes.

Nobody is locked out for good, and not from where they signed in before: otherwise anyone could keep an officer out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

from hub.core.clock import Clock
from hub.core.error import LimitExceeded

MAX_KEYS = 10_000
FREE_FAILURES = 4  # from the fifth failure in a row each costs a delay
FIRST_DELAY_S, LONGEST_DELAY_S = 2.0, 900.0
FORGET_AFTER_S = 86_400.0
PER_ACCOUNT = (10.0, 1 / 6)  # (attempts at once, attempts a second)
PER_ADDRESS = (30.0, 1 / 2)  # a station's desk shares one address

V = TypeVar("V")


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class _Failures:
    count: int = 0
    until: float = 0.0
    last: float = 0.0


class Throttle:
    """Bounded memory of attempts; the oldest is forgotten first. Runs on the loop thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def attempt(self, account: str, address: str) -> None:
        """Count an attempt before it is checked; ``LimitExceeded`` says how long to wait."""
        now = self._clock.now()
        failures = self._failures.get((account, address))
        if failures is not None and now < failures.until:
            raise _wait(failures.until - now)
        self._take(("address", address), PER_ADDRESS, now)
        self._take(self._account_key(account, address), PER_ACCOUNT, now)

    def failed(self, account: str, address: str) -> None:
        """It was wrong: from the fifth time on the next attempt from there waits, twice as long each time."""
        now = self._clock.now()
        failures = self._failures.get((account, address))
        if failures is None or now - failures.last > FORGET_AFTER_S:
            failures = _Failures()
        failures.count, failures.last = failures.count + 1, now
        if failures.count > FREE_FAILURES:
            doubled = FIRST_DELAY_S * 2.0 ** min(failures.count - FREE_FAILURES - 1, 30)
            failures.until = now + min(doubled, LONGEST_DELAY_S)
        _keep(self._failures, (account, address), failures)

    def succeeded(self, account: str, address: str) -> None:
        """It was right: forget the failures from there; this attempt does not count."""
        self._failures.pop((account, address), None)
        for key in (("address", address), self._account_key(account, address)):
            if key in self._buckets:
                self._buckets[key].tokens += 1
        _keep(self._known, (account, address), None)

    def _account_key(self, account: str, address: str) -> tuple[str, str]:
        # where the account signed in before, others' guessing from elsewhere does not count
        return ("pair", f"{account}\n{address}") if (account, address) in self._known else ("account", account)

    def _take(self, key: tuple[str, str], limit: tuple[float, float], now: float) -> None:
        size, rate = limit
        bucket = self._buckets.get(key) or _Bucket(size, now)
        bucket.tokens = min(size, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        _keep(self._buckets, key, bucket)
        if bucket.tokens < 1:
            raise _wait((1 - bucket.tokens) / rate)
        bucket.tokens -= 1


def _wait(seconds: float) -> LimitExceeded:
    whole = max(1, round(seconds + 0.5))
    return LimitExceeded("too many attempts to sign in", where="sign_in", hint=f"wait {whole} s and try again")


def _keep(table: OrderedDict[tuple[str, str], V], key: tuple[str, str], value: V) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MAX_KEYS:
        table.popitem(last=False)
