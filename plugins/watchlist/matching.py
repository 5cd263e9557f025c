"""Which entry a read plate may be, and how likely.

The probability is that of the listed plate given the reading: of each letter what it may show (``Rates``), and the
province. It supposes that before the reading one plate was as likely as another: what that means for the alarms of a
shift shows ``tests/scenarios/test_watchlist_precision.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.sdk import InvalidInput, TimedOut, Unavailable, WordList

from .confusion import GAP, OTHER, Rates, Row, cost, letters_of
from .device import UNSEEN, Entry, PlateIndex, normal, same_province

UNKNOWN_PROVINCE, OTHER_PROVINCE = 0.5, 0.004
"""What is left of the probability when a province was not read or not listed, and when they differ."""

MOST_COMPARED = 64
"""Of the entries that a read may be: the same plate may be listed in many provinces."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a read plate may be. ``kind``: exact, near or partial; ``differs``: the letters as listed and as
    read, such as ``ญ↔ณ``."""

    entry: Entry
    kind: str
    probability: float
    differs: tuple[str, ...]


class Matching:
    """Compares read plates with the list: what is listed as it was read at once, all else by the vision process."""

    def __init__(self, index: PlateIndex, words: WordList, rates: Rates, alarm_at: float) -> None:
        self._index, self._words, self._rates, self._alarm_at = index, words, rates, alarm_at

    async def best(self, data: Mapping[str, Any], now: float) -> Match | None:
        """The likeliest active entry over the threshold."""
        try:
            row = self._rates.row(letters_of(data))
        except InvalidInput:  # a camera's own idea of a plate
            return None
        word, province = normal(str(data["plate"])), str(data.get("province", ""))
        exact = self._likeliest(self._index.exact(word), row, word, province, now)
        return exact or self._likeliest(await self._near(row, word), row, word, province, now)

    async def _near(self, row: Row, word: str) -> list[Entry]:
        try:
            found = await self._words.nearest(
                row, other=OTHER, gap=GAP, bound=-math.log(self._alarm_at), most=MOST_COMPARED
            )
        except (Unavailable, TimedOut):  # while the vision process starts anew: at most one error
            return [*self._index.near(word), *self._index.partial()]
        entries = (self._index.get(name) for name, _ in found)
        return [entry for entry in entries if entry is not None]

    def _likeliest(
        self, entries: Iterable[Entry], row: Row, word: str, province: str, now: float
    ) -> Match | None:
        matches = [self._match(entry, row, word, province) for entry in entries if entry.active(now)]
        best = max(matches, key=lambda match: match.probability, default=None)
        return best if best is not None and best.probability >= self._alarm_at else None

    @staticmethod
    def _match(entry: Entry, row: Row, word: str, province: str) -> Match:
        spent = cost(row, entry.plate) if len(entry.plate) == len(row) else _shifted(row, entry.plate)
        kind = "exact" if entry.plate == word else "partial" if UNSEEN in entry.plate else "near"
        differs = tuple(
            f"{listed}↔{read}" for listed, read in zip(entry.plate, word, strict=False)
            if listed not in (read, UNSEEN)
        ) if len(entry.plate) == len(word) else (f"{entry.plate}↔{word}",)  # fmt: skip
        if not entry.province or not province:
            share = UNKNOWN_PROVINCE
        else:
            share = 1.0 if same_province(entry.province, province) else OTHER_PROVINCE
        return Match(entry, kind, math.exp(-spent) * share, differs)


def _shifted(row: Row, word: str) -> float:
    """The cost of a plate with a letter more or less than was read: left out where that is cheapest."""
    if len(word) == len(row) + 1:
        rest = [cost(row, word[:at] + word[at + 1 :]) for at in range(len(word))]
    elif len(word) == len(row) - 1:
        rest = [cost(row[:at] + row[at + 1 :], word) for at in range(len(row))]
    else:
        return math.inf
    return min(rest) + GAP
