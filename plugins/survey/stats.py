"""Shares with intervals, weighted by community, and what they show.

Wilson's score interval (Wilson 1927; Brown, Cai and DasGupta 2001) at 95 %, on Kish's effective sample size
(Kish 1965, section 11.7) where communities answered unequally. No finite population correction: it would narrow the
interval as if the answers were drawn by lot, and people who choose to answer are not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Z: Final = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""
MIN_CELL: Final = 10
"""A group of fewer people than this is shown neither in numbers nor in shares."""

Verdict = Literal["met", "not_met", "cannot_tell"]
Direction = Literal["below", "at_least"]
METHOD: Final = "wilson_95"
METHOD_WEIGHTED: Final = "wilson_95_kish_by_community"


@dataclass(frozen=True, slots=True)
class Cell:
    """Answers of one group: ``hits`` of ``n`` are what is counted."""

    hits: int
    n: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A share and its 95 % interval, each 0 to 1."""

    low: float
    estimate: float
    high: float


def wilson(share: float, n: float) -> Interval:
    """The interval of a share among ``n`` answers (an effective number may be broken). ``n`` > 0."""
    square = Z * Z / n
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    return Interval(max(0.0, min(share, middle - half)), share, min(1.0, max(share, middle + half)))


def weighted(cells: Mapping[str, Cell], residents: Mapping[str, int]) -> tuple[float, float] | None:
    """The share of all residents, and Kish's effective number of answers: each answer of community h weighs
    N_h / n_h, so n_eff = (Σ N_h)² / Σ (N_h² / n_h). ``None`` while a community has no answer."""
    if any(cells.get(name, Cell(0, 0)).n == 0 for name in residents):
        return None
    people = sum(residents.values())
    share = sum(number * cells[name].hits / cells[name].n for name, number in residents.items()) / people
    spread = sum(number * number / cells[name].n for name, number in residents.items())
    return share, people * people / spread


def verdict(found: Interval, mark: float, direction: Direction) -> Verdict:
    """``below``: met when the whole interval is under the mark. ``at_least``: when none of it is. ``mark``: 0 to 1."""
    under, over = found.high < mark, found.low >= mark
    if direction == "below":
        return "met" if under else "not_met" if over else "cannot_tell"
    return "met" if over else "not_met" if under else "cannot_tell"


def hidden(cells: Mapping[str, Cell]) -> set[str]:
    """The groups that are not shown: those under ``MIN_CELL``, and when that is one alone the next smallest too,
    since it could be had by subtraction from the whole."""
    few = {name for name, cell in cells.items() if cell.n < MIN_CELL}
    if len(few) == 1 and len(cells) > 1:
        few.add(min((name for name in cells if name not in few), key=lambda name: (cells[name].n, name)))
    return few
