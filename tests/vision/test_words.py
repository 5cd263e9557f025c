"""Uncertain readings against lists of words: what the compiled search finds is what the definition says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.error import InvalidInput, NotFound
from hub.kernels.match import LONGEST
from hub.vision.words import WordList, Words

OTHER, GAP = 9.0, 4.0
Row = list[list[tuple[str, float]]]
WORDS = st.text("กขค12?", min_size=2, max_size=6)
COSTS = st.sampled_from((0.0, 0.25, 1.0, 3.0))
ROWS = st.lists(
    st.dictionaries(st.sampled_from("กขค12"), COSTS, min_size=1).map(lambda row: list(row.items())),
    min_size=2, max_size=6,
)  # fmt: skip


def cost(row: Row, word: str) -> float:
    """By the definition: letter by letter, or with one letter left out on either side."""
    if len(word) == len(row):
        places = zip(row, word, strict=True)
        return sum(0.0 if letter == "?" else dict(choices).get(letter, OTHER) for choices, letter in places)
    if len(word) == len(row) + 1:
        return GAP + min(cost(row, word[:at] + word[at + 1 :]) for at in range(len(word)))
    if len(word) == len(row) - 1:
        return GAP + min(cost(row[:at] + row[at + 1 :], word) for at in range(len(row)))
    return math.inf


@given(st.lists(WORDS, min_size=1, max_size=12), ROWS, st.sampled_from((0.5, 4.0, 9.5)))
def test_it_finds_what_the_definition_says(words: list[str], row: Row, bound: float) -> None:
    found = WordList(words).nearest(row, OTHER, GAP, bound, 64)
    wanted = {place: cost(row, word) for place, word in enumerate(words) if cost(row, word) <= bound}
    assert {place: round(spent, 4) for place, spent in found} == {n: round(spent, 4) for n, spent in wanted.items()}
    assert [spent for _, spent in found] == sorted(spent for _, spent in found)


def test_only_the_cheapest_are_kept() -> None:
    words = WordList(["กก1", "ขข1", "กข1", "ขก1", "กก2"])
    row = [[("ก", 0.0), ("ข", 2.0)], [("ก", 0.0), ("ข", 1.0)], [("1", 0.0)]]
    assert words.nearest(row, OTHER, GAP, 8.0, 3) == [(0, 0.0), (2, 1.0), (3, 2.0)]
    assert words.nearest(row, OTHER, GAP, 8.0, 64) == [(0, 0.0), (2, 1.0), (3, 2.0), (1, 3.0)]
    assert words.nearest([[("ก", 0.0)]], OTHER, GAP, 8.0, 3) == []  # one letter is no reading
    assert words.nearest(row * 5, OTHER, GAP, 8.0, 3) == []


@pytest.mark.parametrize("words", [["ก"], ["ก" * (LONGEST + 1)], ["".join(map(chr, range(500, 512)))] * 3 + [
    "".join(map(chr, range(start, start + 12))) for start in range(600, 900, 12)
]])  # fmt: skip
def test_what_is_no_list_is_refused(words: list[str]) -> None:
    with pytest.raises(InvalidInput, match="letters"):
        WordList(words)


def test_lists_come_and_go_by_name() -> None:
    lists = Words()
    ask = {"list": "w/plates", "read": [[["ก", 0.0]], [["1", 0.5]]], "other": OTHER, "gap": GAP, "bound": 1.0}
    with pytest.raises(NotFound):
        lists.nearest(ask, b"")
    lists.take({"list": "w/plates"}, "ก1\nก2".encode())
    assert lists.nearest(ask, b"") == {"found": [(0, 0.5)]}
    lists.take({"list": "w/plates"}, b"")
    with pytest.raises(NotFound):
        lists.nearest(ask, b"")
