"""What is due when: the ends of timers and the changes of schedules, each at its moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hub.sdk import Clock, Event

Job = Callable[[], Awaitable[float | None]]
"""Does what is due now; when to come again, ``None``: not by itself."""

AGAIN_S = 0.5  # after a job that failed


class Agenda:
    """Wakes each job at its time. A job looks for itself whether anything is due, so to wake one too often is harmless,
    and one that failed is woken again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, tuple[float, Job]] = {}
        self._changed, self._begun = asyncio.Event(), asyncio.Event()

    def plan(self, name: str, when: float, job: Job) -> None:
        """Wake it at ``when``, unless it is woken before that anyway."""
        planned = self._due.get(name)
        if planned is None or when < planned[0]:
            self._due[name] = (when, job)
            self._changed.set()

    async def begin(self, _running: Event) -> None:
        """The rules are there: what ended while the hub was down may be told."""
        self._begun.set()

    async def run(self) -> None:
        """Do what is due, for ever."""
        await self._begun.wait()
        while True:
            self._changed.clear()
            await self._do_due()
            await self._rest()

    async def _do_due(self) -> None:
        now, failed = self._clock.now(), []
        for when, name in sorted((when, name) for name, (when, _) in self._due.items() if when <= now):
            job = self._due[name][1]
            try:
                again = await job()
            except Exception as fault:  # it is still due; the others do not wait for it
                failed.append(fault)
                continue
            if self._due[name][0] == when:
                del self._due[name]
            if again is not None:
                self.plan(name, again, job)
        if failed:
            raise failed[0]

    async def _rest(self) -> None:
        """Until the next is due, or another is."""
        if not self._due:
            await self._changed.wait()
            return
        timer = self._clock.call_at(min(when for when, _ in self._due.values()), self._changed.set)
        try:
            await self._changed.wait()
        finally:
            timer.cancel()
