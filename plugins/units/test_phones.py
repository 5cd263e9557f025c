"""Phones at the real HTTP door of the hub, and the tasks that they are given."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from hub.sdk import Outcome
from hub.testing import Harness, contract, harness
from plugins.units import fake
from plugins.units.settings import Settings

HERE = Path(__file__).parent
DEVICES: list[dict[str, Any]] = [
    {"id": one, "name": {"th": f"สายตรวจ {one}", "en": f"Patrol {one}"}, "secret": f"secret-of-{one}"}
    for one in ("s1", "s2", "s3")
]
CONFIG = {"devices": DEVICES}
CASE: dict[str, Any] = {"text": "ร้านทอง 1 กด SOS", "incident": "incident.7", "lat": 17.0079, "lon": 99.8228}

test_contract = contract(HERE, CONFIG, params={"unit.set_status": {"status": "available"}})


class Door:
    """The hub's door, as a phone finds it."""

    def __init__(self, hub: Harness, http: aiohttp.ClientSession) -> None:
        self.hub, self._http = hub, http

    async def ask(
        self, method: str, path: str, device: str = "s1", secret: str | None = None, **more: Any
    ) -> tuple[int, Any]:
        """Status and JSON, as the phone of ``device`` in the older query form."""
        params = {"id": device, "secret": secret or f"secret-of-{device}", **more.pop("params", {})}
        async with self._http.request(method, self.hub.hook(path), params=params, **more) as answer:
            return answer.status, json.loads(await answer.read())

    async def moved(self, at: float, lat: float = 17.0, device: str = "s1") -> tuple[int, Any]:
        place = {"lat": str(lat), "lon": "99.8", "timestamp": str(at)}
        return await self.ask("POST", "position", device, params=place)


@asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    async with harness(HERE, CONFIG) as hub, aiohttp.ClientSession() as http:
        yield Door(hub, http)


def done(outcome: Outcome) -> Any:
    assert outcome.status == "done", outcome
    return outcome.result


def attributes(hub: Harness, unit: str = "s1") -> Mapping[str, Any]:
    state = hub.state(f"unit.{unit}")
    assert state is not None
    return state.attributes


async def test_phones_of_the_three_forms_are_seen_where_they_are() -> None:
    async with open_door() as door:
        now = door.hub.app.clock.now() - 5
        phones = [fake.Phone(f"s{n}", f"secret-of-s{n}", form, battery=62) for n, form in enumerate(fake.FORMS, 1)]
        times = iter([now] * 9)
        await fake.walk(door.hub.hook("position"), phones, interval_s=0, posts=1, now=lambda: next(times))
        assert [(phone.posted, phone.last_status) for phone in phones] == [(1, 200)] * 3
        place = fake.along(fake.ROUTE, 0)
        for unit in ("s1", "s2", "s3"):
            seen = attributes(door.hub, unit)
            assert (seen["lat"], seen["lon"]) == (pytest.approx(place.lat), pytest.approx(place.lon))
            assert (seen["accuracy_m"], seen["battery_pct"]) == (6, 62)
            assert seen["fix_at"] == pytest.approx(now, abs=1)
        assert {event.entity for event in door.hub.events("unit_moved")} == {"unit.s1", "unit.s2", "unit.s3"}


@pytest.mark.parametrize("path", ["position", "task", "task/seen"])
async def test_a_wrong_secret_and_an_unknown_device_get_the_same_answer(path: str) -> None:
    method = "GET" if path == "task" else "POST"
    place = {"lat": "17", "lon": "99.8"}
    async with open_door() as door:
        place["timestamp"] = str(door.hub.app.clock.now())
        answers = [
            await door.ask(method, path, device, secret, params=params)
            for device, secret in (("s1", "secret-of-s2"), ("s1", "x"), ("s9", "secret-of-s1"))
            for params in (place, place | {"lat": "999"})
        ]
        assert answers == [(401, {"error": "unknown device or wrong secret"})] * 6
        assert door.hub.events("unit_moved") + door.hub.events("unit_task_seen") == []


async def test_a_device_does_not_speak_for_another() -> None:
    async with open_door() as door:
        now = door.hub.app.clock.now()
        basic = {"Authorization": "Basic " + base64.b64encode(b"s1:secret-of-s1").decode()}
        place = {"id": "s2", "lat": "17", "lon": "99.8", "timestamp": str(now)}
        async with (
            aiohttp.ClientSession(headers=basic) as http,
            http.post(door.hub.hook("position"), params=place) as answer,
        ):
            assert answer.status == 401
        assert door.hub.events("unit_moved") == []


async def test_a_post_that_is_wrong_says_why_to_whom_it_belongs() -> None:
    async with open_door() as door:
        place = {"lat": "999", "lon": "99.8", "timestamp": str(door.hub.app.clock.now())}
        answer = await door.ask("POST", "position", params=place)
        assert answer == (400, {"error": "lat is 999, not within -90 to 90"})


async def test_a_late_point_changes_nothing_also_after_a_restart() -> None:
    async with open_door() as door:
        now = door.hub.app.clock.now()
        assert (await door.moved(now - 60, 17.2))[0] == 200
        assert (await door.moved(now - 120, 17.1))[0] == 200
        assert (await door.moved(now - 60, 17.3))[0] == 200
        assert await door.hub.restart() == "running"
        assert (await door.moved(now - 61, 17.4))[0] == 200
        assert [event.data["lat"] for event in door.hub.events("unit_moved")] == [17.2]
        assert (attributes(door.hub)["lat"], attributes(door.hub)["fix_at"]) == (17.2, pytest.approx(now - 60))
        assert (await door.moved(now - 59, 17.5))[0] == 200
        assert attributes(door.hub)["lat"] == 17.5


async def test_a_point_that_could_not_be_kept_is_taken_when_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_door() as door:
        now, submit = door.hub.app.clock.now(), door.hub.app.pipeline.submit

        async def full(*_: Any) -> Any:
            raise ConnectionError("the disk is full")

        monkeypatch.setattr(door.hub.app.pipeline, "submit", full)
        assert (await door.moved(now))[0] == 500
        monkeypatch.setattr(door.hub.app.pipeline, "submit", submit)
        assert (await door.moved(now))[0] == 200
        assert len(door.hub.events("unit_moved")) == 1


async def test_a_task_is_on_the_phone_and_its_seeing_is_told_once() -> None:
    async with open_door() as door:
        nothing = {"status": "available", "text": None, "incident": None, "lat": None, "lon": None, "seen": False}
        assert await door.ask("GET", "task") == (200, nothing)
        assert (await door.ask("POST", "task/seen"))[0] == 200
        assert door.hub.events("unit_task_seen") == []
        done(await door.hub.call("unit.alert", "unit.s1", CASE))
        done(await door.hub.call("unit.set_status", "unit.s1", {"status": "busy", "incident": "incident.7"}))
        assert await door.ask("GET", "task") == (200, {"status": "busy", **CASE, "seen": False})
        assert await door.ask("GET", "task", "s2") == (200, nothing)
        for _ in range(2):
            assert await door.ask("POST", "task/seen") == (200, {"ok": True})
        (seen,) = door.hub.events("unit_task_seen")
        assert (seen.entity, seen.data["incident"]) == ("unit.s1", "incident.7")
        assert attributes(door.hub)["task_seen_at"] == seen.data["seen_at"]


async def test_a_new_task_is_not_seen_because_the_one_before_was() -> None:
    async with open_door() as door:
        done(await door.hub.call("unit.alert", "unit.s1", CASE))
        await door.ask("POST", "task/seen")
        done(await door.hub.call("unit.alert", "unit.s1", CASE | {"incident": "incident.8"}))
        seen = attributes(door.hub)
        assert (seen["task_incident"], seen["task_seen_at"]) == ("incident.8", None)
        await door.ask("POST", "task/seen")
        assert [event.data["incident"] for event in door.hub.events("unit_task_seen")] == ["incident.7", "incident.8"]


async def test_the_task_of_a_closed_case_leaves_the_phone() -> None:
    async with harness(HERE, CONFIG, beside=[{"plugin": "incident_desk"}]) as hub, aiohttp.ClientSession() as http:
        door = Door(hub, http)
        case = done(await hub.call("incident.open", params={"kind": "test", "title": "รถต้องสงสัย"}))
        done(await hub.call("incident.assign", case, {"unit": "unit.s1"}))
        assert (await door.ask("GET", "task"))[1]["text"] == "รถต้องสงสัย"
        done(await hub.call("incident.close", case, {"result": "resolved"}))
        status, task = await door.ask("GET", "task")
        assert (status, task["status"], task["text"]) == (200, "available", None)


async def test_statuses_and_what_is_none() -> None:
    async with open_door() as door:
        for status in ("busy", "off_duty", "available"):
            done(await door.hub.call("unit.set_status", "unit.s2", {"status": status}))
            state = door.hub.state("unit.s2")
            assert state is not None
            assert state.state == status
        wrong = await door.hub.call("unit.set_status", "unit.s2", {"status": "asleep"})
        assert wrong.error is not None
        assert (wrong.error["message"], wrong.error["hint"]) == (
            "'asleep' is no status", "one of available, busy, off_duty",
        )  # fmt: skip
        done(await door.hub.call("unit.set_status", "unit.s2", {"status": "off_duty"}))
        assert await door.hub.restart() == "running"
        state = door.hub.state("unit.s2")
        assert state is not None
        assert state.state == "off_duty"


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ([DEVICES[0], DEVICES[0]], "s1 stands there twice"),
        ([DEVICES[0] | {"secret": "short"}], "at least 8"),
        ([DEVICES[0] | {"id": "S 1"}], "match pattern"),
    ],
)
def test_wrong_settings_are_named(devices: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate({"devices": devices})


def test_a_secret_is_not_shown() -> None:
    assert "secret-of-s1" not in repr(Settings.model_validate(CONFIG))
