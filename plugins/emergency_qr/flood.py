"""How much one phone, and all phones together, may send in: a report is written to disk and read by a person."""

from __future__ import annotations

from collections import OrderedDict

from hub.sdk import Clock

MAX_REMOTES = 2_000


class Flood:
    """Token buckets: ``at_once`` things, then one every ``every_s`` seconds, a remote; ten times that for all."""

    def __init__(self, clock: Clock, at_once: float, every_s: float) -> None:
        self._clock, self._at_once, self._every_s = clock, at_once, every_s
        self._remotes: OrderedDict[str, tuple[float, float]] = OrderedDict()  # remote → what is left, since when

    def take(self, remote: str) -> bool:
        """May it send one more? Counts it."""
        return self._one(remote, 1) and self._one("", 10)

    def _one(self, remote: str, share: float) -> bool:
        now, most = self._clock.monotonic(), self._at_once * share
        left, since = self._remotes.pop(remote, (most, now))
        left = min(most, left + (now - since) / self._every_s * share)
        allowed = left >= 1
        self._remotes[remote] = (left - 1 if allowed else left, now)
        while len(self._remotes) > MAX_REMOTES:
            self._remotes.popitem(last=False)
        return allowed
