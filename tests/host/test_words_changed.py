"""A list that changes while the process is being sent what it was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from hub.host.vision import Vision
from hub.host.wordlists import HostWordList

READ = [[("1", 0.0)], [("ก", 0.0)]]


@dataclass
class Slow:
    """A process that takes a list when it is let, and answers with all of it."""

    sent: list[list[str]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def process(self) -> Slow:
        return self

    async def ask(self, verb: str, args: dict[str, Any], blob: bytes = b"", *, limit: float) -> SimpleNamespace:
        if verb == "words":
            self.came.set()
            await self.let.wait()
            self.sent.append(blob.decode().split("\n"))
        found = [[place, 0.0] for place, _ in enumerate(self.sent[-1])]
        return SimpleNamespace(header={"result": {"found": found}})


async def test_what_is_added_while_the_list_is_sent_is_in_the_next_look() -> None:
    slow = Slow()
    words = HostWordList(cast("Vision", slow), "watchlist/plates")
    await words.put({"a": "1ก"})
    async with asyncio.timeout(10):
        first = asyncio.create_task(words.nearest(READ, other=9.0, gap=5.0, bound=2.0))
        await slow.came.wait()
        await words.put({"b": "1ข"})
        slow.let.set()
        assert await first == [("a", 0.0)]
        assert await words.nearest(READ, other=9.0, gap=5.0, bound=2.0) == [("a", 0.0), ("b", 0.0)]
        assert slow.sent == [["1ก"], ["1ก", "1ข"]]


async def test_words_that_are_put_again_as_they_are_are_not_sent_again() -> None:
    slow = Slow()
    slow.let.set()
    words = HostWordList(cast("Vision", slow), "watchlist/plates")
    for _ in range(2):  # as when an entry is approved: its plate stays
        await words.put({"a": "1ก", "gone": None})
        await words.nearest(READ, other=9.0, gap=5.0, bound=2.0)
    assert slow.sent == [["1ก"]]
