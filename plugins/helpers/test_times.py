"""Timers and schedules by the clock, and what a restart does to them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from hub.sdk import ManualClock, Unavailable
from plugins.helpers.agenda import Agenda
from plugins.helpers.clockwork import at as scheduled
from plugins.helpers.conftest import BANGKOK, START, Desk, desk, moment, turns
from plugins.helpers.spans import seconds_of, shown

QUIET, MARKET = "timer.quiet", "schedule.market"


def told(at: Desk) -> list[str]:
    """The timer's events, without what all begin with."""
    return [event.type.removeprefix("timer_") for event in at.hub.events() if event.type.startswith("timer_")]


async def test_a_timer_runs_for_its_duration_and_not_a_second_less() -> None:
    async with desk() as at:
        assert (at.state(QUIET), at.about(QUIET)["duration"]) == ("idle", "0:05:00")
        assert await at.do("timer.start", QUIET) == "done"
        began = at.clock.now()
        assert (at.state(QUIET), at.about(QUIET)["remaining"]) == ("active", "0:05:00")
        at.clock.advance_to(began + 299.9)
        await turns()
        assert at.state(QUIET) == "active"
        at.clock.advance_to(began + 300)
        await turns()
        assert (at.state(QUIET), at.about(QUIET)["finishes_at"], at.about(QUIET)["remaining"]) == ("idle", None, None)
        finished = at.hub.events("timer_finished")[0]
        assert (finished.entity, finished.data["entity_id"], finished.at) == (QUIET, QUIET, began + 300)
        assert told(at) == ["started", "finished"]


async def test_pause_go_on_restart_change_cancel_finish() -> None:
    async with desk() as at:
        await at.do("timer.start", QUIET, duration={"minutes": 2})
        at.clock.advance(30)
        assert await at.do("timer.pause", QUIET) == "done"
        assert (at.state(QUIET), at.about(QUIET)["remaining"], at.about(QUIET)["duration"]) == (
            "paused", "0:01:30", "0:02:00",
        )  # fmt: skip
        at.clock.advance(1_000)
        await turns()
        assert at.state(QUIET) == "paused"
        await at.do("timer.start", QUIET)  # goes on with what is left
        assert at.about(QUIET)["remaining"] == "0:01:30"
        await at.do("timer.change", QUIET, duration="-00:00:30")
        assert at.about(QUIET)["remaining"] == "0:01:00"
        assert await at.do("timer.change", QUIET, duration=61) == "0:02:01 would be left"
        assert await at.do("timer.change", QUIET, duration=-61) == "0:00:01 below nothing"
        await at.do("timer.start", QUIET)  # begins anew
        assert at.about(QUIET)["remaining"] == "0:02:00"
        at.clock.advance(60)  # past the end that the pause and the change had left
        await turns()
        assert at.state(QUIET) == "active"
        await at.do("timer.finish", QUIET)
        await at.do("timer.finish", QUIET)
        await at.do("timer.cancel", QUIET)
        await at.do("timer.start", QUIET, duration=10)
        await at.do("timer.cancel", QUIET)
        assert (at.state(QUIET), at.about(QUIET)["duration"]) == ("idle", "0:05:00")
        await at.do("timer.pause", QUIET)
        at.clock.advance(3_600)
        await turns()
        assert told(at) == [
            "started", "paused", "restarted", "changed", "restarted", "finished", "started", "cancelled",
        ]  # fmt: skip
        assert await at.do("timer.change", QUIET, duration=1) == "it is idle; only an active timer is changed"


@pytest.mark.parametrize("wrong", ["soon", "99:99", -5, 0, {"minutes": 60 * 24 * 400}])
async def test_no_durations(wrong: Any) -> None:
    async with desk() as at:
        words = await at.do("timer.start", QUIET, duration=wrong)
        assert "duration" in words or "longer than 366 days" in words
        assert at.state(QUIET) == "idle"


async def test_a_timer_without_a_duration_of_its_own_asks_for_one() -> None:
    async with desk(timer={"any": None}) as at:
        assert await at.do("timer.start", "timer.any") == "0 s is no duration"
        assert await at.do("timer.start", "timer.any", duration="00:00:05") == "done"


async def test_many_timers_end_in_their_order() -> None:
    async with desk(timer={f"t{n}": {"duration": 100 - n} for n in range(50)}) as at:
        for n in range(50):
            await at.do("timer.start", f"timer.t{n}")
        at.clock.advance(200)
        await at.forward(lambda: len(at.hub.events("timer_finished")) == 50)
        ended = [event.entity for event in at.hub.events("timer_finished")]
        assert ended == [f"timer.t{n}" for n in reversed(range(50))]


async def test_a_restarted_plugin_goes_on_with_its_timers() -> None:
    timers = {"quiet": {"duration": 300}, "held": {"duration": 300}, "forgets": {"duration": 300, "restore": False}}
    async with desk(timer=timers) as at:
        for name in timers:
            await at.do("timer.start", f"timer.{name}")
        began = at.clock.now()
        at.clock.advance(100)
        await at.do("timer.pause", "timer.held")
        assert await at.hub.restart() == "running"
        await at.forward(lambda: at.clock.now() > began + 150)
        assert [at.state(f"timer.{name}") for name in timers] == ["active", "paused", "idle"]
        assert at.about("timer.held")["remaining"] == "0:03:20"
        await at.forward(lambda: at.state(QUIET) == "idle")
        assert at.hub.events("timer_finished")[0].at == pytest.approx(began + 300, abs=1)


async def test_a_schedule_by_the_clock_of_the_zone() -> None:
    week = {
        "monday": [{"from": "06:00:00", "to": "10:00:00"}, {"from": "22:00", "to": "24:00"}],
        "tuesday": [{"from": "00:00", "to": "02:00"}],
    }
    async with desk(schedule={"market": week}) as at:
        assert (at.state(MARKET), at.about(MARKET)["next_event"]) == ("off", "2026-11-23T06:00:00+07:00")
        assert at.about(MARKET)["capabilities"] == []
        for time, state, following in (
            ("05:59:59", "off", "2026-11-23T06:00:00+07:00"), ("06:00:00", "on", "2026-11-23T10:00:00+07:00"),
            ("09:59:59", "on", "2026-11-23T10:00:00+07:00"), ("10:00:00", "off", "2026-11-23T22:00:00+07:00"),
            ("22:00:00", "on", "2026-11-24T02:00:00+07:00"), ("2026-11-24 00:00:00", "on", "2026-11-24T02:00:00+07:00"),
            ("2026-11-24 02:00:00", "off", "2026-11-30T06:00:00+07:00"),
        ):  # fmt: skip
            await at.to(time)
            assert (at.state(MARKET), at.about(MARKET)["next_event"]) == (state, following), time
        changes = [event.data["state"] for event in at.hub.events("helper_changed", entity=MARKET)]
        assert changes == ["off", "on", "off", "on", "off"]  # midnight within a block is no change


def test_schedules_that_never_change() -> None:
    always = [[(0, 86_400)]] * 7
    never: list[list[tuple[int, int]]] = [[]] * 7
    assert scheduled(always, START, BANGKOK) == (True, None)
    assert scheduled(never, START, BANGKOK) == (False, None)
    gap = [[(0, 32_400), (36_000, 86_400)], *[[(0, 86_400)]] * 6]  # only Monday from nine to ten is off
    assert scheduled(gap, moment("2026-11-23 10:00:00"), BANGKOK) == (True, moment("2026-11-30 09:00:00"))
    assert scheduled(gap, moment("2026-11-23 09:30:00"), BANGKOK) == (False, moment("2026-11-23 10:00:00"))


@pytest.mark.parametrize(
    ("given", "seconds", "text"),
    [
        ("00:05:00", 300, "0:05:00"), ("1:30", 5_400, "1:30:00"), (90, 90, "0:01:30"), ("90", 90, "0:01:30"),
        ({"hours": 1, "minutes": "5"}, 3_900, "1:05:00"), (0.25, 0.25, "0:00:00.250000"),
        ("100:00:00", 360_000, "100:00:00"),
    ],
)  # fmt: skip
def test_durations(given: Any, seconds: float, text: str) -> None:
    assert (seconds_of(given), shown(seconds), seconds_of(shown(seconds))) == (seconds, text, seconds)


@pytest.mark.parametrize("given", ["", "x", "5:75", True, None, {}, {"years": 1}, "1e9", float("inf"), float("nan")])
def test_what_is_no_duration(given: Any) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        seconds_of(given)


async def test_a_job_that_fails_is_done_again_and_the_others_too() -> None:
    clock, done = ManualClock(START), list[str]()
    agenda = Agenda(clock)

    async def fails_once() -> float | None:
        done.append("tried")
        if done.count("tried") == 1:
            raise Unavailable("the journal is away")
        return clock.now() + 5 if done.count("tried") == 2 else None

    async def other() -> float | None:
        done.append("other")
        return None

    agenda.plan("a", START + 10, fails_once)
    agenda.plan("b", START + 20, other)
    agenda.plan("a", START + 30, fails_once)  # it is woken before that anyway

    async def keep() -> None:
        while True:
            with contextlib.suppress(Unavailable):
                await agenda.run()

    keeping = asyncio.create_task(keep())
    clock.advance(10)
    await turns()
    assert done == []  # the rules are not there yet
    await agenda.begin(None)  # type: ignore[arg-type]
    await turns()
    assert done == ["tried", "tried"]
    clock.advance(10)
    await turns()
    assert done == ["tried", "tried", "tried", "other"]
    keeping.cancel()


async def test_a_job_that_always_fails_does_not_keep_the_others_waiting() -> None:
    clock, done = ManualClock(START), list[str]()
    agenda = Agenda(clock)

    async def fails() -> float | None:
        raise Unavailable("the journal is away")

    async def other() -> float | None:
        done.append("other")
        return None

    agenda.plan("a", START, fails)
    agenda.plan("b", START, other)
    await agenda.begin(None)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await agenda.run()
    assert done == ["other"]
