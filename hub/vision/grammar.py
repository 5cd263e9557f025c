"""What may stand in the upper row of a Thai plate, and the likeliest such text under an engine's choices.

The grammar is that of the registration marks of the Vehicle Act's ministerial regulations for cars: an optional digit,
two consonants, and a number of one to four digits that does not begin with 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DIGITS = "0123456789"
CONSONANTS = "กขคฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ"
"""The 42 consonants in use; ฃ and ฅ are obsolete and stand on no plate."""
SERIES = re.compile(rf"[1-9]?[{CONSONANTS}]{{2}}")
NUMBER = re.compile(r"[1-9][0-9]{0,3}")

CONFUSED: tuple[str, ...] = ("ฎฏ", "ญณฌ", "ซชข", "ฑท", "คด", "ฐจ", "ฉน", "ฆม", "บป", "ผฝ", "พฟ")
"""Letters that differ in one small stroke: each is a possible reading of the others."""
_CONFUSION = 0.04
SWALLOWED: dict[str, str] = {
    "ข": "ชซ", "จ": "ฐ", "น": "ฉ", "ม": "ฆ", "ท": "ฑ", "ด": "ค", "ฎ": "ฏ", "ณ": "ฌ", "ง": "ฌ"
}  # fmt: skip
"""Letters that engines for printed text read, surely, where the narrow face of plates shows one of the others."""
_SWALLOWING = 0.4
_THAI_DIGITS = {ord(thai): latin for thai, latin in zip("๐๑๒๓๔๕๖๗๘๙", DIGITS, strict=True)}
_BEAM = 48
_SKIP = 0.02
"""Likelihood that a symbol of the engine is none (a screw, a speck)."""

Choices = list[tuple[str, float]]
"""The engine's readings of one symbol: (letter, likelihood 0..1), any order."""


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


def _widened(choices: Choices) -> dict[str, float]:
    """One symbol's letters, with those that are easily confused and Thai digits as Latin ones."""
    letters: dict[str, float] = {}
    for text, likelihood in choices:
        for letter in text.translate(_THAI_DIGITS)[:1]:
            letters[letter] = max(letters.get(letter, 0.0), min(max(likelihood, 0.002), 0.995))
    for letter, likelihood in list(letters.items()):
        for group in CONFUSED:
            for other in group if letter in group else "":
                letters[other] = max(letters.get(other, 0.0), likelihood * _CONFUSION)
        for other in SWALLOWED.get(letter, ""):
            letters[other] = max(letters.get(other, 0.0), likelihood * _SWALLOWING)
    return letters


def _next(place: int, letter: str) -> int | None:
    """Grammar: places 0 start, 1 after the digit, 2 and 3 after consonants, 4 to 7 after digits of the number."""
    if letter in CONSONANTS:
        return {0: 2, 1: 2, 2: 3}.get(place)
    if letter not in DIGITS or (letter == "0" and place in (0, 3)):
        return None
    return {0: 1, 3: 4, 4: 5, 5: 6, 6: 7}.get(place)


def readings(symbols: list[Choices], limit: int = 5, *, widen: bool = True) -> list[Reading]:
    """Grammatical readings of a row of symbols, likeliest first, by a beam over each symbol's choices. ``widen``: the
    engine is one for printed text, so that letters it confuses are choices too."""
    beam: dict[tuple[int, str], float] = {(0, ""): 1.0}
    for choices in symbols:
        grown: dict[tuple[int, str], float] = {}
        letters = _widened(choices) if widen else dict(choices)
        for (place, text), likelihood in beam.items():
            skipped = likelihood * _SKIP
            grown[place, text] = max(grown.get((place, text), 0.0), skipped)
            for letter, share in letters.items():
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
