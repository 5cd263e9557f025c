"""What may stand in the upper row of a Thai plate, and the likeliest such text under a reader's choices.

The grammar is that of the registration marks of the Vehicle Act's ministerial regulations for cars: an optional digit,
two consonants, and a number of one to four digits that does not begin with 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

DIGITS = "0123456789"
CONSONANTS = "กขคฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ"
"""The 42 consonants in use; ฃ and ฅ are obsolete and stand on no plate."""
SERIES = re.compile(rf"[1-9]?[{CONSONANTS}]{{2}}")
NUMBER = re.compile(r"[1-9][0-9]{0,3}")

CONFUSED: tuple[str, ...] = ("ฎฏ", "ญณฌ", "ซชข", "ฑท", "คด", "ฐจ", "ฉน", "ฆม", "บป", "ผฝ", "พฟ")
"""Letters that differ in one small stroke."""
_BEAM = 48
_SKIP = 0.02
"""Likelihood that a symbol is none (a screw, a speck)."""

Choices = Sequence[tuple[str, float]]
"""The readings of one symbol: (letter, likelihood 0..1), any order."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One grammatical reading.

    ``fit`` is the mean likelihood of its symbols: low where the text is no plate's. ``likelihood`` is its share of all
    grammatical readings times the fit of the best: low also where one letter could be many.
    """

    series: str
    number: str
    likelihood: float
    fit: float


def _next(place: int, letter: str) -> int | None:
    """Grammar: places 0 start, 1 after the digit, 2 and 3 after consonants, 4 to 7 after digits of the number."""
    if letter in CONSONANTS:
        return {0: 2, 1: 2, 2: 3}.get(place)
    if letter not in DIGITS or (letter == "0" and place in (0, 3)):
        return None
    return {0: 1, 3: 4, 4: 5, 5: 6, 6: 7}.get(place)


def readings(symbols: Sequence[Choices], limit: int = 5) -> list[Reading]:
    """Grammatical readings of a row of symbols, likeliest first, by a beam over each symbol's choices."""
    beam: dict[tuple[int, str], float] = {(0, ""): 1.0}
    for choices in symbols:
        grown: dict[tuple[int, str], float] = {}
        for (place, text), likelihood in beam.items():
            skipped = likelihood * _SKIP
            grown[place, text] = max(grown.get((place, text), 0.0), skipped)
            for letter, share in choices:
                after = _next(place, letter)
                if after is not None:
                    key = (after, text + letter)
                    grown[key] = max(grown.get(key, 0.0), likelihood * share)
        beam = dict(sorted(grown.items(), key=lambda item: -item[1])[:_BEAM])
    whole = [(text, likelihood) for (place, text), likelihood in beam.items() if place >= 4]
    total = sum(likelihood for _, likelihood in whole)
    if not whole:
        return []
    count = max(len(symbols), 1)
    fit = whole[0][1] ** (1.0 / count)
    found = []
    for text, likelihood in whole[:limit]:
        cut = max(i for i, letter in enumerate(text) if letter in CONSONANTS) + 1
        own = likelihood ** (1.0 / count)
        found.append(Reading(text[:cut], text[cut:], likelihood / total * fit, own))
    return found
