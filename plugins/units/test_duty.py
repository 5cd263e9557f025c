"""Duty, SOS and the dead-man timer: at the phone page's own door, by forms and by what its script sends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.capabilities import UnitTimerSet
from hub.sdk import ManualClock
from hub.testing import Harness, harness
from plugins.units.keys import KEY_LIFE_S, Keys

HERE = Path(__file__).parent
DEVICES: list[dict[str, Any]] = [
    {"id": one, "name": {"th": f"สายตรวจ {one}", "en": f"Patrol {one}"}, "secret": f"secret-of-{one}"}
    for one in ("s1", "s2")
]
CONFIG = {"devices": DEVICES}
HERE_FIX = {"lat": 17.0079, "lon": 99.8228, "accuracy_m": 7.0}


class Phone:
    """The page's requests, as a browser makes them."""

    def __init__(self, hub: Harness, http: aiohttp.ClientSession) -> None:
        self.hub, self._http = hub, http

    async def sign_in(self, secret: str = "secret-of-s1") -> str:
        data = {"device": "s1", "secret": secret}
        async with self._http.post(self.hub.hook("phone/sign_in"), data=data, allow_redirects=False) as answer:
            assert answer.status == 303
            return answer.headers["Location"]

    async def form(self, name: str, **fields: str) -> tuple[int, str]:
        """Post a form; status and the page that follows."""
        async with self._http.post(self.hub.hook(f"phone/{name}"), data=fields) as answer:
            return answer.status, await answer.text()

    async def report(self, *items: dict[str, Any], body: bytes | None = None) -> tuple[int, Any]:
        raw = json.dumps({"items": items}).encode() if body is None else body
        async with self._http.post(self.hub.hook("phone/report"), data=raw) as answer:
            return answer.status, json.loads(await answer.read())

    async def app_point(self, at: float, **more: str) -> tuple[int, Any]:
        """A position of Traccar Client."""
        query = {"id": "s1", "secret": "secret-of-s1", "lat": "17.0", "lon": "99.8", "timestamp": str(at), **more}
        async with self._http.post(self.hub.hook("position"), params=query) as answer:
            return answer.status, json.loads(await answer.read())

    def shown(self) -> dict[str, Any]:
        state = self.hub.state("unit.s1")
        assert state is not None
        return {**state.attributes, "state": state.state}


@asynccontextmanager
async def phone(
    clock: ManualClock | None = None, signed_in: bool = True, beside: Sequence[Mapping[str, Any]] = ()
) -> AsyncIterator[Phone]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        harness(HERE, CONFIG, clock=clock, beside=beside) as hub,
        aiohttp.ClientSession(cookie_jar=jar) as http,
    ):
        one = Phone(hub, http)
        if signed_in:
            await one.sign_in()
        yield one


# --- who it is


async def test_only_the_devices_secret_opens_the_page() -> None:
    async with phone(signed_in=False) as one:
        assert await one.sign_in("wrong-secret") == "/hook/units/phone?wrong=1"
        assert (await one.report({"id": "a", "kind": "sos"}))[0] == 401
        assert "Unknown device" not in (await one.form("sos"))[1]
        assert one.hub.events("sos_raised") == []
        assert await one.sign_in() == "/hook/units/phone"
        assert (await one.report())[0] == 200


async def test_a_key_ends_with_its_secret_and_its_time() -> None:
    class Held:
        secret, entity = "secret-of-s1", "unit.s1"

    clock, unit = ManualClock(1_790_000_000.0), Held()
    keys = Keys(clock, {"s1": unit})  # type: ignore[dict-item]
    key = await keys.admit("s1", "secret-of-s1")
    assert key is not None
    assert await keys.holder(key) == "unit.s1"
    assert await keys.admit("s1", "other") is None
    assert [await keys.holder(bad) for bad in ("", "s1", "s1.x.y", key[:-1], key.replace("s1", "s2", 1))] == [None] * 5
    unit.secret = "a-new-secret"
    assert await keys.holder(key) is None
    unit.secret = "secret-of-s1"
    clock.advance(KEY_LIFE_S + 1)
    assert await keys.holder(key) is None


# --- duty


async def test_off_duty_no_position_is_kept() -> None:
    async with phone() as one:
        now = time.time()
        assert await one.app_point(now - 5) == (200, {})
        _, page = await one.form("status", status="off_duty")
        assert "ไม่รับและไม่เก็บตำแหน่ง" in page
        a = one.shown()
        assert (a["state"], a["lat"], a["lon"], a["fix_at"], a["silent_after"]) == ("off_duty", None, None, None, None)
        before = len(one.hub.events())
        assert await one.app_point(now) == (
            200, {"kept": False, "reason": "off duty: this position is not kept"},
        )  # fmt: skip
        _, told = await one.report({"id": "p", "kind": "position", "at": now, **HERE_FIX})
        assert told["items"] == [{"id": "p", "result": "not_kept"}]
        assert len(one.hub.events()) == before  # nothing of it is written down anywhere


async def test_what_was_gathered_off_duty_is_not_kept_when_duty_begins() -> None:
    clock = ManualClock(1_790_000_000.0)
    async with phone(clock) as one:
        await one.form("status", status="off_duty")
        clock.advance(600)
        await one.form("status", status="available")
        clock.advance(5)
        assert (await one.app_point(clock.now() - 300))[1]["kept"] is False
        assert await one.app_point(clock.now()) == (200, {})
        assert [event.data["fix_at"] for event in one.hub.events("unit_moved")] == [clock.now()]
        assert one.shown()["silent_after"] == 180.0


async def test_a_closed_case_brings_nobody_on_duty() -> None:
    async with phone(beside=[{"plugin": "incident_desk"}]) as one:
        case = (await one.hub.call("incident.open", params={"kind": "test", "title": "รถต้องสงสัย"})).result
        assert (await one.hub.call("incident.assign", case, {"unit": "unit.s1"})).status == "done"
        await one.form("status", status="off_duty")
        assert (await one.hub.call("incident.close", case, {"result": "resolved"})).status == "done"
        assert one.shown()["state"] == "off_duty"
        await one.hub.call("unit.set_status", "unit.s1", {"status": "available"})
        assert one.shown()["state"] == "available"


# --- SOS


async def test_an_sos_without_a_script_is_told_and_shown() -> None:
    async with phone() as one:
        await one.app_point(time.time())
        status, page = await one.form("sos", sos_id="press-1")
        assert status == 200
        assert "ศูนย์ได้รับ SOS แล้ว" in page
        (event,) = one.hub.events("sos_raised")
        assert (event.entity, event.data["kind"], event.data["lat"], event.data["sos_id"]) == (
            "unit.s1", "button", 17.0, "press-1",
        )  # fmt: skip
        assert one.hub.app.pipeline.types.need("sos_raised").lane.value == "emergency"
        state = one.hub.state("unit.s1")
        assert state is not None
        assert state.personal["sos_lat"] == "position"
        await one.form("sos", sos_id="press-1")
        await one.form("sos", sos_id="press-2")  # at once after it: the same call for help
        assert len(one.hub.events("sos_raised")) == 1
        _, page = await one.form("sos_over", reason="กดผิด")
        assert "ศูนย์ได้รับ SOS แล้ว" not in page
        (over,) = one.hub.events("sos_cleared")
        assert (over.data["by"], over.data["reason"]) == ("unit.s1", "กดผิด")
        assert (one.shown()["sos_at"], one.shown()["sos_lat"]) == (None, None)


async def test_an_sos_that_was_kept_offline_brings_its_own_time_and_position() -> None:
    async with phone() as one:
        at = time.time() - 900
        item = {"id": "q1", "kind": "sos", "at": at, **HERE_FIX}
        for _ in range(2):
            _, told = await one.report(item)
            assert told["items"] == [{"id": "q1", "result": "taken"}]
        (event,) = one.hub.events("sos_raised")
        assert (event.data["raised_at"], event.data["lat"], event.data["accuracy_m"]) == (at, 17.0079, 7.0)
        assert told["sos_at"] == at


async def test_the_position_that_was_missing_comes_after_it() -> None:
    async with phone() as one:
        await one.report({"id": "q1", "kind": "sos", "at": time.time()})
        await one.report({"id": "q1", "kind": "sos", "at": time.time(), **HERE_FIX})
        await one.report({"id": "q1", "kind": "sos", "at": time.time(), **HERE_FIX})
        assert [event.data["lat"] for event in one.hub.events("sos_raised")] == [None, 17.0079]


async def test_an_sos_is_never_refused_for_what_stands_beside_it() -> None:
    async with phone() as one:
        await one.form("status", status="off_duty")
        odd = {"id": "<script>", "kind": "sos", "at": "now", "lat": 999, "lon": "x"}
        assert (await one.report(odd))[1]["items"][0]["result"] == "taken"
        (event,) = one.hub.events("sos_raised")
        assert event.data["lat"] is None
        assert event.data["sos_id"] != "<script>"


async def test_the_desk_clears_it_too() -> None:
    async with phone() as one:
        await one.form("sos")
        assert (await one.hub.call("unit.clear_sos", "unit.s1", {"reason": "ปลอดภัย"})).status == "done"
        assert (await one.hub.call("unit.clear_sos", "unit.s1", {"reason": "again"})).status == "done"
        assert [event.data["by"] for event in one.hub.events("sos_cleared")] == ["user:test"]


# --- the dead-man timer


async def test_a_timer_without_a_tap_raises_an_sos_also_across_a_restart() -> None:
    clock = ManualClock(1_790_000_000.0)
    async with phone(clock) as one:
        await one.app_point(clock.now())
        _, page = await one.form("timer", minutes="15")
        assert "มิฉะนั้นส่ง SOS เอง" in page
        assert one.shown()["timer_due"] == clock.now() + 900
        clock.advance(600)
        await one.form("timer", minutes="tap")
        assert one.shown()["timer_due"] == clock.now() + 900
        clock.advance(890)
        assert await one.hub.restart() == "running"
        await turns()
        assert one.hub.events("sos_raised") == []
        await one.hub.unload()
        clock.advance(60)  # it ran out while nobody looked
        assert await one.hub.restart() == "running"
        for _ in range(3):
            clock.advance(1)
            await turns()
        (event,) = one.hub.events("sos_raised")
        assert (event.data["kind"], event.data["lat"]) == ("dead_man", 17.0)
        assert one.shown()["timer_due"] is None
        assert await one.hub.restart() == "running"
        clock.advance(5)
        await turns()
        assert len(one.hub.events("sos_raised")) == 1


async def test_a_tap_by_the_script_and_the_end_of_duty_end_it() -> None:
    clock = ManualClock(1_790_000_000.0)
    async with phone(clock) as one:
        await one.form("timer", minutes="30")
        clock.advance(100)
        await one.report({"id": "t", "kind": "tap"})
        assert one.shown()["timer_due"] == clock.now() + 1800
        await one.form("timer", minutes="stop")
        assert one.shown()["timer_due"] is None
        await one.report({"id": "t2", "kind": "tap"})
        assert one.shown()["timer_due"] is None
        await one.form("timer", minutes="30")
        await one.form("status", status="off_duty")
        assert one.shown()["timer_due"] is None
        status, said = await one.form("timer", minutes="30")
        assert (status, json.loads(said)["error"]["message"]) == (400, "the timer runs on duty only")


async def test_a_crash_between_the_sos_and_the_end_of_its_timer_raises_no_second_one() -> None:
    clock = ManualClock(1_790_000_000.0)
    async with phone(clock) as one:
        await one.form("timer", minutes="15")
        due = one.shown()["timer_due"]
        clock.advance_to(due + 1)
        await one.hub.wait_event("sos_raised")
        await one.hub.until(lambda: one.shown()["timer_due"] is None)
        await one.hub.emit(UnitTimerSet(minutes=15, due=due), entity="unit.s1")  # as if that had not been written
        clock.advance(60)
        await one.hub.until(lambda: one.shown()["timer_due"] is None)
        assert [event.data["sos_id"] for event in one.hub.events("sos_raised")] == [f"timer-{due:.0f}"]


async def turns() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


# --- five kinds of bad input


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "the body is no JSON"),
        (b'{"items": [' + b'{"id":"x"},' * 8000 + b"{}]}", "the body is over 64 KB"),
        (b'{"items": {"id": 1}}', "items is no list of objects"),
        (b'{"items": [' + b"{}," * 100 + b"{}]}", "more than 100 items"),
    ],
)
async def test_bad_reports_are_named(body: bytes, words: str) -> None:
    async with phone() as one:
        status, answer = await one.report(body=body)
        assert (status, answer["error"]["message"]) == (400, words)
        assert (await one.report({"id": "a", "kind": "sos"}))[0] == 200


async def test_bad_items_harm_no_good_one_and_bad_forms_are_named() -> None:
    async with phone() as one:
        now = time.time()
        _, told = await one.report(
            {"id": 1, "kind": "position", "at": now, "lat": 95, "lon": 99}, {"id": 2, "kind": "dance"},
            {"id": 3, "kind": "position", "at": "soon", **HERE_FIX},
            {"id": 4, "kind": "position", "at": now, **HERE_FIX},
        )  # fmt: skip
        assert [item["result"] for item in told["items"]] == ["wrong", "wrong", "wrong", "taken"]
        assert told["items"][0]["reason"] == "lat is 95, not within -90 to 90"
        assert json.loads((await one.form("status", status="asleep"))[1])["error"]["message"] == (
            "'asleep' is no status"
        )
        assert json.loads((await one.form("timer", minutes="99"))[1])["error"]["hint"] == (
            "one of 15, 30, 60, tap or stop"
        )
        assert json.loads((await one.form("sos_over", reason="x" * 5000))[1])["error"]["message"] == (
            "the form is over 4 KB"
        )


async def test_a_flood_is_slowed_and_what_was_acknowledged_is_there() -> None:
    async with phone() as one:
        answers = await asyncio.gather(*(one.report({"id": f"n{n}", "kind": "sos"}) for n in range(120)))
        assert {status for status, _ in answers} == {200, 429}
        assert len(one.hub.events("sos_raised")) == 1


async def test_silence_in_the_middle_of_a_message_stops_nobody() -> None:
    async with phone() as one:
        _, writer = await asyncio.open_connection("127.0.0.1", one.hub.port)
        writer.write(b"POST /hook/units/phone/report HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n{\"ite")
        await writer.drain()
        assert (await one.report({"id": "a", "kind": "sos"}))[0] == 200
        writer.close()
        assert len(one.hub.events("sos_raised")) == 1
