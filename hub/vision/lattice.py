"""From probabilities by column to what may stand on a plate: the characters one by one, each with its alternatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.vision.grammar import CONSONANTS, DIGITS

LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABET = DIGITS + CONSONANTS + LATIN
"""Class n of the reader is ``ALPHABET[n - 1]``; class 0 is none."""
_KEPT = 0.001
Columns = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Symbol:
    """One character: where it stands (columns, the last exclusive), and what it may be, likeliest first."""

    first: int
    last: int
    choices: tuple[tuple[str, float], ...]


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
    order = np.argsort(-shares)[:8]
    choices = tuple((ALPHABET[n], float(shares[n])) for n in order if shares[n] >= _KEPT)
    return Symbol(first, last, choices)
