"""From probabilities by column to the characters one by one, each with its alternatives: a plate's lattice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.vision.grammar import CONSONANTS, DIGITS

LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABET = DIGITS + CONSONANTS + LATIN
"""Class n of the reader is ``ALPHABET[n - 1]``; class 0 is none."""
_KEPT = 0.001
_MOST_CHOICES = 8
Columns = NDArray[np.float32]
Choices = tuple[tuple[str, float], ...]
"""What one character may be: (character, probability), likeliest first."""
Lattice = tuple[Choices, ...]


@dataclass(frozen=True, slots=True)
class Symbol:
    """One character: where it stands (columns, the last exclusive), and what it may be, likeliest first."""

    first: int
    last: int
    choices: Choices


def lattice(columns: Columns) -> Lattice:
    """What each character of a row may be. ``columns``: float32 (columns, classes), probabilities."""
    return tuple(symbol.choices for symbol in symbols(columns))


def symbols(columns: Columns) -> list[Symbol]:
    """The characters of a row. ``columns``: float32 (columns, classes), probabilities of each column.

    A character is a run of columns that are more something than nothing; one that is much wider than the others and
    changes its letter is two that touch.
    """
    runs = _runs(columns)
    if not runs:
        return []
    usual = float(np.median([last - first for first, last in runs]))
    parts = [part for run in runs for part in _parted(columns, run, usual)]
    return [made for first, last in parts if (made := _symbol(columns, first, last)) is not None]


def fused(rows: Sequence[tuple[Lattice, float]]) -> Lattice:
    """One lattice out of several pictures of a plate, each with its weight: of those with the usual number of
    characters, the weighted mean of the logarithms, character by character. Empty when there is none."""
    lengths: Counter[int] = Counter()
    for row, weight in rows:
        lengths[len(row)] += max(round(weight * 1000), 1)
    if not lengths:
        return ()
    usual = max(lengths, key=lambda length: lengths[length])
    kept = [(row, weight) for row, weight in rows if len(row) == usual]
    return tuple(_mean([(row[at], weight) for row, weight in kept]) for at in range(usual))


def _mean(seen: list[tuple[Choices, float]]) -> Choices:
    letters = {letter for choices, _ in seen for letter, _ in choices}
    whole = sum(weight for _, weight in seen) or 1.0
    logs = {
        letter: sum(weight * float(np.log(dict(choices).get(letter, _KEPT))) for choices, weight in seen) / whole
        for letter in letters
    }
    top = max(logs.values())
    powers = {letter: float(np.exp(value - top)) for letter, value in logs.items()}
    total = sum(powers.values())
    order = sorted(powers, key=lambda letter: -powers[letter])[:_MOST_CHOICES]
    return tuple((letter, share) for letter in order if (share := powers[letter] / total) >= _KEPT)


def _runs(columns: Columns) -> list[tuple[int, int]]:
    """Stretches where nothing is less likely than something."""
    filled = np.concatenate(([False], columns[:, 0] < 0.5, [False]))
    edges = np.flatnonzero(filled[1:] != filled[:-1])
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _parted(columns: Columns, run: tuple[int, int], usual: float) -> list[tuple[int, int]]:
    first, last = run
    if last - first <= max(1.6 * usual, 4.0):
        return [run]
    best = columns[first:last, 1:].argmax(axis=1)
    changes = [first + n for n in range(1, last - first) if best[n] != best[n - 1]]
    if not changes:
        return [run]
    middle = (first + last) / 2
    at = max(changes, key=lambda c: float(columns[c - 1 : c + 1, 0].max()) - 0.05 * abs(c - middle))
    return [*_parted(columns, (first, at), usual), *_parted(columns, (at, last), usual)]


def _symbol(columns: Columns, first: int, last: int) -> Symbol | None:
    """The likelihood of each letter over the columns, each as sure as it is of being something."""
    part = columns[first:last]
    weight = 1.0 - part[:, :1]
    if float(weight.sum()) < 0.6:  # a speck
        return None
    logs = (np.log(part[:, 1:] + 1e-6) * weight).sum(axis=0) / weight.sum()
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    order = np.argsort(-shares)[:_MOST_CHOICES]
    choices = tuple((ALPHABET[n], float(shares[n])) for n in order if shares[n] >= _KEPT)
    return Symbol(first, last, choices)
