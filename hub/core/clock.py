"""Time, injected: the machine's clock in service, a clock moved by hand in tests and replays.

All times in the hub are seconds since 1970-01-01 UTC as ``float``; only screens and templates know time zones.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not call; harmless when it was called or cancelled already."""


class Clock(Protocol):
    """Where every part of the hub asks for the time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, for measuring durations."""

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Call once on the loop when ``now()`` reaches ``when``; at the loop's next turn if that is past."""

    async def sleep(self, seconds: float) -> None:
        """Wait that long by this clock."""


class SystemClock:
    """The machine's clock."""

    # asyncio's timers run on the monotonic clock; after a step of the wall clock (NTP) a far timer would be off,
    # so no single wait is longer than this.
    _LONGEST_WAIT = 60.0

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Call once when the wall clock reaches ``when``."""
        return _WallTimer(when, call)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _WallTimer:
    __slots__ = ("_call", "_handle", "_when")

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self._when, self._call = when, call
        self._handle = self._schedule()

    def _schedule(self) -> asyncio.TimerHandle:
        wait = min(max(0.0, self._when - time.time()), SystemClock._LONGEST_WAIT)
        return asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        if time.time() >= self._when:
            self._call()
        else:
            self._handle = self._schedule()

    def cancel(self) -> None:
        self._handle.cancel()


class ManualClock:
    """A clock that stands still until ``advance``. The same calls in the same order give the same shift."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._due: list[tuple[float, int, _ManualTimer]] = []

    def now(self) -> float:
        """The time it was set to."""
        return self._now

    def monotonic(self) -> float:
        """The same."""
        return self._now

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Call when ``advance`` passes ``when``."""
        timer = _ManualTimer(call)
        heapq.heappush(self._due, (when, next(self._order), timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced that far."""
        done = asyncio.get_running_loop().create_future()
        self.call_at(self._now + seconds, lambda: None if done.done() else done.set_result(None))
        await done

    def advance(self, seconds: float) -> None:
        """Move the time forward and make the calls that fall due, in order, each at its own time."""
        self.advance_to(self._now + seconds)

    def advance_to(self, when: float) -> None:
        """Move the time to ``when``."""
        while self._due and self._due[0][0] <= when:
            due, _, timer = heapq.heappop(self._due)
            self._now = max(self._now, due)
            timer.fire()
        self._now = max(self._now, when)

    def next_due(self) -> float | None:
        """When the next call is due, or ``None``."""
        while self._due and self._due[0][2].cancelled:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None


class _ManualTimer:
    __slots__ = ("_call", "cancelled")

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def fire(self) -> None:
        if not self.cancelled:
            self.cancelled = True
            self._call()
