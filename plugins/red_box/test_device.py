"""Doubts about a scan, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugins.red_box.device import Box, Limits, Scan, Visit, judge, split_code, when

NOW = 1_790_000_000.0
BOX = Box("rb1", "ตู้ 1", "Box 1", 17.0079, 99.8228, 40.0, (), "K7M2QX4P", ("AAAAAAAA",))
LIMITS = Limits(clock_off_s=120.0, max_accuracy_m=100.0, max_speed_mps=120 / 3.6)
SCAN = Scan("s1:a", "K7M2QX4P", "phone", NOW, NOW - 5, NOW - 1, 17.0079, 99.8228, 8.0, "unit.s1")
NORTH_100_M = 17.0079 + 100 / 111_195


def doubts(scan: Scan, in_window: bool = True, near: list[Visit] | None = None) -> list[str]:
    return list(judge(scan, BOX, LIMITS, in_window, near or []).doubts)


def test_a_good_scan_has_no_doubt() -> None:
    found = judge(SCAN, BOX, LIMITS, True, [])
    assert (found.at, found.doubts) == (NOW - 5, [])
    assert found.distance_m == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lat": NORTH_100_M}, ["out_of_radius"]),
        ({"lat": NORTH_100_M, "accuracy_m": 70.0}, []),  # it may have been within 40 m
        ({"lat": NORTH_100_M, "accuracy_m": 2000.0}, ["poor_position"]),
        ({"lat": 17.1, "accuracy_m": 2000.0}, ["poor_position", "out_of_radius"]),
        ({"lat": None}, ["no_position"]),
        ({"secret": "AAAAAAAA"}, ["old_challenge"]),
        ({"unit": None}, ["unknown_officer"]),
        ({"unit": None, "officer": "ด.ต. สมชาย"}, []),
        ({"device_at": NOW + 500, "sent_at": None}, ["clock_off"]),
        ({"device_at": NOW - 96 * 86_400}, ["clock_off"]),
    ],
)
def test_each_doubt_by_itself(changes: dict[str, float | str | None], expected: list[str]) -> None:
    assert doubts(replace(SCAN, **changes)) == expected  # type: ignore[arg-type]


def test_outside_every_window() -> None:
    assert doubts(SCAN, in_window=False) == ["outside_window"]


def test_a_clock_that_is_off_is_corrected_by_what_it_said_when_it_sent() -> None:
    """The phone is an hour ahead and had no network for ten minutes."""
    ahead = replace(SCAN, device_at=NOW + 3600 - 600, sent_at=NOW + 3600)
    assert when(ahead, 120.0) == (NOW - 600, True)
    found = judge(ahead, BOX, LIMITS, True, [])
    assert (found.at, found.doubts) == (NOW - 600, ["clock_off"])


def test_a_scan_kept_for_hours_is_no_doubt() -> None:
    assert judge(replace(SCAN, device_at=NOW - 5 * 3600), BOX, LIMITS, True, []).doubts == []


def test_too_fast_between_boxes() -> None:
    """5 km in two minutes is 150 km/h; in ten minutes it is 30."""
    far = (17.0079 + 5000 / 111_195, 99.8228)
    assert doubts(SCAN, near=[Visit("rb9", NOW - 125, *far)]) == ["too_fast"]
    assert doubts(SCAN, near=[Visit("rb9", NOW - 605, *far)]) == []
    assert doubts(SCAN, near=[Visit("rb1", NOW - 6, *far)]) == []  # the same box


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RB1-K7M2QX4P", ("rb1", "K7M2QX4P")),
        (" rb1 - k7m2qx4p ", ("rb1", "K7M2QX4P")),
        ("https://hub.example/hook/red_box/scan?c=RB1-K7M2QX4P&x=1", ("rb1", "K7M2QX4P")),
        ("rb1-oil0", ("rb1", "0110")),
        ("rb1", ("rb1", "")),
        ("", ("", "")),
    ],
)
def test_codes_as_they_are_read_and_typed(text: str, expected: tuple[str, str]) -> None:
    assert split_code(text) == expected
