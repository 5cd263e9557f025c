"""Windows: what they mean by the wall clock, and what is wrong with them in words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from plugins.red_box.windows import BadWindow, Slot, parse, running, slots

BANGKOK = ZoneInfo("Asia/Bangkok")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BANGKOK).timestamp()


def told(found: list[Slot]) -> list[str]:
    return [f"{datetime.fromtimestamp(one.start, BANGKOK):%d %H:%M}-{datetime.fromtimestamp(one.end, BANGKOK):%H:%M}"
            for one in found]  # fmt: skip


def test_every_two_hours_of_a_night() -> None:
    night = [parse("22:00-06:00/120")]
    assert told(slots(night, BANGKOK, at("2026-11-23 12:00"), at("2026-11-24 12:00"))) == [
        "23 22:00-00:00", "24 00:00-02:00", "24 02:00-04:00", "24 04:00-06:00",
    ]  # fmt: skip


def test_pieces_belong_to_the_time_in_which_they_end() -> None:
    night = [parse("22:00-06:00/120")]
    cut = at("2026-11-24 02:00")
    assert told(slots(night, BANGKOK, at("2026-11-24 00:00"), cut)) == ["24 00:00-02:00"]
    assert told(slots(night, BANGKOK, cut, at("2026-11-24 05:59"))) == ["24 02:00-04:00"]


def test_days_are_those_on_which_a_window_begins() -> None:
    friday = [parse("fri 20:00-04:00/240")]  # 27 November 2026
    found = slots(friday, BANGKOK, at("2026-11-22 00:00"), at("2026-11-30 00:00"))
    assert told(found) == ["27 20:00-00:00", "28 00:00-04:00"]


def test_the_last_piece_may_be_short_and_a_day_may_be_whole() -> None:
    whole = [parse("00:00-24:00/540")]
    assert told(slots(whole, BANGKOK, at("2026-11-23 00:00"), at("2026-11-24 00:00"))) == [
        "23 00:00-09:00", "23 09:00-18:00", "23 18:00-00:00",
    ]  # fmt: skip


def test_which_piece_runs() -> None:
    windows = [parse("22:00-06:00/120"), parse("23:00-23:30/30")]
    assert running(windows, BANGKOK, at("2026-11-23 21:59")) is None
    found = running(windows, BANGKOK, at("2026-11-23 23:10"))
    assert found is not None
    assert told([found]) == ["23 23:00-23:30"]
    assert running(windows, BANGKOK, at("2026-11-24 06:00")) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("every night", "'every night' is no window: write it as 22:00-06:00/120 or mon,fri 08:00-16:00/240"),
        ("25:00-06:00/60", "'25:00-06:00/60' holds a time that is none"),
        ("22:00-06:00/5", "'22:00-06:00/5': the minutes after the / are 15 to 1440"),
        ("mon,fry 22:00-06:00/60", "'fry' is no day: mon, tue, wed, thu, fri, sat, sun"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(BadWindow) as wrong:
        parse(text)
    assert str(wrong.value) == words
