"""A long list is taken up without holding up the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from hub.sdk import Context, ManualClock
from plugins.watchlist.device import Entry
from plugins.watchlist.entries import AT_ONCE, EntryBook


class Kept:
    """The list as it was kept, and the words that are compared."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries
        self.words: dict[str, str | None] = {}

    async def all(self) -> dict[str, Any]:
        return {entry.id: entry.as_data() for entry in self._entries}

    async def put(self, words: Mapping[str, str | None]) -> None:
        self.words |= words


def entry(number: int, approved_by: str | None) -> Entry:
    return Entry(f"w{number}", f"กข{number}", "", "r", "g", "o", "high", "a", 0.0, 2e9, approved_by=approved_by)


async def test_others_have_their_turn_while_a_long_list_is_taken_up() -> None:
    kept = Kept([entry(number, None if number % 10 == 0 else "b") for number in range(4 * AT_ONCE)])
    ctx = SimpleNamespace(clock=ManualClock(), records=lambda name: kept, words=lambda name: kept)
    book, sizes = EntryBook(cast("Context", ctx), 7200.0, 180), set[int]()
    load = asyncio.create_task(book.load())
    while not load.done():
        sizes.add(len(book.index))
        await asyncio.sleep(0)
    await load
    assert {0, AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE} <= sizes
    assert len(book.index) == 4 * AT_ONCE
    assert len(kept.words) == 4 * AT_ONCE * 9 // 10 and "w10" not in kept.words  # what nobody approved is not compared
