"""What a plate really shows, given what was read: known beforehand, and learned from what officers say of hits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from hub.sdk import InvalidInput

from .device import MAX_PLATE, UNSEEN, normal

ALIKE = ("ฎฏ", "ญณฌ", "ซชข", "ฑท", "คด", "ฐจ", "ฉน", "ฆม", "บป", "ผฝ", "พฟ")
"""Consonants that differ in one small stroke."""
ALIKE_DIGITS = ("08", "17", "38", "56", "68")
MISTAKEN, MISTAKEN_DIGIT, STRANGE = 0.025, 0.004, 0.002
"""Of the readings of a letter, those that show one that looks like it, and those that show any other at all."""
LETTERS = 52  # of plates: 42 consonants and ten digits
KNOWN = 15.0
"""How many officers' answers the known rates weigh as much as."""
MOST_SEEN = 1_000.0
OTHER, GAP = -math.log(STRANGE / LETTERS), -math.log(0.002)
"""Costs, in nats: of a letter of which nothing is known, and of one that was not read or read too much."""
_LEAST = 0.001

Row = list[list[tuple[str, float]]]
"""Of each letter of a reading what it may show, and at what cost in nats."""


def alike(letter: str) -> str:
    """The letters that look like it."""
    return "".join(group.replace(letter, "") for group in (*ALIKE, *ALIKE_DIGITS) if letter in group)


def _on_plates(letter: str) -> bool:
    return "ก" <= letter <= "ฮ" or letter.isascii()


class Rates:
    """How often each letter that was read showed which. Counts of letters only: no plate can be told from them."""

    def __init__(self, seen: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self._seen = {read: dict(shown) for read, shown in (seen or {}).items()}

    def as_data(self) -> dict[str, dict[str, float]]:
        """JSON form: how often each letter read was found to show which."""
        return self._seen

    def shows(self, read: str) -> dict[str, float]:
        """Probabilities of the letters that may stand where ``read`` was read."""
        mates, seen = alike(read), self._seen.get(read, {})
        mistaken = (MISTAKEN_DIGIT if read.isdigit() else MISTAKEN) if mates else 0.0
        known = {mate: mistaken / len(mates) for mate in mates}
        known[read] = 1 - mistaken - STRANGE
        whole = KNOWN + sum(seen.values())
        return {
            letter: (KNOWN * known.get(letter, STRANGE / LETTERS) + seen.get(letter, 0.0)) / whole
            for letter in {*known, *seen}
        }

    def learn(self, shown: str, read: str) -> None:
        """An officer saw what a reading showed. Only readings of the right length tell which letter was which."""
        if len(shown) != len(read):
            return
        for real, taken in zip(shown, read, strict=True):
            if not (_on_plates(real) and _on_plates(taken)):  # the table stays small
                continue
            counts = self._seen.setdefault(taken, {})
            counts[real] = counts.get(real, 0.0) + 1.0
            if sum(counts.values()) > MOST_SEEN:  # what is long ago counts for less
                self._seen[taken] = {letter: count / 2 for letter, count in counts.items()}

    def row(self, letters: Iterable[Mapping[str, float]]) -> Row:
        """The costs of what each letter may show, from the probabilities of what it was read as."""
        made: Row = []
        for readings in letters:
            shares: dict[str, float] = {}
            for read, probability in readings.items():
                for shown, share in self.shows(read).items():
                    shares[shown] = shares.get(shown, 0.0) + probability * share
            made.append([(letter, -math.log(share)) for letter, share in shares.items() if share > STRANGE / LETTERS])
        return made


def letters_of(data: Mapping[str, Any]) -> list[dict[str, float]]:
    """What each letter of a read plate was read as, with probabilities: as the reader tells, or else from its
    confidence and its alternatives. ``InvalidInput`` for what is no plate."""
    word = normal(str(data["plate"]))
    if not 2 <= len(word) <= MAX_PLATE:
        raise InvalidInput(f"{word!r} is no plate", where="plate")
    told: Sequence[Sequence[tuple[str, float]]] = data.get("lattice") or ()
    if len(told) == len(word):
        return [_shares(row) for row in told]
    sure = max(float(data.get("confidence", 1.0)), _LEAST)
    guesses = data.get("alternatives") or ()
    read = [(normal(one["series"] + one["number"]), float(one["confidence"])) for one in guesses]
    others = [(guess, share) for guess, share in read if len(guess) == len(word) and share > 0]
    whole = max(1.0, sure + sum(share for _, share in others))
    made: list[dict[str, float]] = []
    for place in range(len(word)):
        shares: dict[str, float] = {}
        for guess, share in chain([(word, sure)], others):
            shares[guess[place]] = shares.get(guess[place], 0.0) + share / whole
        if not others:  # the doubt is somewhere
            shares[word[place]] = sure ** (1 / len(word))
        made.append(shares)
    return made


def _shares(choices: Sequence[tuple[str, float]]) -> dict[str, float]:
    """As probabilities: together at most 1, whatever a camera says."""
    whole = max(1.0, sum(probability for _, probability in choices))
    shares: dict[str, float] = {}
    for letter, probability in choices:
        shares[normal(letter)] = shares.get(normal(letter), 0.0) + probability / whole
    return shares


def cost(row: Row, word: str) -> float:
    """What one listed plate costs; as the vision process counts it for all, but for letters too many or too few."""
    if len(row) != len(word):
        return math.inf
    places = zip(row, word, strict=True)
    return sum(0.0 if letter == UNSEEN else dict(choices).get(letter, OTHER) for choices, letter in places)
