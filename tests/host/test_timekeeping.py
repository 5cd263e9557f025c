"""A clock that nothing keeps right is said after a quarter of an hour, once."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from hub.cli import doctor
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
    answers: dict[str, bool | None] = {"kept": False}
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
    answers["kept"] = None  # it may not be asked: neither well nor an alarm, and said once
    assert await said(60) == ["adrift", "kept", "unknown"]
    assert await said(PATIENCE_S + 60) == ["adrift", "kept", "unknown"]
    await pipeline.stop()


@pytest.mark.parametrize(("answer", "is_kept"), [(0, True), (5, False), (-1, None)])
def test_what_the_kernel_answers(answer: int, is_kept: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept() in (True, False, None)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(adjtimex=lambda buffer: answer))
    assert kept() is is_kept


def test_the_doctor_says_that_it_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.host.timekeeping.kept", lambda: None)
    found = doctor.clock()
    assert (found.level, found.words.partition("; ")[2]) == ("warning", "whether it is kept right cannot be asked here")
