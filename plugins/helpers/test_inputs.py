"""Switches, numbers, choices, texts, dates and counters: what they take, what they refuse, what they remember."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.sdk import Denied, InvalidInput
from plugins.helpers.conftest import desk, moment
from plugins.helpers.settings import Settings

NUMBER, CHOICE, NOTE, WAKE = "input_number.level", "input_select.mode", "input_text.note", "input_datetime.wake"
VISITS, NIGHT = "counter.visits", "input_boolean.night_mode"


async def test_a_switch() -> None:
    async with desk() as at:
        assert (at.state(NIGHT), at.about(NIGHT)["name"]) == ("off", {"th": "โหมดกลางคืน", "en": "Night mode"})
        for action, state in (("turn_on", "on"), ("turn_on", "on"), ("toggle", "off"), ("toggle", "on")):
            assert await at.do(f"input_boolean.{action}", NIGHT) == "done"
            assert at.state(NIGHT) == state
        told = [event.data["state"] for event in at.hub.events("helper_changed", entity=NIGHT)]
        assert told == ["off", "on", "off", "on"]  # the first is its value after the start; on twice is once


async def test_a_number_keeps_its_limits_and_its_steps_are_exact() -> None:
    async with desk(input_number={"level": {"min": 0, "max": 1, "step": 0.1, "unit_of_measurement": "คน"}}) as at:
        assert at.state(NUMBER) == "0.0"
        for _ in range(3):
            await at.do("input_number.increment", NUMBER)
        assert at.state(NUMBER) == "0.3"
        assert await at.do("input_number.set_value", NUMBER, value=0.95) == "done"
        await at.do("input_number.increment", NUMBER)
        assert at.state(NUMBER) == "1.0"
        assert await at.do("input_number.set_value", NUMBER, value=1.5) == "1.5 is outside 0 to 1"
        await at.do("input_number.set_value", NUMBER, value=0)
        await at.do("input_number.decrement", NUMBER)
        assert at.state(NUMBER) == "0.0"
        shown = {key: at.about(NUMBER)[key] for key in ("min", "max", "step", "mode", "unit_of_measurement")}
        assert shown == {"min": 0.0, "max": 1.0, "step": 0.1, "mode": "slider", "unit_of_measurement": "คน"}
        with pytest.raises(InvalidInput, match="finite"):
            await at.hub.call("input_number.set_value", NUMBER, {"value": float("nan")})


async def test_a_choice() -> None:
    async with desk() as at:
        assert at.state(CHOICE) == "ปกติ"
        for action, params, state in (
            ("select_next", {}, "เทศกาล"), ("select_last", {}, "น้ำท่วม"), ("select_next", {"cycle": False}, "น้ำท่วม"),
            ("select_next", {}, "ปกติ"), ("select_previous", {"cycle": False}, "ปกติ"),
            ("select_previous", {}, "น้ำท่วม"), ("select_first", {}, "ปกติ"),
            ("select_option", {"option": "เทศกาล"}, "เทศกาล"),
        ):  # fmt: skip
            assert await at.do(f"input_select.{action}", CHOICE, **params) == "done"
            assert at.state(CHOICE) == state, action
        wrong = await at.hub.call("input_select.select_option", CHOICE, {"option": "ไม่มี"})
        assert wrong.error == {
            "code": "invalid_input", "message": "'ไม่มี' is none of its options", "where": CHOICE,
            "hint": "one of: ปกติ, เทศกาล, น้ำท่วม",
        }  # fmt: skip
        await at.do("input_select.set_options", CHOICE, options=["a", "เทศกาล"])
        assert (at.state(CHOICE), at.about(CHOICE)["options"]) == ("เทศกาล", ["a", "เทศกาล"])
        await at.do("input_select.set_options", CHOICE, options=["a", "b"])
        assert at.state(CHOICE) == "a"
        assert "twice" in await at.do("input_select.set_options", CHOICE, options=["a", "a"])


async def test_a_text_is_of_its_length_and_pattern() -> None:
    async with desk() as at:
        assert at.state(NOTE) == "unknown"
        assert await at.do("input_text.set_value", NOTE, value="งานวัด") == "done"
        assert await at.do("input_text.set_value", NOTE, value="x" * 21) == (
            "the text has 21 characters; it must have 0 to 20"
        )
        assert await at.do("input_text.set_value", NOTE, value="งาน 7") == "the text is not of the pattern [ก-๙a-z ]*"
        assert await at.do("input_text.set_value", NOTE, value="งาน\n") == "the text is not of the pattern [ก-๙a-z ]*"
        assert at.state(NOTE) == "งานวัด"
        with pytest.raises(InvalidInput, match="at most 255"):
            await at.hub.call("input_text.set_value", NOTE, {"value": "ก" * 256})


async def test_a_date_and_time() -> None:
    both: dict[str, Any] = {"has_date": True, "has_time": True}
    kinds = {"wake": both, "day": {"has_date": True}, "hour": {"has_time": True, "initial": "22:15"}}
    async with desk(input_datetime=kinds) as at:
        assert at.state(WAKE) == "2026-11-23 00:00:00"  # the day of its first start
        await at.do("input_datetime.set_datetime", WAKE, datetime="2026-12-05 06:30:00")
        assert at.state(WAKE) == "2026-12-05 06:30:00"
        parts = ("year", "month", "day", "hour", "minute", "second", "timestamp", "has_date", "has_time")
        assert [at.about(WAKE)[part] for part in parts] == [
            2026, 12, 5, 6, 30, 0, moment("2026-12-05 06:30:00"), True, True,
        ]  # fmt: skip
        await at.do("input_datetime.set_datetime", WAKE, time="22:00")
        await at.do("input_datetime.set_datetime", WAKE, date="2027-01-01")
        assert at.state(WAKE) == "2027-01-01 22:00:00"
        await at.do("input_datetime.set_datetime", WAKE, timestamp=moment("2026-11-24 01:02:03"))
        assert at.state(WAKE) == "2026-11-24 01:02:03"
        await at.do("input_datetime.set_datetime", WAKE, datetime="2026-11-24T18:00:00+00:00")
        assert at.state(WAKE) == "2026-11-25 01:00:00"

        day, hour = "input_datetime.day", "input_datetime.hour"
        await at.do("input_datetime.set_datetime", day, datetime="2026-12-05 06:30:00")
        assert (at.state(day), at.about(day)["hour"], at.about(day)["timestamp"]) == (
            "2026-12-05", None, moment("2026-12-05 00:00:00"),
        )  # fmt: skip
        assert (at.state(hour), at.about(hour)["timestamp"]) == ("22:15:00", 80_100)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "no moment was given"),
        ({"date": "2026-01-01", "timestamp": 1}, "several moments were given"),
        ({"date": "31/1/2026"}, "'31/1/2026' is no date; write it as in 2026-01-31"),
        ({"time": "25:00"}, "'25:00' is no time of day; write HH:MM or HH:MM:SS, as in '06:00:00'"),
        ({"time": "24:00"}, "'24:00' is no time of day; midnight is 00:00"),
        ({"datetime": "tomorrow"}, "'tomorrow' is no date and time; write it as in 2026-01-31 22:00:00"),
    ],
)
async def test_no_moments(params: dict[str, Any], words: str) -> None:
    async with desk() as at:
        assert await at.do("input_datetime.set_datetime", WAKE, **params) == words
        assert at.state(WAKE) == "2026-11-23 00:00:00"


async def test_a_part_that_it_does_not_have() -> None:
    async with desk(input_datetime={"wake": {"has_time": True}}) as at:
        assert await at.do("input_datetime.set_datetime", WAKE, date="2026-01-01") == "it has a time of day only"


async def test_a_counter_counts_each_call_once_though_they_come_together() -> None:
    async with desk(counter={"visits": {"step": 2, "maximum": 40, "minimum": -3}}) as at:
        assert await asyncio.gather(*(at.do("counter.increment", VISITS) for _ in range(15))) == ["done"] * 15
        assert at.state(VISITS) == "30"
        assert await at.do("counter.set_value", VISITS, value=39) == "done"
        await at.do("counter.increment", VISITS)
        assert at.state(VISITS) == "40"
        assert await at.do("counter.set_value", VISITS, value=41) == "41 is outside -3 to 40"
        await at.do("counter.reset", VISITS)
        for _ in range(3):
            await at.do("counter.decrement", VISITS)
        assert at.state(VISITS) == "-3"


async def test_values_survive_a_restart_and_initial_wins() -> None:
    async with desk(
        input_boolean={"night_mode": None, "armed": {"initial": False}},
        counter={"visits": {"restore": False}, "all": {}},
    ) as at:
        for action, target, params in (
            ("input_boolean.turn_on", NIGHT, {}), ("input_boolean.turn_on", "input_boolean.armed", {}),
            ("input_number.set_value", NUMBER, {"value": 7.5}), ("input_select.select_last", CHOICE, {}),
            ("input_text.set_value", NOTE, {"value": "งานวัด"}), ("counter.increment", VISITS, {}),
            ("counter.increment", "counter.all", {}), ("input_datetime.set_datetime", WAKE, {"time": "22:00"}),
        ):
            assert await at.do(action, target, **params) == "done"
        assert await at.hub.restart() == "running"
        names = (NIGHT, "input_boolean.armed", NUMBER, CHOICE, NOTE, VISITS, "counter.all", WAKE)
        assert [at.state(name) for name in names] == [
            "on", "off", "7.5", "น้ำท่วม", "งานวัด", "0", "1", "2026-11-23 22:00:00",
        ]  # fmt: skip
        await at.do("input_select.set_options", CHOICE, options=["น้ำท่วม", "x"])
        await at.hub.restart()
        assert (at.state(CHOICE), at.about(CHOICE)["options"]) == ("น้ำท่วม", ["ปกติ", "เทศกาล", "น้ำท่วม"])


async def test_who_may() -> None:
    async with desk() as at:
        for role in ("commander", "ccoc", "operator"):
            assert (await at.hub.call("counter.increment", VISITS, roles=[role])).status == "done"
        for role in ("patrol", "municipality", "partner", "auditor", "technician", "display", "public"):
            with pytest.raises(Denied, match=r"helper\.control"):
                await at.hub.call("counter.increment", VISITS, roles=[role])
        assert at.state(VISITS) == "3"


async def test_numbers_of_yaml_are_options_and_texts_too() -> None:
    async with desk(
        input_select={"mode": {"options": [1, 2.5, "x"], "initial": 2.5}}, input_text={"note": {"initial": 7}},
        input_boolean={"night_mode": {"name": "กลางคืน"}, "other_one": None},
    ) as at:  # fmt: skip
        assert (at.state(CHOICE), at.about(CHOICE)["options"], at.state(NOTE)) == ("2.5", ["1", "2.5", "x"], "7")
        names = [at.about(f"input_boolean.{name}")["name"]["en"] for name in ("night_mode", "other_one")]
        assert names == ["กลางคืน", "other one"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"input_number": {"a": {"min": 5, "max": 5}}}, "max 5 is not over min 5"),
        ({"input_number": {"a": {"min": 0, "max": 5, "initial": 6}}}, "initial 6 is not between 0 and 5"),
        ({"input_select": {"a": {"options": ["x", "x"]}}}, "options: x stands there twice"),
        ({"input_select": {"a": {"options": ["x"], "initial": "y"}}}, "initial 'y' is none of the options"),
        ({"input_text": {"a": {"min": 9, "max": 3}}}, "min 9 is over max 3"),
        ({"input_text": {"a": {"pattern": "[a"}}}, r"'\[a' is no pattern"),
        ({"input_text": {"a": {"pattern": "[a-z]+", "initial": "A"}}}, r"initial is not of the pattern \[a-z\]\+"),
        ({"input_datetime": {"a": {}}}, "set has_date, has_time or both to true"),
        ({"input_datetime": {"a": {"has_time": True, "initial": "x"}}}, "'x' is no time of day"),
        ({"timer": {"a": {"duration": "5 minutes"}}}, "'5 minutes' is no duration; write seconds, HH:MM:SS"),
        ({"timer": {"a": {"duration": -1}}}, "-1.0 is less than nothing"),
        ({"timer": {"a": {"duration": {"days": 400}}}}, "is longer than 366 days"),
        ({"counter": {"a": {"initial": 5, "maximum": 3}}}, "initial 5 is not between minimum and maximum"),
        ({"schedule": {"a": {"monday": [{"from": "10:00", "to": "08:00"}]}}}, "to 08:00 is not after from 10:00"),
        ({"schedule": {"a": {"friday": [{"from": "1:00", "to": "3:00"}, {"from": "2:00", "to": "4:00"}]}}}, "friday"),
        ({"input_boolean": {"Night Mode": {}}}, "'Night Mode' is no name; use small letters"),
        ({"input_boolean": {f"n{n}": None for n in range(201)}}, "201 helpers; at most 200 in one instance"),
        ({"timezone": "Asia/Nowhere"}, "there is no time zone 'Asia/Nowhere'"),
        ({"group": {}}, "extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_mistakes_in_the_settings(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"(?i){words}"):
        Settings.model_validate(config)
