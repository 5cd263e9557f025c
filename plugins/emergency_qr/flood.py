"""How much one phone, and all phones together, may send in: a report is written to disk and read by a person."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, IPv6Network, ip_address

from hub.sdk import Clock

MAX_REMOTES = 2_000
HEAVY, MODERATE = 10, 100  # times what one may send


def sender(remote: str) -> str:
    """Who counts as one phone: an IPv4 address, or the /64 of an IPv6 one, of which one line has 2⁶⁴ (RFC 4291)."""
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return remote
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))
    return str(address)


class Flood:
    """Token buckets: ``at_once`` things, then one every ``every_s`` seconds, a phone.

    All that have used up over half of theirs share ten such buckets, all others a hundred: some phones that send as
    fast as they may cannot take the others' turn.
    """

    def __init__(self, clock: Clock, at_once: float, every_s: float) -> None:
        self._clock, self._at_once, self._every_s = clock, at_once, every_s
        self._remotes: OrderedDict[str, tuple[float, float]] = OrderedDict()  # sender → what is left, since when
        self._all: dict[int, tuple[float, float]] = {}

    def take(self, remote: str) -> bool:
        """May it send one more? Counts it."""
        who = sender(remote)
        left = self._filled(self._remotes.pop(who, None), 1)
        self._remotes[who] = (left, self._clock.monotonic())
        while len(self._remotes) > MAX_REMOTES:
            self._remotes.popitem(last=False)
        if left < 1:
            return False
        share = MODERATE if left > self._at_once / 2 else HEAVY
        together = self._filled(self._all.get(share), share)
        self._all[share] = (together - 1 if together >= 1 else together, self._clock.monotonic())
        if together < 1:
            return False
        self._remotes[who] = (left - 1, self._clock.monotonic())
        return True

    def _filled(self, held: tuple[float, float] | None, share: int) -> float:
        """What is left in a bucket now."""
        most, now = self._at_once * share, self._clock.monotonic()
        return most if held is None else min(most, held[0] + (now - held[1]) / self._every_s * share)
