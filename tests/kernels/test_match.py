"""Words are passed over by groups: none that fits may be lost by that."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from hub.kernels.match import CODES, LONGEST, cost_of
from hub.vision.words import WordList

OTHER, GAP = 6.0, 2.5
LETTERS = "กขคงจ123"


def row(word: str) -> list[list[tuple[str, float]]]:
    """A read that doubts each letter a little."""
    return [[(letter, 0.1), (LETTERS[LETTERS.index(letter) - 1], 1.2)] for letter in word]


def each(words: list[str], read: str, bound: float) -> list[tuple[int, float]]:
    """Every word for itself, as the kernel counts one."""
    codes = {letter: at + 1 for at, letter in enumerate(LETTERS)}
    costs = np.full((len(read), CODES), OTHER, np.float32)
    for place, choices in enumerate(row(read)):
        for letter, cost in choices:
            costs[place, codes[letter]] = cost
    found = []
    for place, word in enumerate(words):
        packed = np.zeros(LONGEST, np.uint8)
        packed[: len(word)] = [codes[letter] for letter in word]
        cost = cost_of(packed, len(word), costs, np.float32(GAP), np.float32(bound))
        if cost <= bound:
            found.append((place, round(float(cost), 3)))
    return found


@pytest.mark.parametrize("bound", [1.0, 3.0, 9.0])
def test_the_groups_of_a_long_list_hide_no_word(bound: float) -> None:
    draw = Random(3)
    words = ["".join(draw.choices(LETTERS, k=draw.randint(2, 5))) for _ in range(4_000)]
    listed = WordList(words)
    count = 0
    for read in ("กข1", "ก12", "งจ123", "1กข12", "กก"):
        found = listed.nearest(row(read), OTHER, GAP, bound, 4_000)
        assert sorted((place, round(cost, 3)) for place, cost in found) == each(words, read, bound)
        count += len(found)
    assert count > 0


def test_a_letter_between_two_is_one_too_many() -> None:
    sure = [[("ก", 0.0)], [("3", 0.0)], [("1", 0.0)]]
    assert WordList(["ก1", "ข2"]).nearest(sure, OTHER, GAP, 3.0, 4) == [(0, GAP)]
    assert WordList(["ก31", "ข32"]).nearest([sure[0], sure[2]], OTHER, GAP, 3.0, 4) == [(0, GAP)]


def test_words_that_cost_the_same_come_as_they_are_listed() -> None:
    sure = [[("ก", 0.0)], [("1", 0.0)]]
    assert WordList(["ก1", "?1", "ก?", "ข1"]).nearest(sure, OTHER, GAP, 1.0, 4) == [(0, 0.0), (1, 0.0), (2, 0.0)]
    assert WordList([]).nearest(sure, OTHER, GAP, 1.0, 4) == []
