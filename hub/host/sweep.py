"""The hub's small jobs of each minute. Each goes its own way: one that hangs or fails holds up no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from hub.core.clock import Clock
from hub.core.error import HubError
from hub.core.system import Fault
from hub.host.text import plain

log = logging.getLogger(__name__)

SWEEP_S = 60.0
MAX_WORDS = 500


class Sweeper:
    """``jobs`` by name; ``report`` tells an officer of one that failed, once until it does its work again."""

    def __init__(
        self, clock: Clock, jobs: Mapping[str, Callable[[], Awaitable[object]]], report: Callable[[Fault], None]
    ) -> None:
        self._clock, self._jobs, self._report = clock, jobs, report

    async def run(self) -> None:
        """Until it is cancelled."""
        await asyncio.gather(*(self._forever(name, job) for name, job in self._jobs.items()))

    async def _forever(self, name: str, job: Callable[[], Awaitable[object]]) -> None:
        told = ""
        while True:
            await self._clock.sleep(SWEEP_S)
            try:
                await job()
                told = ""
            except Exception as fault:  # whatever it is, the next turn may succeed
                log.exception("the job %s failed", name)
                words = plain(f"{type(fault).__name__}: {fault}")[:MAX_WORDS]
                told = told if words == told else self._tell(name, words)

    def _tell(self, name: str, words: str) -> str:
        """The words when they were taken; "" otherwise, to be told at the next turn."""
        try:
            self._report(Fault(where=name, message=words, hint="it is tried again each minute; see the hub's log"))
        except HubError:  # the journal is away
            return ""
        return words
