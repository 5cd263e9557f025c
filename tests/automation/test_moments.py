"""Times of day around the changes of the clock, and times that an entity has with an offset."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.automation.execution.moments import moment_on, next_daily, next_match
from hub.core import clock
from tests.automation import zone as zones
from tests.automation.zone import BANGKOK, Zone

BERLIN = ZoneInfo("Europe/Berlin")
AUTUMN = datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp()  # midnight in Berlin; 03:00 becomes 02:00
SPRING = datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp()  # midnight in Berlin; 02:00 becomes 03:00
HOUR = 3600.0
Wanted = frozenset[int] | None


def local(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, BERLIN)


@pytest.mark.parametrize(
    ("now", "hours", "minutes", "wait"),
    [
        (AUTUMN + 3 * HOUR + 2400, None, frozenset(range(0, 60, 5)), 300),  # 02:40, the second
        (AUTUMN + 2 * HOUR + 3300, None, frozenset({0}), 300),  # from the first to the second hour
        (AUTUMN + 3 * HOUR, frozenset({2}), frozenset({30}), 1800),
        (AUTUMN + 3 * HOUR, frozenset({3}), frozenset({0}), HOUR),
        (AUTUMN + HOUR, frozenset({3}), frozenset({0}), 3 * HOUR),
        (SPRING + HOUR, frozenset({3}), frozenset({0}), HOUR),
        (SPRING + HOUR, frozenset({2}), frozenset({0}), 24 * HOUR),  # there is no such hour that day
    ],
)
def test_a_pattern_goes_on_in_real_time(now: float, hours: Wanted, minutes: Wanted, wait: float) -> None:
    found = next_match(local(now), hours, minutes, frozenset({0}))
    assert found.timestamp() - now == wait


def test_a_time_of_day_that_comes_twice_is_the_first_and_one_that_is_skipped_the_moment_after() -> None:
    assert moment_on(date(2026, 10, 25), time(2, 30), BERLIN).timestamp() == AUTUMN + 2.5 * HOUR
    for minute in (0, 1, 30, 59):
        skipped = moment_on(date(2026, 3, 29), time(2, minute, 59), BERLIN)
        assert (skipped.timestamp(), skipped.hour, skipped.minute, skipped.second) == (SPRING + 2 * HOUR, 3, 0, 0)
    lord_howe = moment_on(date(2026, 10, 4), time(2, 15), ZoneInfo("Australia/Lord_Howe"))
    assert (lord_howe.hour, lord_howe.minute) == (2, 30)  # by half an hour
    assert moment_on(date(2026, 3, 29), time(2, 30), UTC) == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)


def test_the_next_time_of_day_is_once_a_day() -> None:
    found = [local(AUTUMN)]
    while len(found) < 4:
        found.append(next_daily(found[-1], time(2, 30)))
    assert [round((at.timestamp() - AUTUMN) / HOUR, 3) for at in found[1:]] == [2.5, 27.5, 51.5]
    found = [local(SPRING)]
    while len(found) < 4:
        found.append(next_daily(found[-1], time(2, 30)))
    assert [round((at.timestamp() - SPRING) / HOUR, 3) for at in found[1:]] == [2, 25.5, 49.5]


@pytest.mark.parametrize(
    ("offset", "wait"),
    [("03:00:00", 1), ("-03:00:00", 19), ("27:00:00", 1), ("-27:00:00", 19), ("00:00:00", 22), ("02:00:00", 24)],
)
def test_an_offset_may_cross_midnight(offset: str, wait: int) -> None:
    hours = float(offset.partition(":")[0])
    now = datetime(2026, 3, 2, 1, tzinfo=BANGKOK)
    assert next_daily(now, time(23), timedelta(hours=hours)).timestamp() - now.timestamp() == wait * HOUR


@pytest.mark.parametrize(
    ("trigger", "start", "hours", "fired"),
    [
        ("{trigger: time, at: '02:30:00'}", AUTUMN, 49, [2.5, 27.5]),
        ("{trigger: time, at: '02:30:00'}", SPRING, 49, [2, 25.5]),
        ("{trigger: time_pattern, hours: '*', minutes: 30}", AUTUMN, 5, [0.5, 1.5, 2.5, 3.5, 4.5]),
        ("{trigger: time_pattern, hours: '*', minutes: 30}", SPRING, 4, [0.5, 1.5, 2.5, 3.5]),
        ("{trigger: time_pattern, hours: 2, minutes: 30}", AUTUMN, 5, [2.5, 3.5]),
    ],
)
async def test_rules_fire_at_their_time_when_the_clock_changes(
    trigger: str, start: float, hours: int, fired: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zones, "BANGKOK", BERLIN)
    calls: list[float] = []
    fire = clock._ManualTimer.fire

    def counted(timer: clock._ManualTimer) -> None:
        calls.append(zone.clock.now())
        assert len(calls) < 1000  # an alarm whose next moment is in the past rings forever
        fire(timer)

    zone = await Zone(now=start).start(f"- {{id: a, triggers: {trigger}, actions: {{event: tick}}}}")
    monkeypatch.setattr(clock._ManualTimer, "fire", counted)
    for _ in range(hours * 4):
        await zone.after(900)
    assert [(event.at - start) / HOUR for event in zone.events("tick")] == fired


async def test_the_time_of_an_entity_fires_on_the_night_after() -> None:
    zone = await Zone(now=datetime(2026, 3, 2, 1, tzinfo=BANGKOK).timestamp()).start()
    zone.add("input_datetime.x")
    zone.set("input_datetime.x", "23:00:00", has_date=False, has_time=True)
    zone.engine.publish(
        "- {id: a, triggers: {trigger: time, at: {entity_id: input_datetime.x, offset: '03:00:00'}},"
        " actions: {event: tick}}",
        zones.OFFICER,
    )
    await zone.after(24 * HOUR)
    assert [datetime.fromtimestamp(event.at, BANGKOK).isoformat()[:16] for event in zone.events("tick")] == [
        "2026-03-02T02:00"
    ]
