"""Long work off the loop, in threads: so many at once, and so many that wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hub.core.error import LimitExceeded

T = TypeVar("T")


class Apart:
    """At most ``most`` works are in it, of which ``at_once`` run. ``busy``: words when one more is asked for."""

    def __init__(self, busy: str, *, most: int, at_once: int = 1) -> None:
        self._busy, self._most, self._in = busy, most, 0
        self._places = asyncio.Semaphore(at_once)

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` gives; ``LimitExceeded`` when too many wait for their turn."""
        if self._in >= self._most:
            raise LimitExceeded(self._busy, hint="try again in a few seconds")
        self._in += 1
        try:
            async with self._places:
                return await asyncio.to_thread(work)
        finally:
            self._in -= 1
