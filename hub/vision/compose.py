"""What a plate's characters say together: a Thai registration under its grammar, or a line of Latin letters."""

from __future__ import annotations

import math

from hub.vision import grammar
from hub.vision.grammar import DIGITS
from hub.vision.lattice import LATIN, Choices, Lattice
from hub.vision.reader import PlateText

MIN_FIT = 0.35
"""Least mean likelihood of the characters: below it the picture shows no plate."""
LATIN_LENGTHS = range(4, 10)
_OTHERS = 4
_WORTH = 0.02  # what is less likely, such as the same plate without a digit, only fills an officer's screen


def registration(characters: Lattice, province: str) -> PlateText | None:
    """The likeliest Thai registration; ``None`` when the characters form none."""
    found = grammar.readings(characters)
    if not found or found[0].fit < MIN_FIT:
        return None
    best, *others = found
    confidence = sure(best.likelihood)
    shares = _shares(confidence, [one.likelihood for one in others])
    return PlateText(
        best.series, best.number, province, confidence,
        tuple(PlateText(one.series, one.number, province, share)
              for one, share in zip(others, shares, strict=True) if share >= _WORTH),
        characters,
    )  # fmt: skip


def one_line(characters: Lattice) -> PlateText | None:
    """The likeliest line of Latin letters and digits, as on neighbours' plates: all of it is the number.

    Its alternatives differ in one character each.
    """
    rows = [[choice for choice in choices if choice[0] in DIGITS + LATIN] for choices in characters]
    rows = [row for row in rows if row]
    text = "".join(row[0][0] for row in rows)
    if len(rows) not in LATIN_LENGTHS or not any(letter in DIGITS for letter in text):
        return None
    likelihood = math.prod(row[0][1] for row in rows)
    if likelihood ** (1 / len(rows)) < MIN_FIT:
        return None
    seconds = sorted(((row[1][1] / row[0][1], at) for at, row in enumerate(rows) if len(row) > 1), reverse=True)
    confidence, seconds = sure(likelihood), seconds[:_OTHERS]
    shares = _shares(confidence, [ratio for ratio, _ in seconds])
    others = tuple(
        PlateText("", text[:at] + rows[at][1][0] + text[at + 1 :], "", share)
        for (_, at), share in zip(seconds, shares, strict=True) if share >= _WORTH
    )  # fmt: skip
    return PlateText("", text, "", confidence, others, tuple(map(_tuple, rows)))


def _shares(confidence: float, likelihoods: list[float]) -> list[float]:
    """What the best reading leaves, shared by likelihood: all readings together are never over 1."""
    whole = sum(likelihoods)
    return [(1 - confidence) * one / whole for one in likelihoods] if whole > 0 else []


def _tuple(row: list[tuple[str, float]]) -> Choices:
    return tuple(row)


_SLOPE, _LIFT = 0.566, 1.783


def sure(likelihood: float) -> float:
    """How often a reading of such a likelihood is right: 0..1, fitted by ``training.plates evaluate --fit``."""
    odds = math.log(max(likelihood, 1e-6)) - math.log(max(1 - likelihood, 1e-6))
    return 1 / (1 + math.exp(-(_SLOPE * odds + _LIFT)))
