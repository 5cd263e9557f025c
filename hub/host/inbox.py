"""The events that wait for one instance's handlers: a bounded line, served in order by one task."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from hub.core.event import Event, EventTypes, Lane
from hub.sdk.context import Handler

SIZE = 1_000


class Inbox:
    """At most ``SIZE`` waiting. When it is full the oldest telemetry goes first, emergencies last."""

    def __init__(self, types: EventTypes, on_overflow: Callable[[], None], size: int = SIZE) -> None:
        self._types, self._on_overflow, self._size = types, on_overflow, size
        self._line: deque[tuple[Handler, Event]] = deque()
        self._ready, self._roomy = asyncio.Event(), asyncio.Event()
        self._told = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._line)

    def put(self, handler: Handler, event: Event) -> None:
        """Let it wait."""
        if len(self._line) >= self._size:
            self._drop_one()
        self._line.append((handler, event))
        self._ready.set()

    async def take(self) -> tuple[Handler, Event]:
        """The next."""
        while not self._line:
            self._ready.clear()
            await self._ready.wait()
        if len(self._line) < self._size // 2:
            self._told = False
            self._roomy.set()
        return self._line.popleft()

    async def room(self, most: int) -> None:
        """Wait until at most ``most`` are waiting."""
        while len(self._line) > most:
            self._roomy.clear()
            await self._roomy.wait()

    def _drop_one(self) -> None:
        for lane in (Lane.TELEMETRY, Lane.NORMAL, Lane.EMERGENCY):
            index = next((i for i, (_, event) in enumerate(self._line) if self._lane(event) is lane), None)
            if index is not None:
                del self._line[index]
                break
        self.dropped += 1
        if not self._told:
            self._told = True
            self._on_overflow()

    def _lane(self, event: Event) -> Lane:
        kind = self._types.get(event.type)
        return kind.lane if kind else Lane.NORMAL
