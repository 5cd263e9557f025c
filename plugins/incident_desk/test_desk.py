"""The desk in the real hub, beside the real units: cases, numbers, units, alarms and what stands after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.capabilities import UnitMoved
from hub.sdk import ManualClock, NotFound, Outcome
from hub.testing import Harness, contract, harness

HERE = Path(__file__).parent
NEAR, MIDDLE, FAR = (17.0080, 99.8230), (17.0100, 99.8230), (17.0200, 99.8230)
HERE_IT_IS = {"lat": NEAR[0], "lon": NEAR[1]}
NEW_YEAR_EVE = 1_798_736_340.0  # 2026-12-31 23:59 in Bangkok: 16:59 UTC
UNITS = {
    "plugin": "units",
    "config": {
        "devices": [
            {"id": one, "name": {"th": f"สายตรวจ {one}", "en": f"Patrol {one}"}, "secret": f"secret-of-{one}"}
            for one in ("s1", "s2", "s3")
        ]
    },
}

test_contract = contract(HERE, params={"incident.open": {"kind": "test", "title": "ทดสอบ"}})


@asynccontextmanager
async def desk(clock: ManualClock | None = None, **config: Any) -> AsyncIterator[Harness]:
    async with harness(HERE, config, beside=[UNITS], clock=clock) as hub:
        await hub.until(lambda: all(hub.state(f"unit.{one}") for one in ("s1", "s2", "s3")))
        yield hub


def officer(hub: Harness, name: str) -> Harness:
    """The same hub, asked by a person of that name."""
    other, person = Harness(hub.app, hub.instance), replace(hub.person(), id=f"user:{name}")
    vars(other)["person"] = lambda roles=None: person
    return other


async def place(hub: Harness, unit: str, where: tuple[float, float], age_s: float = 0.0) -> None:
    """The unit's phone told its place ``age_s`` seconds ago."""
    fix = UnitMoved(lat=where[0], lon=where[1], fix_at=hub.app.clock.now() - age_s)
    await hub.emit(fix, entity=f"unit.{unit}")


async def case(hub: Harness, key: str | None = None, **params: Any) -> str:
    given = {"kind": "test", "title": "รถต้องสงสัย", **HERE_IT_IS, **params}
    return str(done(await hub.call("incident.open", params=given, key=key)))


def done(outcome: Outcome) -> Any:
    assert outcome.status == "done", outcome
    return outcome.result


def attributes(hub: Harness, entity: str) -> Mapping[str, Any]:
    state = hub.state(entity)
    assert state is not None
    return state.attributes


def state_of(hub: Harness, entity: str) -> str | None:
    found = hub.state(entity)
    return found.state if found else None


def alarms(hub: Harness) -> list[tuple[str, str, int]]:
    found = sorted((one for one in hub.entities() if one.domain == "alarm"), key=lambda one: one.seq)
    return [(one.attributes["title"], one.state, one.attributes["count"]) for one in found]


def notes(hub: Harness, incident: str) -> list[tuple[str, str]]:
    return [(event.data["text"], event.data["by"]) for event in hub.events("incident_noted", entity=incident)]


# --- opening


async def test_the_same_call_opens_one_case() -> None:
    async with desk() as hub:
        first = await case(hub, key="rule:1")
        again = await case(hub, key="rule:1")
        other = await case(hub, key="rule:2", title="อีกเหตุ")
        assert (first == again, first == other) == (True, False)
        opened = hub.events("incident_opened")
        assert [event.entity for event in opened] == [first, other]
        assert opened[0].data["opened_by"] == "user:test"
        assert alarms(hub) == [("รถต้องสงสัย", "unacknowledged", 1), ("อีกเหตุ", "unacknowledged", 1)]


async def test_numbers_count_within_the_buddhist_date_of_bangkok() -> None:
    clock = ManualClock(NEW_YEAR_EVE)
    async with desk(clock) as hub:
        last_year = await asyncio.gather(*(case(hub, key=f"a:{n}", title=f"เหตุ {n}") for n in range(3)))
        clock.advance(120)
        new_year = await case(hub, key="b:1")
        assert sorted(attributes(hub, one)["reference"] for one in last_year) == [
            "691231-001", "691231-002", "691231-003",
        ]  # fmt: skip
        assert attributes(hub, new_year)["reference"] == "700101-001"
        assert attributes(hub, new_year)["opened_at"] == NEW_YEAR_EVE + 120


async def test_a_case_takes_the_place_and_the_picture_of_what_it_began_at() -> None:
    async with desk() as hub:
        await place(hub, "s1", MIDDLE)
        there = await case(hub, source="unit.s1", lat=None, lon=None)
        given = await case(hub, source="unit.s1", key="k")
        assert (attributes(hub, there)["lat"], attributes(hub, there)["lon"]) == MIDDLE
        assert (attributes(hub, given)["lat"], attributes(hub, given)["source_entity"]) == (NEAR[0], "unit.s1")


async def test_a_call_to_191_is_a_case_with_its_words() -> None:
    async with desk() as hub:
        text = "ชายสองคนงัดร้านทอง\nหนีไปทางตลาด"
        given = {"text": text, "place": "หน้าตลาด", "priority": "critical"}
        one = done(await hub.call("incident.call_note", params=given, key="phone:1"))
        assert done(await hub.call("incident.call_note", params=given, key="phone:1")) == one
        seen = attributes(hub, one)
        assert (seen["kind"], seen["title"], seen["priority"]) == (
            "call_191", "ชายสองคนงัดร้านทอง (หน้าตลาด)", "critical",
        )  # fmt: skip
        assert notes(hub, one) == [(text, "user:test")]


# --- units


async def test_the_nearest_unit_that_is_free_and_fresh_gets_it() -> None:
    clock = ManualClock()
    async with desk(clock, position_max_age_s=300) as hub:
        await place(hub, "s1", NEAR, age_s=301)
        await place(hub, "s2", FAR)
        await place(hub, "s3", MIDDLE, age_s=300)
        incident = await case(hub)
        assert done(await hub.call("incident.assign", incident)) == "unit.s3"
        assert (state_of(hub, incident), attributes(hub, incident)["distance_m"]) == ("assigned", 222)
        await place(hub, "s1", NEAR)
        assert done(await hub.call("unit.set_status", "unit.s1", {"status": "off_duty"})) is None
        second = await case(hub, key="second", title="อีกเหตุ")
        assert done(await hub.call("incident.assign", second)) == "unit.s2"  # s1 is off duty, s3 is busy


async def test_the_unit_is_told_and_busy_until_its_case_is_closed() -> None:
    async with desk() as hub:
        await place(hub, "s2", MIDDLE)
        incident = await case(hub, title="ป้าย กข 1234")
        done(await hub.call("incident.assign", incident))
        seen = attributes(hub, "unit.s2")
        assert (seen["task"], seen["task_incident"], seen["task_lat"]) == ("ป้าย กข 1234", incident, NEAR[0])
        assert (state_of(hub, "unit.s2"), seen["incident"]) == ("busy", incident)
        done(await hub.call("incident.close", incident, {"result": "resolved", "note": "จับได้"}))
        assert (state_of(hub, "unit.s2"), attributes(hub, "unit.s2")["incident"]) == ("available", None)
        assert (state_of(hub, incident), attributes(hub, incident)["result"], alarms(hub)) == ("closed", "resolved", [])
        late = await hub.call("incident.assign", incident)
        assert (late.status, late.error and late.error["message"]) == ("failed", "this incident is closed")


async def test_a_case_given_to_another_unit_frees_the_first() -> None:
    async with desk() as hub:
        await place(hub, "s1", NEAR)
        incident = await case(hub)
        assert done(await hub.call("incident.assign", incident)) == "unit.s1"
        assert done(await hub.call("incident.assign", incident, {"unit": "unit.s3"})) == "unit.s3"
        assert (state_of(hub, "unit.s1"), state_of(hub, "unit.s3")) == ("available", "busy")


async def test_closing_does_not_free_a_unit_that_has_another_case_by_now() -> None:
    async with desk() as hub:
        await place(hub, "s1", NEAR)
        first, second = await case(hub, key="1"), await case(hub, key="2", title="อีกเหตุ")
        for incident in (first, second):
            done(await hub.call("incident.assign", incident, {"unit": "unit.s1"}))
        done(await hub.call("incident.close", first, {"result": "duplicate"}))
        assert (state_of(hub, "unit.s1"), attributes(hub, "unit.s1")["incident"]) == ("busy", second)


async def test_two_cases_at_once_get_two_units() -> None:
    async with desk() as hub:
        await place(hub, "s1", NEAR)
        await place(hub, "s2", MIDDLE)
        both = [await case(hub, key=f"{n}", title=f"เหตุ {n}") for n in range(2)]
        found = await asyncio.gather(*(hub.call("incident.assign", one) for one in both))
        assert sorted(done(one) for one in found) == ["unit.s1", "unit.s2"]


async def test_nobody_free_is_an_error_with_words_and_a_line_on_the_timeline() -> None:
    async with desk(position_max_age_s=60) as hub:
        await place(hub, "s1", NEAR, age_s=61)
        incident = await case(hub)
        asked = await hub.call("incident.assign", incident)
        assert asked.status == "failed"
        assert asked.error is not None
        assert asked.error["message"] == "no unit is available with a position of the last 60 s"
        assert asked.error["hint"] == "call a unit by radio and assign it by name"
        assert notes(hub, incident) == [("ไม่มีสายตรวจว่างที่รู้ตำแหน่งภายใน 60 วินาที / no unit is available", "hub")]
        assert state_of(hub, incident) == "open"
        assert done(await hub.call("incident.assign", incident, {"unit": "unit.s1"})) == "unit.s1"


@pytest.mark.parametrize("name", ["unit.nobody", "plugin.units"])
async def test_what_is_no_unit_is_not_assigned(name: str) -> None:
    async with desk() as hub:
        incident = await case(hub)
        asked = await hub.call("incident.assign", incident, {"unit": name})
        assert asked.error is not None
        assert (asked.error["code"], asked.error["message"]) == (NotFound.code, f"no unit {name!r}")
        assert hub.events("incident_assigned") == []


async def test_a_phone_that_cannot_be_reached_is_noted() -> None:
    async with desk() as hub:
        await place(hub, "s1", NEAR)
        incident = await case(hub)
        await hub.app.host.instances["units"].stop()
        assert done(await hub.call("incident.assign", incident)) == "unit.s1"
        assert notes(hub, incident) == [("unit.s1: nothing serves unit.alert now", "hub")]


# --- officers


async def test_one_of_two_officers_has_the_case() -> None:
    async with desk() as hub:
        somchai, anong = officer(hub, "somchai"), officer(hub, "anong")
        incident = await case(hub)
        both = await asyncio.gather(*(one.call("incident.acknowledge", incident) for one in (somchai, anong)))
        assert [one.status for one in both] == ["done", "failed"]
        assert both[1].error is not None
        assert both[1].error["message"] == "user:somchai has this incident already"
        assert [event.data["by"] for event in hub.events("incident_acknowledged")] == ["user:somchai"]
        assert (state_of(hub, incident), attributes(hub, incident)["owner_officer"]) == ("acknowledged", "user:somchai")
        assert alarms(hub) == [("รถต้องสงสัย", "acknowledged", 1)]
        done(await somchai.call("incident.acknowledge", incident))
        assert len(hub.events("incident_acknowledged")) == 1


async def test_an_assigned_case_stays_assigned_when_it_gets_its_officer() -> None:
    async with desk() as hub:
        await place(hub, "s1", NEAR)
        incident = await case(hub)
        done(await hub.call("incident.assign", incident))
        done(await hub.call("incident.acknowledge", incident))
        assert (state_of(hub, incident), attributes(hub, incident)["unit"]) == ("assigned", "unit.s1")


async def test_a_result_must_be_one_of_four() -> None:
    async with desk() as hub:
        incident = await case(hub)
        asked = await hub.call("incident.close", incident, {"result": "bored"})
        assert asked.error is not None
        assert asked.error["hint"] == "one of resolved, false_alarm, handed_over, duplicate"
        assert state_of(hub, incident) == "open"


# --- alarms


async def ring(hub: Harness, **params: Any) -> str:
    given = {"title": "กล้องดับ", "subject": "camera.gate", "priority": "normal", **params}
    return str(done(await hub.call("alarm.raise", params=given)))


async def test_the_same_alarm_counts_until_somebody_has_it() -> None:
    async with desk() as hub:
        first, second = await asyncio.gather(ring(hub), ring(hub))
        assert (first == second, alarms(hub)) == (True, [("กล้องดับ", "unacknowledged", 2)])
        done(await hub.call("alarm.acknowledge", first))
        third = await ring(hub)
        assert third != first
        await ring(hub, subject="camera.market")
        assert alarms(hub) == [
            ("กล้องดับ", "acknowledged", 2), ("กล้องดับ", "unacknowledged", 1), ("กล้องดับ", "unacknowledged", 1),
        ]  # fmt: skip


async def test_an_alarm_has_one_owner() -> None:
    async with desk() as hub:
        alarm = await ring(hub)
        both = await asyncio.gather(*(officer(hub, one).call("alarm.acknowledge", alarm) for one in ("a", "b")))
        assert [one.status for one in both] == ["done", "failed"]
        assert both[1].error is not None
        assert both[1].error["message"] == "user:a has this alarm already"
        assert attributes(hub, alarm)["owner_officer"] == "user:a"


async def test_a_shelved_alarm_is_silent_until_its_end() -> None:
    clock = ManualClock()
    async with desk(clock, shelf_check_s=5) as hub:
        alarm = await ring(hub)
        done(await hub.call("alarm.shelve", alarm, {"reason": "ช่างซ่อมอยู่", "minutes": 2}))
        assert attributes(hub, alarm)["shelved_until"] == clock.now() + 120
        assert await ring(hub) == alarm
        assert alarms(hub) == [("กล้องดับ", "shelved", 1)]
        for turn in range(24):
            assert hub.events("alarm_returned") == []
            clock.advance(5)
            await ring(hub, title=f"เครื่องหมาย {turn}")  # so that the look at the shelf had its turn
        back = await hub.wait_event("alarm_returned", entity=alarm)
        assert (back.received, state_of(hub, alarm)) == (clock.now(), "unacknowledged")


# --- timeline and restart


async def test_what_others_report_for_a_case_stands_on_its_timeline() -> None:
    async with desk() as hub:
        await place(hub, "s1", NEAR)
        incident = await case(hub)
        done(await hub.call("incident.assign", incident))
        told = await hub.wait_event("unit_alerted", entity="unit.s1")
        line = await hub.wait_event("incident_attached", entity=incident)
        assert line.data == {"what": "unit_alerted", "ref": f"event:{told.seq}", "by": "unit.s1"}
        assert line.cause == told.id
        sent = {"channel": "line", "to": "group", "text": "x", "incident": "incident.of_nobody"}
        await hub.emit("message_sent", sent)
        await hub.emit("message_sent", sent | {"incident": incident})
        last = await hub.wait_event("incident_attached", entity=incident, after=line.seq)
        assert (last.data["what"], len(hub.events("incident_attached"))) == ("message_sent", 2)
        done(await hub.call("incident.note", incident, {"text": "ถึงที่เกิดเหตุ"}))
        assert notes(hub, incident)[-1] == ("ถึงที่เกิดเหตุ", "user:test")


async def test_cases_and_alarms_are_served_again_after_a_restart_of_the_plugin() -> None:
    async with desk() as hub:
        incident, alarm = await case(hub), await ring(hub)
        assert await hub.restart() == "running"
        assert await case(hub, key="next", title="อีกเหตุ") != incident
        references = [event.data["reference"][-4:] for event in hub.events("incident_opened")]
        assert references == ["-001", "-002"]
        done(await hub.call("alarm.acknowledge", alarm))
        done(await hub.call("incident.close", incident, {"result": "false_alarm"}))
        assert (state_of(hub, incident), state_of(hub, alarm)) == ("closed", "acknowledged")


SIMULATED_UNITS = {**UNITS, "config": {"devices": [
    {"id": "s9", "name": {"th": "สายตรวจ 9", "en": "Patrol 9"}, "secret": "secret-of-s9", "simulated": True}
]}}  # fmt: skip


def simulated(hub: Harness, entity: str) -> object:
    state = hub.state(entity)
    assert state is not None
    return state.attributes["simulated"]


async def test_what_is_about_something_simulated_is_simulated() -> None:
    async with harness(HERE, {}, beside=[SIMULATED_UNITS]) as hub:
        await hub.until(lambda: hub.state("unit.s9") is not None)
        real = done(await hub.call("alarm.raise", params={"title": "จริง"}))
        drill = done(await hub.call("alarm.raise", params={"title": "ซ้อม", "subject": "unit.s9"}))
        opened = await case(hub, source="unit.s9")
        about = done(await hub.call("alarm.raise", params={"title": "ต่อ", "incident": opened}))
        assert [simulated(hub, one) for one in (real, drill, opened, about)] == [False, True, True, True]


async def test_in_an_invented_station_everything_is_simulated() -> None:
    async with desk(simulated=True) as hub:
        alarm = done(await hub.call("alarm.raise", params={"title": "นาฬิกา"}))
        opened = await case(hub)
        assert [simulated(hub, one) for one in (alarm, opened)] == [True, True]
