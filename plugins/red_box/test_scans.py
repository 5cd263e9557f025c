"""The log of visits beside what happens while it waits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hub.sdk import Context, ManualClock

from .boxes import BoxBook
from .conftest import at
from .device import Box
from .scans import ScanLog
from .settings import Settings


class Kept(dict[str, Any]):
    """Records that last as long as the test."""

    async def put(self, key: str, value: Any) -> None:
        self[key] = value

    async def delete(self, key: str) -> None:
        self.pop(key, None)


async def test_a_box_that_is_removed_while_the_log_looks_is_passed_over() -> None:
    clock, records = ManualClock(at("2026-11-23 23:50")), {"scans": Kept(), "looked": Kept()}
    told: list[tuple[str, str]] = []

    async def emit(data: Any, entity: str) -> None:
        told.append((type(data).type.name, entity))
        if removing and entity == "checkpoint.rb1":
            gone = removing.pop()
            del book.boxes[gone.id]
            await log.forget(gone)

    async def state(entity: str) -> None:
        return None

    ctx = cast(Context, SimpleNamespace(
        clock=clock, records=records.get, documents=lambda name: None, emit=emit, state=state
    ))  # fmt: skip
    book = BoxBook(ctx, ["22:00-00:00/120"])
    log = ScanLog(ctx, book, Settings())
    removing: list[Box] = []
    for name in ("rb1", "rb2", "rb3"):
        book.boxes[name] = Box(name, name, name, 17.0, 99.8, 40.0, (), "secret", simulated=False)
        await log.begin(book.boxes[name])
    told.clear()
    removing.append(book.boxes["rb2"])
    clock.advance_to(at("2026-11-24 00:15"))
    await log.look()
    assert {entity for kind, entity in told if kind == "checkpoint_missed"} == {"checkpoint.rb1", "checkpoint.rb3"}
    assert "checkpoint.rb2" not in {entity for kind, entity in told if kind == "checkpoint_coverage"}
    assert set(records["looked"]) == {"rb1", "rb3"}
