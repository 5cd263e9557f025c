"""How often something may happen."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from hub.core.clock import Clock

MAX_KEYS = 4_096


def network(remote: str) -> str:
    """The sender an address stands for: itself; of IPv6 the /64, which one subscriber has whole (RFC 6177)."""
    try:
        address = ipaddress.ip_address(remote.partition("%")[0])
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.ip_network((address, 64), strict=False))


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_second`` for long, ``burst`` at once."""

    per_second: float
    burst: float


class Buckets:
    """Token buckets by key; the least used key is forgotten first."""

    def __init__(self, clock: Clock, rate: Rate) -> None:
        self._clock, self._rate = clock, rate
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable) -> bool:
        """May one more pass now?"""
        now = self._clock.monotonic()
        left, since = self._left.pop(key, (self._rate.burst, now))
        left = min(self._rate.burst, left + (now - since) * self._rate.per_second)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > MAX_KEYS:
            self._left.popitem(last=False)
        return left >= 1
