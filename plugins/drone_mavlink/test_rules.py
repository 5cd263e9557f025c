"""The checks before a flight, at their edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plugins.drone_mavlink.rules import (
    BANGKOK,
    Authorisation,
    Checks,
    Fence,
    Flight,
    Hours,
    Refusal,
    Rules,
    inside,
)

CENTER = (17.0079, 99.8228)
CITED = "Ministry of Transport notification on remotely piloted aircraft, B.E. 2558 (2015), with CAAT's conditions"


def permit(id: str = "day", **changed: Any) -> Authorisation:
    given = {"id": id, "title": {"th": "ใบอนุญาต", "en": f"Permit {id}"}, "source": f"CAAT {id}",
             "valid_from": "2026-01-01", "valid_until": "2026-12-31"}  # fmt: skip
    return Authorisation.model_validate(given | changed)


def thai(text: str) -> float:
    """Seconds since the epoch of a Thai local time."""
    return datetime.fromisoformat(text).replace(tzinfo=BANGKOK).timestamp()


def checks(*permits: Authorisation, **changed: Any) -> Checks:
    made = Checks(Rules(), Fence(center=CENTER, radius_m=900), permits, 30.0)
    return replace(made, **changed)


NOON = Flight(thai("2026-06-15T12:00"), CENTER, 40.0, True, True, 90.0)


def refused(found: Authorisation | Refusal) -> Refusal:
    assert isinstance(found, Refusal)
    return found


def test_a_flight_that_passes_names_its_permit() -> None:
    assert checks(permit("past", valid_until="2026-05-31"), permit("day")).judge(NOON) == permit("day")


def test_the_first_check_that_fails_is_told_in_order() -> None:
    flight = replace(NOON, now=thai("2027-06-15T12:00"), place=(17.1, 99.8), altitude_m=90.5, linked=False, fixed=False,
                     battery_pct=29.9)  # fmt: skip
    made, seen = checks(permit()), []
    better: list[dict[str, Any]] = [
        {"linked": True}, {"fixed": True}, {"now": thai("2026-06-15T19:00")}, {"now": NOON.now}, {"place": CENTER},
        {"altitude_m": 90.0}, {"battery_pct": 30.0},
    ]  # fmt: skip
    for change in better:
        seen.append(refused(made.judge(flight)).check)
        flight = replace(flight, **change)
    assert seen == ["link", "link", "authorisation", "hours", "fence", "altitude", "battery"]
    assert made.judge(flight) == permit()


def test_each_refusal_says_why_and_where_the_rule_stands() -> None:
    told = [
        checks().judge(NOON),
        checks(permit(valid_until="2026-06-14")).judge(NOON),
        checks(permit(valid_from="2026-06-16")).judge(NOON),
        checks(permit()).judge(replace(NOON, now=thai("2026-06-15T18:00"))),
        checks(permit(hours="20:00-22:00")).judge(NOON),
        checks(permit()).judge(replace(NOON, altitude_m=91)),
        checks(permit()).judge(replace(NOON, battery_pct=None)),
    ]
    cited = f"{CITED}; as read on 2026-11-22"
    assert told == [
        Refusal("authorisation", "no authorisation is recorded", cited),
        Refusal("authorisation", "Permit day ended on 2026-06-14", "CAAT day"),
        Refusal("authorisation", "Permit day begins on 2026-06-16", "CAAT day"),
        Refusal("hours", "it is 18:00 and Permit day allows flights 06:00-18:00", cited),
        Refusal("hours", "it is 12:00 and Permit day allows flights 20:00-22:00", "CAAT day"),
        Refusal("altitude", "91 m is higher than 90 m", cited),
        Refusal("battery", "the battery is not known; 30 % are needed", "min_battery_pct in the configuration"),
    ]


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2026-06-15T05:59:59", False), ("2026-06-15T06:00", True), ("2026-06-15T17:59:59", True),
        ("2026-06-15T18:00", False), ("2026-12-31T17:59", True), ("2027-01-01T06:00", False),
        ("2025-12-31T17:59", False), ("2026-01-01T06:00", True),
    ],
)  # fmt: skip
def test_default_hours_and_dates_are_thai(at: str, allowed: bool) -> None:
    assert isinstance(checks(permit()).judge(replace(NOON, now=thai(at))), Authorisation) is allowed


def test_a_second_permit_for_the_night_counts() -> None:
    both = checks(permit(), permit("night", hours="18:00-06:00"))
    for at, name in (("2026-06-15T17:59", "day"), ("2026-06-15T18:00", "night"), ("2026-06-15T05:59", "night")):
        found = both.judge(replace(NOON, now=thai(at)))
        assert isinstance(found, Authorisation)
        assert found.id == name


@given(st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1))
def test_hours_and_their_opposite_share_the_day(start: int, end: int, minute: int) -> None:
    if start == end:
        return
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    assert Hours(start, end).hold(at) != Hours(end, start).hold(at)
    assert Hours(start, end).hold(at) == ((minute - start) % 1440 < (end - start) % 1440)


def test_the_whole_day() -> None:
    assert all(Hours.parse("00:00-24:00").hold(datetime(2026, 1, 1, hour, 59, tzinfo=UTC)) for hour in range(24))


@pytest.mark.parametrize("text", ["6:00-18:00", "06:00-06:00", "06:00-24:01", "25:00-26:00", "06:00", "", "06:60-07:0"])
def test_what_is_no_part_of_a_day(text: str) -> None:
    with pytest.raises(ValueError, match="no part of a day"):
        Hours.parse(text)


def test_the_circles_edge() -> None:
    fence = Fence(center=(17.0, 99.8), radius_m=1112)
    assert fence.beyond((17.01, 99.8)) == ""
    assert fence.beyond((17.0101, 99.8)) == "1123 m from its middle, 1112 m are allowed"


def test_a_polygon_with_a_bay() -> None:
    shape = [(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0), (3.0, 0.0), (3.0, 3.0), (1.0, 3.0), (1.0, 0.0)]
    places = {(0.5, 1.0): True, (2.0, 1.0): False, (2.0, 3.5): True, (3.5, 1.0): True, (5.0, 1.0): False}
    assert {place: inside(place, shape) for place in places} == places
    assert Fence(polygon=shape).beyond((2.0, 1.0)) == "outside its polygon"


@pytest.mark.parametrize(
    "given",
    [
        {}, {"center": CENTER}, {"radius_m": 5}, {"polygon": [CENTER, CENTER]}, {"center": (91, 0), "radius_m": 5},
        {"center": CENTER, "radius_m": 0}, {"center": CENTER, "radius_m": 5, "polygon": [CENTER] * 3},
        {"center": CENTER, "polygon": [CENTER] * 3},
    ],
)  # fmt: skip
def test_what_is_no_fence(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Fence.model_validate(given)


def test_what_is_no_permit_and_no_rule() -> None:
    with pytest.raises(ValidationError, match="valid_until lies before valid_from"):
        permit(valid_from="2027-01-01")
    with pytest.raises(ValidationError, match="no part of a day"):
        permit(hours="always")
    with pytest.raises(ValidationError, match="less than or equal to 90"):
        Rules(altitude_m=120)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_strange_height_passes(height: float) -> None:
    found = checks(permit()).judge(replace(NOON, altitude_m=height))
    assert isinstance(found, Authorisation) is (height <= 90)
