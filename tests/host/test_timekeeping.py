"""A clock that nothing keeps right is said after a quarter of an hour, once."""

from __future__ import annotations

from hub.core.clock import ManualClock
from hub.core.event import EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal, Query
from hub.core.pipeline import Pipeline
from hub.core.system import SYSTEM_TYPES
from hub.host.timekeeping import PATIENCE_S, Timekeeping, kept


async def test_adrift_after_a_quarter_of_an_hour_and_kept_again_at_once() -> None:
    clock, journal = ManualClock(), MemoryJournal()
    pipeline = Pipeline(journal, EventTypes(SYSTEM_TYPES), clock, Ids(clock))
    await pipeline.start()
    answers = {"kept": False}
    keeping = Timekeeping(pipeline, lambda: answers["kept"])

    async def said(after: float) -> list[str]:
        clock.advance(after)
        keeping.look()
        await pipeline.settled()
        return [event.data["state"] for event in journal.read(Query(type="clock_changed"))]

    assert await said(0) == []
    assert await said(PATIENCE_S - 1) == []
    assert await said(2) == ["adrift"]
    assert await said(600) == ["adrift"]
    answers["kept"] = True
    assert await said(60) == ["adrift", "kept"]
    assert await said(60) == ["adrift", "kept"]
    await pipeline.stop()


def test_the_kernel_answers() -> None:
    assert kept() in (True, False)
