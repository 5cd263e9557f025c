"""The jobs of each minute: one that fails goes on and is told once; one that hangs holds up no other."""

from __future__ import annotations

import asyncio

from hub.core.clock import ManualClock
from hub.core.error import StorageFailed
from hub.core.system import Fault
from hub.host.sweep import SWEEP_S, Sweeper


async def test_whatever_fails_is_told_once_and_done_again() -> None:
    clock, told, done = ManualClock(), list[str](), list[str]()
    faults: list[Exception | None] = [OSError(5, "I/O error"), OSError(5, "I/O error"), None, OSError(5, "I/O error")]
    away = [StorageFailed("the journal is away")]

    async def weak() -> None:
        done.append("weak")
        if (fault := faults.pop(0)) is not None:
            raise fault

    async def hangs() -> None:
        done.append("hangs")
        await asyncio.Event().wait()

    def report(fault: Fault) -> None:
        if away:
            raise away.pop()
        told.append(f"{fault.where}: {fault.message}")

    task = asyncio.create_task(Sweeper(clock, {"hangs": hangs, "weak": weak}, report).run())
    counts = []
    for _ in range(4):
        for _ in range(20):
            await asyncio.sleep(0)
        clock.advance(SWEEP_S)
        for _ in range(20):
            await asyncio.sleep(0)
        counts.append(len(told))
    assert done == ["hangs", *["weak"] * 4]
    assert counts == [0, 1, 1, 2]  # the journal was away at first; it worked at the third turn
    assert told == ["weak: OSError: [Errno 5] I/O error"] * 2
    assert not task.done()
    task.cancel()
