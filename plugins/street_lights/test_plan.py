"""Levels by time alone."""

from __future__ import annotations

from datetime import datetime

import pytest

from plugins.street_lights.plan import BANGKOK, Limits, Plan, Schedule, Wish


def at(text: str) -> float:
    return datetime.fromisoformat(f"{text}+07:00").timestamp()


SUKHOTHAI = Schedule(17.0079, 99.8228, on_offset_min=-10, off_offset_min=10, level_pct=80)


def test_the_sun_over_sukhothai() -> None:
    """By hand for 23 November: declination -20.2°, equation of time 13.6 min, so solar noon at 12:07.1 local time;
    cos H = (sin h - sin φ sin δ) / (cos φ cos δ) gives H = 84.47° for h = -0.833° and 90.23° for h = -6°."""
    night, day = SUKHOTHAI.now(at("2026-11-23T02:00")), SUKHOTHAI.now(at("2026-11-23T12:00"))
    assert night is not None and day is not None
    assert (night.level_pct, day.level_pct, day.since) == (80, 0, night.until)
    assert night.since == pytest.approx(at("2026-11-22T17:58"), abs=120)  # dusk 18:08, ten minutes before
    assert night.until == pytest.approx(at("2026-11-23T06:16"), abs=120)  # dawn 06:06, ten minutes after
    assert day.until == pytest.approx(at("2026-11-23T17:58"), abs=120)
    sun = Schedule(17.0079, 99.8228, "sunset", 0, "sunrise", 0).now(at("2026-11-23T02:00"))
    assert sun is not None
    assert sun.since == pytest.approx(at("2026-11-22T17:45"), abs=120)
    assert sun.until == pytest.approx(at("2026-11-23T06:29"), abs=120)


def test_each_moment_of_a_year_has_one_level_and_it_changes_twice_a_day() -> None:
    now, changes = at("2026-01-01T12:00"), 0
    for _ in range(365):
        for _ in range(2):
            moment = SUKHOTHAI.now(now)
            assert moment is not None and moment.since <= now < moment.until < now + 86_400
            now, changes = moment.until, changes + 1
    assert abs(now - at("2027-01-01T06:00")) < 86_400 and changes == 730


def test_where_the_sun_does_not_set_there_is_no_schedule() -> None:
    assert Schedule(78.2, 15.6).now(at("2026-06-21T12:00")) is None


def test_wishes_end_and_the_schedule_takes_over_what_it_changed_since() -> None:
    begin = at("2026-11-23T17:00")
    boost = Wish(100, begin + 3600, "user:a", "", "k")
    plan = Plan(base=0, base_at=begin - 60, boost=boost)
    assert plan.wanted() == (100, "boost")
    dusk = plan.scheduled(80, begin + 1800)
    assert (dusk.wanted(), dusk.at(begin + 3600).wanted()) == ((100, "boost"), (80, "base"))
    held = Plan(base=80, base_at=begin, boost=boost, override=Wish(0, begin + 60, "user:b", "repair", "k2"))
    assert held.wanted() == (0, "override")
    assert held.at(begin + 61).wanted() == (100, "boost")
    assert held.scheduled(10, begin - 1) is held  # somebody asked since then
    assert Plan.from_data(held.done("x").as_data()) == held.done("x")
    assert len(Plan(keys=tuple("abcdefgh")).done("i").keys) == 8


@pytest.mark.parametrize(
    ("clock", "why", "allowed", "limit"),
    [
        ("21:59", "base", 90, "max_brightness_pct"), ("22:00", "base", 30, "quiet_max_pct"),
        ("04:59", "base", 30, "quiet_max_pct"), ("05:00", "base", 90, "max_brightness_pct"),
        ("23:00", "boost", 90, "max_brightness_pct"), ("23:00", "override", 90, "max_brightness_pct"),
    ],
)  # fmt: skip
def test_limits(clock: str, why: str, allowed: float, limit: str) -> None:
    limits = Limits(max_brightness_pct=90, quiet_from="22:00", quiet_to="05:00", quiet_max_pct=30)
    assert limits.level(100, why, at(f"2026-11-23T{clock}"), BANGKOK) == (allowed, limit)
    assert limits.level(20, why, at(f"2026-11-23T{clock}"), BANGKOK) == (20, None)
