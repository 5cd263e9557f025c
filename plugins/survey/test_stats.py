"""Shares, intervals and verdicts against published and hand-computed cases."""

from __future__ import annotations

import pytest

from plugins.survey.stats import Cell, Direction, Interval, hidden, verdict, weighted, wilson

RESIDENTS = {"ratchathani": 655, "pracha_ruam_jai": 665, "wichian_chamnong": 680}


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718),
    ],
)  # fmt: skip
def test_wilson_is_the_published_interval(hits: int, n: int, low: float, high: float) -> None:
    found = wilson(hits / n, n)
    assert (round(found.low, 4), round(found.high, 4), found.estimate) == (low, high, hits / n)


@pytest.mark.parametrize(
    ("hits", "low", "high", "said"),
    [  # n = 323, the sample for ±5 % of 2,000 residents: 38 % does not show "under 40 %", 34 % does
        (123, 33.0, 43.5, "cannot_tell"), (110, 29.1, 39.4, "met"), (160, 44.1, 55.0, "not_met"),
    ],
)  # fmt: skip
def test_fear_below_40_percent(hits: int, low: float, high: float, said: str) -> None:
    found = wilson(hits / 323, 323)
    assert (round(found.low * 100, 1), round(found.high * 100, 1)) == (low, high)
    assert verdict(found, 0.40, "below") == said


@pytest.mark.parametrize(
    ("low", "high", "direction", "said"),
    [
        (0.80, 0.90, "at_least", "met"), (0.7999, 0.90, "at_least", "cannot_tell"),
        (0.6, 0.80, "at_least", "cannot_tell"), (0.6, 0.7999, "at_least", "not_met"),
        (0.3, 0.3999, "below", "met"), (0.3, 0.40, "below", "cannot_tell"), (0.40, 0.5, "below", "not_met"),
        (0.3999, 0.5, "below", "cannot_tell"),
    ],
)  # fmt: skip
def test_the_edge_of_the_mark(low: float, high: float, direction: Direction, said: str) -> None:
    assert verdict(Interval(low, (low + high) / 2, high), 0.8 if direction == "at_least" else 0.4, direction) == said


def test_communities_weigh_as_many_people_as_live_there() -> None:
    """By hand: 0.5·655/2000 + 0.4·665/2000 + 0.2·680/2000 = 0.36475;
    n_eff = 2000² / (655²/50 + 665²/100 + 680²/150) = 4,000,000 / 16,085.4167 = 248.672."""
    cells = {"ratchathani": Cell(25, 50), "pracha_ruam_jai": Cell(40, 100), "wichian_chamnong": Cell(30, 150)}
    found = weighted(cells, RESIDENTS)
    assert found is not None
    share, effective = found
    assert share == pytest.approx(0.36475, abs=1e-12)
    assert effective == pytest.approx(248.672, abs=0.001)
    assert share != pytest.approx(95 / 300)  # what it would be without weights


def test_answers_in_proportion_lose_nothing_by_weighting() -> None:
    cells = {name: Cell(number // 10, number // 5) for name, number in RESIDENTS.items()}
    share, effective = weighted(cells, RESIDENTS) or (0.0, 0.0)
    assert (round(share, 6), round(effective, 6)) == (0.4975, 400.0)  # (325 + 330 + 340) of 2,000


def test_a_community_without_answers_cannot_be_weighted() -> None:
    assert weighted({"ratchathani": Cell(1, 10), "pracha_ruam_jai": Cell(1, 10)}, RESIDENTS) is None


def test_small_groups_are_hidden_and_never_alone() -> None:
    assert hidden({"a": Cell(1, 10), "b": Cell(3, 12), "c": Cell(3, 11)}) == set()
    assert hidden({"a": Cell(1, 9), "b": Cell(3, 12), "c": Cell(3, 11)}) == {"a", "c"}
    assert hidden({"a": Cell(1, 9), "b": Cell(1, 0), "c": Cell(3, 11)}) == {"a", "b"}
    assert hidden({"": Cell(1, 9)}) == {""}
