"""A hub with one helper of each kind and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hub.sdk import ManualClock
from hub.testing import Harness, harness
from plugins.helpers.test_contract import CONFIG

HERE = Path(__file__).parent
BANGKOK = ZoneInfo("Asia/Bangkok")


def moment(text: str) -> float:
    """Seconds since 1970 of a time in the zone."""
    return datetime.fromisoformat(text).replace(tzinfo=BANGKOK).timestamp()


START = moment("2026-11-23 05:30:00")  # a Monday, half an hour before the market opens


class Desk:
    """A hub with the helpers and its clock."""

    def __init__(self, hub: Harness, clock: ManualClock) -> None:
        self.hub, self.clock = hub, clock

    def state(self, entity: str) -> str:
        """Its state."""
        held = self.hub.state(entity)
        return held.state if held is not None else "none"

    def about(self, entity: str) -> Mapping[str, Any]:
        """Its attributes."""
        held = self.hub.state(entity)
        return held.attributes if held is not None else {}

    async def do(self, action: str, target: str, **params: Any) -> str:
        """Ask for an action; "done", or why not."""
        outcome = await self.hub.call(action, target, params)
        return outcome.status if outcome.status == "done" else outcome.error["message"]  # type: ignore[index]

    async def forward(self, what: Callable[[], object], step: float = 1.0, within: float = 10.0) -> None:
        """Let the clock go on, a step for each turn of the loop, until ``what()`` is true."""
        async with asyncio.timeout(within):
            while not what():
                self.clock.advance(step)
                await turns()

    async def to(self, text: str) -> None:
        """Move the clock there, and let what is due be done."""
        await turns()
        self.clock.advance_to(moment(text) if " " in text else moment(f"2026-11-23 {text}"))
        await turns()


async def turns(count: int = 50) -> None:
    """Let everything that can go on without the clock go on."""
    for _ in range(count):
        await asyncio.sleep(0)


@asynccontextmanager
async def desk(clock: ManualClock | None = None, **changed: Any) -> AsyncIterator[Desk]:
    """A hub with the helpers of the contract, some of them changed."""
    clock = clock or ManualClock(START)
    async with harness(HERE, {**CONFIG, **changed}, clock=clock) as hub:
        made = Desk(hub, clock)
        await made.forward(lambda: hub.supervised.state == "running", 0.1)
        yield made
