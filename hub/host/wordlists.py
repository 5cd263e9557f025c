"""Lists of words that uncertain readings are compared with: kept here, compared by the vision process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hub.core.error import InvalidInput, LimitExceeded, Unavailable
from hub.sdk.context import Choices

if TYPE_CHECKING:
    from hub.host.process import Child
    from hub.host.vision import Vision

MOST_WORDS = 100_000
LENGTHS = range(2, 13)
SEND_WITHIN_S, FIND_WITHIN_S = 20.0, 5.0


class HostWordList:
    """One list of an instance. The process that compares may end at any time: the next one is sent all of it."""

    def __init__(self, vision: Vision | None, name: str) -> None:
        self._vision, self._name = vision, name
        self._words: dict[str, str] = {}
        self._sent: list[str] = []  # the names, by their place in what the process has
        self._process: Child | None = None
        self._changes, self._sent_at = 0, 0  # counted, because a word may be put while the list is under way
        self._turn = asyncio.Lock()

    async def put(self, words: Mapping[str, str | None]) -> None:
        """See ``WordList``."""
        for name, word in words.items():
            if self._words.get(name) == word:
                continue
            if word is None:
                del self._words[name]
            elif len(word) not in LENGTHS or not word.isprintable():
                raise InvalidInput(f"{word!r} has not 2 to 12 letters", where=name)
            elif name not in self._words and len(self._words) >= MOST_WORDS:
                raise LimitExceeded(f"more than {MOST_WORDS} words", where=self._name)
            else:
                self._words[name] = word
            self._changes += 1

    async def nearest(
        self, read: Choices, *, other: float, gap: float, bound: float, most: int = 16
    ) -> list[tuple[str, float]]:
        """See ``WordList``."""
        if not self._words or len(read) not in LENGTHS:
            return []
        if self._vision is None:
            raise Unavailable("there is no vision process to compare words", where=self._name)
        args = {"list": self._name, "read": read, "other": other, "gap": gap, "bound": bound, "most": most}
        async with self._turn:
            process = await self._vision.process()
            if process is not self._process or self._sent_at != self._changes:
                self._process, self._sent_at, self._sent = None, self._changes, list(self._words)
                blob = "\n".join(self._words.values()).encode()
                await process.ask("words", {"list": self._name}, blob, limit=SEND_WITHIN_S)
                self._process = process
            answer = await process.ask("nearest", args, limit=FIND_WITHIN_S)
        return [(self._sent[place], cost) for place, cost in answer.header["result"]["found"]]
