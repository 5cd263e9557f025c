"""Hours over midnight in Bangkok and in a zone that changes its clocks; hand-computed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from plugins.duty_roster.times import Pattern, Slot, buddhist, following, running, slot_key, span, today

BANGKOK = ZoneInfo("Asia/Bangkok")
DAY = date(2026, 11, 23)


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_day_shift_and_one_over_midnight() -> None:
    assert span(DAY, "08:00", "20:00", BANGKOK) == (utc("2026-11-23 01:00"), utc("2026-11-23 13:00"))
    assert span(DAY, "20:00", "08:00", BANGKOK) == (utc("2026-11-23 13:00"), utc("2026-11-24 01:00"))
    assert span(DAY, "00:00", "24:00", BANGKOK) == (utc("2026-11-22 17:00"), utc("2026-11-23 17:00"))
    assert span(DAY, "08:00", "08:00", BANGKOK) == (utc("2026-11-23 01:00"), utc("2026-11-24 01:00"))


def test_a_night_in_which_the_clocks_change_is_an_hour_longer() -> None:
    begin, end = span(date(2026, 10, 24), "20:00", "08:00", ZoneInfo("Europe/Berlin"))
    assert end - begin == 13 * 3600


def test_the_date_is_that_of_the_station() -> None:
    assert today(utc("2026-11-22 16:59"), BANGKOK) == date(2026, 11, 22)
    assert today(utc("2026-11-22 17:00"), BANGKOK) == DAY


def slot(hours: tuple[str, str], name: str) -> Slot:
    pattern = Pattern(name, name, name, *hours)
    return Slot(slot_key(DAY, name), DAY, pattern, *span(DAY, *hours, BANGKOK), ())


def test_which_shift_runs_to_the_second() -> None:
    day, night = slot(("08:00", "20:00"), "day"), slot(("20:00", "08:00"), "night")
    late = slot(("19:00", "21:00"), "late")
    assert running([day, night], utc("2026-11-23 00:59:59")) is None
    assert running([day, night], utc("2026-11-23 01:00")) == day
    assert running([day, night], utc("2026-11-23 12:59:59")) == day
    assert running([day, night], utc("2026-11-23 13:00")) == night
    assert running([day, night], utc("2026-11-23 23:30")) == night  # 06:30 of the day after
    assert running([day, late, night], utc("2026-11-23 12:30")) == late
    assert following([day, night], utc("2026-11-23 01:00")) == night
    assert following([day, night], utc("2026-11-23 13:00")) is None


def test_times_are_written_as_people_write_them() -> None:
    assert buddhist(utc("2026-11-23 13:05"), BANGKOK) == "23/11/2569 20:05 น."
