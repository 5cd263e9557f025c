"""Announcements that wait: the most urgent first, one at a time, and none for ever."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import AsyncIterator

from hub.capabilities import Priority
from hub.sdk import Expired, LimitExceeded

RANK = {Priority.CRITICAL: 0, Priority.HIGH: 1, Priority.NORMAL: 2, Priority.INFO: 3}


class Turns:
    """Who may speak next. ``longest``: how many may wait; ``patience_s``: how long each may."""

    def __init__(self, longest: int, patience_s: float) -> None:
        self._longest, self._patience_s = longest, patience_s
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._busy = False

    @property
    def busy(self) -> bool:
        """Is one being said?"""
        return self._busy

    @contextlib.asynccontextmanager
    async def turn(self, priority: Priority, where: str) -> AsyncIterator[None]:
        """Wait for one's turn and hold it. ``LimitExceeded`` when too many wait (a critical one displaces the last
        of the least urgent), ``Expired`` when it took too long."""
        await self._wait(priority, where)
        try:
            yield
        finally:
            self._next()

    async def _wait(self, priority: Priority, where: str) -> None:
        if not self._busy and not self._waiting:
            self._busy = True
            return
        if len(self._waiting) >= self._longest:
            self._displace(priority, where)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (RANK[priority], next(self._order), mine))
        try:
            async with asyncio.timeout(self._patience_s):
                await mine
        except TimeoutError:
            self._leave(mine)
            raise Expired(
                f"its turn did not come within {self._patience_s:g} s; the text was sent", where=where
            ) from None
        except BaseException:
            self._leave(mine)
            raise

    def _displace(self, priority: Priority, where: str) -> None:
        full = LimitExceeded(
            f"{self._longest} announcements wait already; the text was sent", where=where, hint="say it yourself"
        )
        last = max(self._waiting)
        if RANK[priority] >= last[0]:
            raise full
        self._waiting.remove(last)
        heapq.heapify(self._waiting)
        if not last[2].done():
            last[2].set_exception(full)

    def _leave(self, mine: asyncio.Future[None]) -> None:
        """Stop waiting; when the turn came at that very moment, pass it on."""
        held = mine.done() and not mine.cancelled() and mine.exception() is None
        self._waiting = [one for one in self._waiting if one[2] is not mine]
        heapq.heapify(self._waiting)
        if held:
            self._next()

    def _next(self) -> None:
        while self._waiting:
            _, _, waiting = heapq.heappop(self._waiting)
            if not waiting.done():
                self._busy = True
                waiting.set_result(None)
                return
        self._busy = False
