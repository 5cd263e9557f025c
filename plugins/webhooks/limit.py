"""How often a hook may be asked: each request is an event on the disk and may start rules."""

from __future__ import annotations

from collections import OrderedDict

from hub.sdk import Clock

from .device import sender_of

TOGETHER = 4  # times what one sender may: one that sends as fast as it may leaves room for others
MAX_SENDERS = 1_000


class Limit:
    """Token buckets: ``per_minute`` requests of one sender at once and in each minute after, and of all together four
    times as many."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock, self._most = clock, float(per_minute)
        self._senders: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, since when
        self._all = (self._most * TOGETHER, clock.monotonic())

    def take(self, remote: str) -> bool:
        """May it send one more? Counts it."""
        now, who = self._clock.monotonic(), sender_of(remote)
        left = self._filled(self._senders.pop(who, (self._most, now)), self._most)
        together = self._filled(self._all, self._most * TOGETHER)
        good = left >= 1 and together >= 1
        self._senders[who] = (left - good, now)
        self._all = (together - good, now)
        if len(self._senders) > MAX_SENDERS:
            self._senders.popitem(last=False)
        return good

    def _filled(self, held: tuple[float, float], most: float) -> float:
        left, since = held
        return min(most, left + (self._clock.monotonic() - since) * most / 60)
