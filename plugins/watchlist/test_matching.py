"""Which entry a read may be: what doubts, provinces and officers' answers make of the probability."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from hub.sdk import HubError, TimedOut, Unavailable
from plugins.watchlist.confusion import KNOWN, MOST_SEEN, Rates, alike, letters_of
from plugins.watchlist.device import Entry, PlateIndex
from plugins.watchlist.matching import Match, Matching

HOME = "สุโขทัย"


class Away:
    """The comparison by a process that is not there, or does not answer."""

    def __init__(self, fault: HubError) -> None:
        self._fault = fault

    async def put(self, words: Mapping[str, str | None]) -> None:
        raise self._fault

    async def nearest(self, read: Any, **bounds: float) -> list[tuple[str, float]]:
        raise self._fault


def listed(*plates: str) -> PlateIndex:
    index = PlateIndex()
    for plate in plates:
        index.put(Entry(plate, plate, HOME, "r", "g", "o", "high", "a", 0.0, 2e9, approved_by="b"))
    return index


async def best(rates: Rates, read: str, alarm_at: float = 0.001, **more: Any) -> Match | None:
    matching = Matching(listed("1กญ1234"), Away(Unavailable("away", where="x")), rates, alarm_at)
    return await matching.best({"plate": read, "province": HOME} | more, 1.0)


@pytest.mark.parametrize("fault", [Unavailable("it restarts", where="x"), TimedOut("no answer", where="x")])
async def test_without_the_vision_process_one_error_and_parts_are_still_found(fault: HubError) -> None:
    index = listed("1กญ1234", "?ข12?4", "?ข9999")
    matching = Matching(index, Away(fault), Rates(), 0.01)
    found = await matching.best({"plate": "1กณ1234", "province": HOME}, 1.0)
    part = await matching.best({"plate": "กข1294", "province": HOME}, 1.0)
    assert found is not None and part is not None
    assert (found.entry.plate, found.kind, found.differs) == ("1กญ1234", "near", ("ญ↔ณ",))
    assert (part.entry.plate, part.kind, part.differs) == ("?ข12?4", "partial", ())
    index.drop("?ข12?4")
    assert await matching.best({"plate": "กข1294", "province": HOME}, 1.0) is None


async def test_answers_make_the_next_match_likelier_or_less_likely() -> None:
    rates = Rates()
    first = await best(rates, "1กณ1234")
    assert first is not None and first.probability == pytest.approx(0.025 / 2, rel=0.1)  # ญ and ฌ look like ณ
    rates.learn("5กญ7", "5กณ7")  # a correction of another plate
    more = await best(rates, "1กณ1234")
    assert more is not None and more.probability == pytest.approx((KNOWN * 0.0125 + 1) / (KNOWN + 1), rel=0.1)
    for _ in range(8):
        rates.learn("5กณ7", "5กณ7")  # rejected: it was as it was read
    less = await best(rates, "1กณ1234")
    assert less is not None and less.probability == pytest.approx((KNOWN * 0.0125 + 1) / (KNOWN + 9), rel=0.1)
    assert await best(rates, "1กณ1234", alarm_at=0.06) is None
    assert await best(Rates(rates.as_data()), "1กณ1234") == less  # what is kept is all of it


async def test_another_province_costs_and_one_that_was_not_read_costs_a_little() -> None:
    same, unknown, other = [await best(Rates(), "1กญ1234", province=name) for name in (HOME, "", "ตาก")]
    assert same is not None and unknown is not None and other is not None
    assert [unknown.probability / same.probability, other.probability / same.probability] == pytest.approx([0.5, 0.004])


def test_what_is_learned_stays_small_and_new_answers_count() -> None:
    rates = Rates()
    for _ in range(3_000):
        rates.learn("กก", "กก")
    for letter in "αβγ€ก็":
        rates.learn(f"ก{letter}", f"ก{letter}")
    assert list(rates.as_data()) == ["ก"]
    assert MOST_SEEN / 2 <= sum(rates.as_data()["ก"].values()) <= MOST_SEEN
    rates.learn("กขค", "กข")  # nobody knows which letter was which
    assert "ข" not in rates.as_data()


@pytest.mark.parametrize("letter", ["ญ", "ก", "8", "X", "0"])
def test_of_a_letter_all_that_it_may_show_is_one(letter: str) -> None:
    rates = Rates()
    assert sum(rates.shows(letter).values()) == pytest.approx(1.0, abs=0.003)
    for mate in alike(letter):
        rates.learn(mate, letter)
    assert sum(rates.shows(letter).values()) == pytest.approx(1.0, abs=0.003)


def test_a_camera_that_claims_too_much_is_cut_down() -> None:
    told = [[["ก", 1.0], ["ถ", 1.0]], [["๑", 0.5], ["1", 0.3]]]
    assert letters_of({"plate": "ก1", "lattice": told}) == [{"ก": 0.5, "ถ": 0.5}, {"1": 0.8}]
    costs = [cost for row in Rates().row(letters_of({"plate": "ก1", "lattice": told})) for _, cost in row]
    assert min(costs) > 0 and max(costs) < -math.log(1e-5)


def test_without_a_lattice_doubts_come_from_the_confidence_and_the_alternatives() -> None:
    other = {"series": "1ข", "number": "2", "confidence": 0.25}
    assert letters_of({"plate": "1ก2", "confidence": 0.75, "alternatives": [other]}) == [
        {"1": 1.0}, {"ก": 0.75, "ข": 0.25}, {"2": 1.0}
    ]  # fmt: skip
    assert letters_of({"plate": "1ก2", "confidence": 0.729}) == [
        {letter: pytest.approx(0.9)} for letter in "1ก2"
    ]  # fmt: skip
