"""Lists of words, as of plates that are looked for, and the words that an uncertain reading may show.

Here because compiled code lives in this process alone; the lists are the hub's, which sends them again when this
process starts anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.core.error import InvalidInput, NotFound
from hub.kernels import match

MOST_WORDS = 200_000
MOST_FOUND = 64
UNSEEN = "?"
Places = NDArray[np.int32]


class WordList:
    """Words of ``match.SHORTEST`` to ``match.LONGEST`` letters; ``?`` is a letter that nobody saw."""

    def __init__(self, words: Sequence[str]) -> None:
        if len(words) > MOST_WORDS:
            raise InvalidInput(f"{len(words)} words are more than {MOST_WORDS}", where="words")
        letters = sorted({letter for word in words for letter in word} - {UNSEEN})
        if len(letters) >= match.CODES - 1 or any(not match.SHORTEST <= len(word) <= match.LONGEST for word in words):
            raise InvalidInput("a word is too short or too long, or there are too many letters", where="words")
        self._codes = {UNSEEN: match.ANY, **{letter: at + 1 for at, letter in enumerate(letters)}}
        rows = np.zeros((len(words), match.LONGEST), np.uint8)
        lengths = np.array([len(word) for word in words], np.uint8)
        for row, word in zip(rows, words, strict=True):
            row[: len(word)] = [self._codes[letter] for letter in word]
        self._places, self._heads, self._firsts = _groups(np.column_stack([lengths, rows[:, :2]]))
        self._words, self._lengths = rows[self._places], lengths[self._places]
        last = self._lengths.astype(np.int64)[:, None] + np.array([-2, -1])
        ends = np.take_along_axis(self._words, last, 1)
        self._order, self._tails, self._parts = _groups(np.column_stack([self._lengths, ends]))

    def nearest(
        self, read: Sequence[Sequence[tuple[str, float]]], other: float, gap: float, bound: float, most: int
    ) -> list[tuple[int, float]]:
        """(place in the list, cost) of the words that cost at most ``bound``, cheapest first. ``read``: of each letter
        what it may be and at what cost; what is not named costs ``other``."""
        if not match.SHORTEST <= len(read) <= match.LONGEST:
            return []
        costs = np.full((len(read), match.CODES), other, np.float32)
        costs[:, match.ANY] = 0
        for place, choices in enumerate(read):
            for letter, cost in choices:
                if letter in self._codes and letter != UNSEEN:
                    costs[place, self._codes[letter]] = cost
        found, found_costs = np.empty(most, np.int32), np.empty(most, np.float32)
        kept = np.empty(len(self._words), np.int32)
        count = match.nearest(
            self._words, self._lengths, self._heads, self._firsts, self._tails, self._parts, self._order, costs,
            np.float32(gap), np.float32(bound), kept, found, found_costs,
        )  # fmt: skip
        near = [(int(self._places[found[n]]), float(found_costs[n])) for n in range(count)]
        return sorted(near, key=lambda one: (one[1], one[0]))


def _groups(keys: NDArray[np.uint8]) -> tuple[Places, NDArray[np.uint8], Places]:
    """Rows by their three bytes: their places group by group, the bytes of each group, and where each begins, with the
    end of the last."""
    order = np.lexsort(keys.T[::-1])
    sorted_keys = keys[order]
    begins = np.flatnonzero(np.append(len(keys) > 0, (sorted_keys[1:] != sorted_keys[:-1]).any(axis=1)))
    return order.astype(np.int32), sorted_keys[begins], np.append(begins, len(keys)).astype(np.int32)


class Words:
    """All lists by name; answers the calls ``words`` and ``nearest``."""

    def __init__(self) -> None:
        self._lists: dict[str, WordList] = {}

    def take(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """A whole list, one word a line; none takes it away."""
        words = blob.decode().split("\n") if blob else []
        if words:
            self._lists[str(args["list"])] = WordList(words)
        else:
            self._lists.pop(str(args["list"]), None)
        return {}

    def nearest(self, args: dict[str, Any], _: bytes) -> dict[str, Any]:
        """See ``WordList.nearest``."""
        known = self._lists.get(str(args["list"]))
        if known is None:
            raise NotFound("this list was not sent", where="list")
        most = min(max(int(args.get("most", 16)), 1), MOST_FOUND)
        other, gap, bound = (float(args[name]) for name in ("other", "gap", "bound"))
        return {"found": known.nearest(args["read"], other, gap, bound, most)}
