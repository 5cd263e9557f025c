"""Long reading of texts, off the loop: 256 KB of rules cost seconds of the processor, and anybody who may read rules
may have such a text checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hub.core.error import LimitExceeded

WAITING = 16

T = TypeVar("T")


class Apart:
    """One thread's work at a time, for the whole hub: two would only share the processor."""

    def __init__(self, waiting: int = WAITING) -> None:
        self._turn = asyncio.Lock()
        self._waiting, self._most = 0, waiting

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` gives; ``LimitExceeded`` when too many wait for their turn."""
        if self._waiting >= self._most:
            raise LimitExceeded("too many texts are being checked at once", hint="try again in a few seconds")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
