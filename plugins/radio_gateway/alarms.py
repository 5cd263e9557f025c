"""Words on the radio that call for help, and a guard against floods of text."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

LOOKED_AT = 500  # characters of a text that are searched
KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Call:
    """A call for help in a text."""

    kind: str
    callsign: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Words to listen for; the named group ``callsign`` says who."""

    kind: str
    regex: re.Pattern[str]


class Calls:
    """Finds calls for help; the same one again within ``quiet_s`` is one call."""

    def __init__(self, patterns: list[Pattern], quiet_s: float) -> None:
        self._patterns, self._quiet_s = patterns, quiet_s
        self._seen: dict[tuple[str, str], float] = {}

    def find(self, text: str, sender: str, now: float) -> Call | None:
        """The call in a text, when it is a new one. Without a callsign it is the sender's own."""
        for pattern in self._patterns:
            if (match := pattern.regex.search(text[:LOOKED_AT])) is not None:
                callsign = (match.groupdict().get("callsign") or sender).strip().upper()[:60]
                call = Call(pattern.kind, callsign)
                return call if self._new(call, now) else None
        return None

    def _new(self, call: Call, now: float) -> bool:
        key = (call.kind, call.callsign)
        fresh = now - self._seen.get(key, float("-inf")) >= self._quiet_s
        if fresh:
            self._seen.pop(key, None)
            self._seen[key] = now
            while len(self._seen) > KEPT:
                del self._seen[next(iter(self._seen))]
        return fresh


class Guard:
    """At most ``burst`` reports of one sender within ``window_s`` pass; the rest is counted, and said aloud."""

    def __init__(self, burst: int = 20, window_s: float = 10.0) -> None:
        self._burst, self._window_s = burst, window_s
        self._times: dict[str, deque[float]] = {}
        self._told = 0
        self._sender, self._last = "", float("-inf")
        self.dropped = 0

    def passes(self, sender: str, now: float) -> bool:
        """Is this one still within the limit?"""
        times = self._times.setdefault(sender, deque())
        while times and now - times[0] >= self._window_s:
            times.popleft()
        if len(times) >= self._burst:
            self.lost(sender, now)
            return False
        times.append(now)
        if len(self._times) > KEPT:
            del self._times[next(iter(self._times))]
        return True

    def lost(self, sender: str, now: float) -> None:
        """One of this sender was not reported."""
        self.dropped, self._sender, self._last = self.dropped + 1, sender, now

    @property
    def trouble(self) -> str:
        """What is wrong, in words; empty when nothing is."""
        if not self.dropped:
            return ""
        return f"too much at once by {self._sender}: {self.dropped} were not reported; calls for help were"

    def changed(self, now: float) -> bool:
        """Is there something new to say of it? A flood that is over is forgotten."""
        if self.dropped and now - self._last >= 2 * self._window_s:
            self.dropped = 0
        told, self._told = self._told, self.dropped
        return told != self.dropped
