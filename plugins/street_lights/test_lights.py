"""Lamps in the real hub over a real broker: found, commanded, boosted, held by hand, faulty."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from hub.sdk import Context, Denied, LimitExceeded, ManualClock
from hub.testing import harness
from plugins.street_lights import listen
from plugins.street_lights.conftest import HERE, Scene, scene
from plugins.street_lights.discovery import LampConfig
from plugins.street_lights.plan import BANGKOK
from plugins.street_lights.street import Street

GROUP = {"id": "market", "name": {"th": "ตลาด", "en": "Market"}, "members": ["lamp_*"]}


async def test_lamps_announce_themselves_and_what_they_report_is_their_state() -> None:
    gate = {"unique_id": "lamp_02", "name": {"th": "ประตู", "en": "Gate"}, "position": [17, 99.8]}
    async with scene(2, lamps=[gate]) as at:
        first, second = await at.shows("lamp_01", state="off"), await at.shows("lamp_02", state="off")
        assert first["name"] == {"th": "ไฟถนน lamp_01 light", "en": "ไฟถนน lamp_01 light"}
        assert (second["name"]["en"], second["lat"], second["unique_id"]) == ("Gate", 17, "lamp_02")
        for name in ("lamp_01", "lamp_02"):  # the plain schema and the JSON one
            assert await at.do("turn_on", name, brightness_pct=40) == {
                "level_pct": 40, "until": None, "limited_by": None,
            }  # fmt: skip
            shown = await at.shows(name, state="on", level_pct=40.2, commanded_pct=40.0, why="command")
            assert time.time() - shown["reported_at"] < 20
            await at.do("turn_off", name)
            await at.shows(name, state="off", level_pct=0.0, commanded_pct=0.0)
        assert at.street.lamps["lamp_01"].told == ["brightness/set 102", "set ON", "set OFF"]
        assert at.street.lamps["lamp_02"].told == ['set {"state": "ON", "brightness": 102}', 'set {"state": "OFF"}']


async def test_a_lamp_switched_by_another_hand_is_shown_as_it_is() -> None:
    async with scene(1) as at:
        lamp = at.street.lamps["lamp_01"]
        lamp.on, lamp.raw = True, 127
        await at.street.say(lamp)
        shown = await at.shows("lamp_01", state="on", level_pct=50.0)
        assert (shown.get("commanded_pct"), lamp.told) == (None, [])  # nobody asked the hub


async def test_a_boost_returns_and_the_same_call_twice_is_one() -> None:
    async with scene(1) as at:
        await at.do("turn_on", "lamp_01", brightness_pct=30)
        outcome = await at.hub.call(
            "light.boost", "light.lamp_01", {"brightness_pct": 100, "minutes": 0.05, "reason": "sos"}, key="k1"
        )
        again = await at.hub.call(
            "light.boost", "light.lamp_01", {"brightness_pct": 100, "minutes": 0.05, "reason": "sos"}, key="k1"
        )
        assert outcome.result == again.result
        shown = await at.shows("lamp_01", level_pct=100.0, why="boost")
        assert (shown["boost_pct"], shown["boost_by"], shown["boost_reason"]) == (100, "user:test", "sos")
        back = await at.shows("lamp_01", state="on", level_pct=29.9, boost_until=None, commanded_pct=30.0)
        assert (back["boost_pct"], back["boost_by"]) == (None, None)


async def test_a_boost_of_a_lamp_that_nobody_commanded_returns_to_what_it_was() -> None:
    async with scene(1) as at:
        await at.do("boost", "lamp_01", brightness_pct=80, minutes=0.03)
        await at.shows("lamp_01", state="on", level_pct=79.9)
        await at.shows("lamp_01", state="off", commanded_pct=0.0, boost_until=None)


async def test_a_hand_wins_until_it_lets_go() -> None:
    async with scene(2, groups=[GROUP]) as at:
        answer = await at.do("override", "lamp_01", level_pct=0, reason="ช่างซ่อมสาย", minutes=60)
        assert abs(answer["until"] - time.time() - 3600) < 20
        shown = await at.shows("lamp_01", override_pct=0.0)
        assert (shown["override_by"], shown["override_reason"]) == ("user:test", "ช่างซ่อมสาย")
        refused = await at.hub.call("light.boost", "light.lamp_01", {})
        assert (refused.status, refused.error["code"]) == ("failed", "conflict")  # type: ignore[index]
        assert "user:test holds it at 0 % until" in refused.error["message"]  # type: ignore[index]
        group = await at.do("boost", "market", brightness_pct=100, minutes=5)
        assert (group["done"], list(group["refused"])) == (1, ["light.lamp_01"])
        await at.shows("lamp_02", state="on", level_pct=100.0)
        await at.shows("market", state="on", level_pct=100.0, members=["light.lamp_01", "light.lamp_02"])
        assert at.light("lamp_01")["state"] == "off"
        await at.do("release", "market")
        assert (await at.shows("lamp_01", override_pct=None))["override_by"] is None
        await at.shows("lamp_02", state="off")
        await at.do("turn_on", "lamp_01")
        await at.shows("lamp_01", state="on")


@pytest.mark.parametrize(("until", "words"), [("tomorrow", "no time"), ("2020-01-01T00:00+07:00", "in the future")])
async def test_an_end_that_is_none_is_refused(until: str, words: str) -> None:
    async with scene(1) as at:
        outcome = await at.hub.call("light.override", "light.lamp_01", {"level_pct": 5, "reason": "x", "until": until})
        assert words in outcome.error["message"]  # type: ignore[index]
        end = (datetime.now(BANGKOK) + timedelta(hours=2)).isoformat()
        answer = await at.do("override", "lamp_01", level_pct=5, reason="x", until=end)
        assert answer["until"] == pytest.approx(datetime.fromisoformat(end).timestamp())


async def test_a_lamp_that_does_not_obey_is_told_again_and_then_is_a_fault() -> None:
    async with scene(1) as at:
        await at.street.do("fail", "lamp_01")
        await at.do("turn_on", "lamp_01")
        fault = await at.hub.wait_event("light_fault", entity="light.lamp_01", timeout=15)
        assert (fault.data["kind"], fault.data["detail"]) == ("disobeys", "commanded 100 %, reports off")
        assert at.street.lamps["lamp_01"].told.count("set ON") == 4
        shown = at.light("lamp_01")
        assert (shown["state"], shown["commanded_pct"], shown["fault_kind"]) == ("off", 100.0, "disobeys")
        await at.street.do("heal", "lamp_01")
        lamp = at.street.lamps["lamp_01"]
        lamp.on = True
        await at.street.say(lamp)
        await at.hub.wait_event("light_fault_cleared", entity="light.lamp_01")
        await at.shows("lamp_01", state="on", fault=None, fault_kind=None)


async def test_a_lamp_without_power_is_unavailable_and_gets_its_level_when_it_is_back() -> None:
    async with scene(1) as at:
        await at.do("turn_on", "lamp_01", brightness_pct=60)
        await at.shows("lamp_01", state="on")
        await at.street.do("offline", "lamp_01")
        await at.shows("lamp_01", state="unavailable", fault="it says on MQTT that it is offline", level_pct=None)
        outcome = await at.hub.call("light.boost", "light.lamp_01", {"brightness_pct": 90, "minutes": 30})
        assert outcome.error["code"] == "unavailable"  # type: ignore[index]
        assert "done when the lamp is back" in outcome.error["message"]  # type: ignore[index]
        at.street.lamps["lamp_01"].on = False  # as after a cut of power
        await at.street.do("online", "lamp_01")
        await at.shows("lamp_01", state="on", level_pct=90.2, fault=None)


async def test_the_gateway_s_will_takes_all_its_lamps_and_they_come_back() -> None:
    async with scene(2, groups=[GROUP]) as at:
        await at.do("turn_on", "market", brightness_pct=50)
        await at.shows("market", state="on", level_pct=50.0)
        at.street.ready.clear()
        at.street.cut()
        for name in at.street.lamps:
            lost = {"state": "unavailable"}
            await at.hub.wait_event("light_reported", entity=f"light.{name}", match=lost, timeout=15)
        await at.shows("lamp_01", state="on", level_pct=50.0)
        await asyncio.wait_for(at.street.ready.wait(), 15)


async def test_an_empty_announcement_takes_the_lamp_out_and_a_changed_one_changes_it() -> None:
    async with scene(2) as at:
        lamp = at.street.lamps["lamp_01"]
        changed = lamp.config() | {"name": "ใหม่", "dev": {"ids": ["x"]}}
        await at.street.publish("homeassistant/light/lamp_01/config", _json(changed))
        await at.until(lambda: at.light("lamp_01")["name"]["th"] == "ใหม่")
        await at.street.publish("homeassistant/light/lamp_01/config", "")
        await at.until(lambda: at.hub.state("light.lamp_01") is None)
        assert at.light("lamp_02")["state"] == "off"
        await at.street.announce()
        await at.shows("lamp_01", state="off")


async def test_a_configured_lamp_that_never_announces_itself_is_a_fault() -> None:
    async with scene(1, lamps=[{"unique_id": "lamp_77", "position": [17.0, 99.8]}]) as at:
        fault = await at.hub.wait_event("light_fault", entity="light.lamp_77", timeout=15)
        assert (fault.data["kind"], fault.data["detail"]) == ("unavailable", "it has not announced itself on MQTT")
        assert at.light("lamp_77")["state"] == "unavailable"


async def test_limits_bind_everyone_and_are_the_municipality_s_to_set() -> None:
    async with scene(1, limits={"max_brightness_pct": 80, "max_boost_min": 10}) as at:
        answer = await at.do("boost", "lamp_01", brightness_pct=100, minutes=600)
        assert (answer["level_pct"], answer["limited_by"]) == (80, "max_brightness_pct")
        assert abs(answer["until"] - time.time() - 600) < 20
        with pytest.raises(Denied):
            await at.hub.call("street_lights.set_limits", params={"max_brightness_pct": 100}, roles=["ccoc"])
        given = {"max_brightness_pct": 60, "quiet_from": "00:00", "quiet_to": "23:59", "quiet_max_pct": 20}
        done = await at.hub.call("street_lights.set_limits", params=given, roles=["municipality"])
        assert done.result["max_boost_min"] == 10
        await at.shows("lamp_01", level_pct=59.8, commanded_pct=60.0)  # the boost that runs is bound too
        told = await at.hub.wait_event("light_limits_changed")
        assert (told.data["by"], told.data["max_brightness_pct"]) == ("user:test", 60)
        await at.do("release", "lamp_01")
        assert (await at.do("turn_on", "lamp_01"))["limited_by"] == "quiet_max_pct"
        await at.shows("lamp_01", level_pct=20.1)
        wrong = await at.hub.call("street_lights.set_limits", params={"quiet_from": "25:00"})
        assert "22:00" in wrong.error["message"]  # type: ignore[index]
        none = await at.hub.call("street_lights.set_limits", params={"quiet_from": "", "quiet_to": ""})
        assert none.status == "done"
        await at.shows("lamp_01", commanded_pct=60.0)
        await at.hub.restart()
        await at.until(lambda: _whole(at).get("max_brightness_pct") == 60)


async def test_the_municipality_controls_the_lights_and_the_public_does_not() -> None:
    async with scene(1) as at:
        done = await at.hub.call("light.turn_on", "light.lamp_01", roles=["municipality"])
        assert done.status == "done"
        for role in ("public", "partner", "auditor"):
            with pytest.raises(Denied):
                await at.hub.call("light.turn_off", "light.lamp_01", roles=[role])
        await at.shows("lamp_01", state="on")


async def test_after_a_restart_of_the_plugin_plans_and_lamps_are_there() -> None:
    async with scene(2) as at:
        await at.do("override", "lamp_01", level_pct=70, reason="งานวัด", minutes=60)
        await at.do("boost", "lamp_02", brightness_pct=90, minutes=60, reason="sos")
        await at.shows("lamp_01", state="on", level_pct=70.1)
        await at.shows("lamp_02", state="on", level_pct=90.2)
        told = [len(lamp.told) for lamp in at.street.lamps.values()]
        await at.hub.restart()
        first = await at.shows("lamp_01", state="on", override_pct=70.0)
        assert first["override_reason"] == "งานวัด"
        await at.shows("lamp_02", state="on", boost_pct=90.0)
        assert [len(lamp.told) for lamp in at.street.lamps.values()] == told  # they are as they should be
        await at.do("release", "lamp_01")
        await at.shows("lamp_01", state="off")


async def test_the_same_unique_id_twice_and_forgetting(at_most: float = 15.0) -> None:
    async with scene(1) as at:
        lamp = at.street.lamps["lamp_01"]
        await at.street.publish("homeassistant/light/other/config", _json(lamp.config()))
        refused = await at.hub.wait_event("light_discovery_refused", timeout=at_most)
        assert refused.data["topic"] == "homeassistant/light/other/config"
        assert "announced at homeassistant/light/lamp_01/config already" in refused.data["reason"]
        forget = await at.hub.call("street_lights.forget", params={"light": "light.lamp_01"})
        assert forget.status == "done" and at.hub.state("light.lamp_01") is None
        unknown = await at.hub.call("street_lights.forget", params={"light": "light.none"})
        assert unknown.error["code"] == "not_found"  # type: ignore[index]


@pytest.mark.parametrize(
    ("topic", "payload", "words"),
    [
        ("homeassistant/light/bad/config", "{no json", "no JSON"),
        ("homeassistant/light/bad/config", "[" * 9000, "no JSON"),
        ("homeassistant/light/bad/config", '{"cmd_t":"a/set","name":"x\\ud800","uniq_id":"evil"}', "no JSON in UTF-8"),
        ("homeassistant/light/bad/config", '{"cmd_t":"a/set","pl_on":"\\ud800"}', "no JSON in UTF-8"),
        ("homeassistant/light/bad/config", '{"cmd_t":"a/b","x":"' + "x" * (17 << 10) + '"}', "over 16 KiB"),
        ("homeassistant/light/bad/config", '{"cmd_t": 5, "bri_scl": "x"}', "brightness_scale"),
        ("homeassistant/light/bad/config", '{"cmd_t": "#"}', "is no topic"),
        ("homeassistant/light/bad/config", "{}", "command_topic is missing"),
        ("homeassistant/light/bad/config", '{"schema": "template", "cmd_t": "a"}', "schema is 'template'"),
        ("homeassistant/light/bad/config", '{"cmd_t":"a","val_tpl":"{{ cycler(1) }}"}', "only {{ value_json.NAME }}"),
        ("homeassistant/light/ไทย/config", '{"cmd_t": "a"}', "letters, digits"),
    ],
)
async def test_a_bad_announcement_is_refused_by_name_and_harms_nobody(topic: str, payload: str, words: str) -> None:
    async with scene(1) as at:
        await at.street.publish(topic, payload, retain=False)
        refused = await at.hub.wait_event("light_discovery_refused", timeout=15)
        assert (refused.data["topic"], words in refused.data["reason"]) == (topic, True), refused.data
        await at.do("turn_on", "lamp_01")
        await at.shows("lamp_01", state="on", fault=None)
        assert at.hub.supervised.faults == 0


async def test_a_lamp_that_fails_costs_no_other_its_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(2) as at:
        config = sys.modules["hub_plugins.street_lights.discovery"].LampConfig
        real = config.commands

        def commands(lamp: LampConfig, level_pct: float) -> Any:
            if lamp.unique_id == "lamp_01":
                raise ValueError("a slip")
            return real(lamp, level_pct)

        monkeypatch.setattr(config, "commands", commands)
        assert (await at.hub.call("light.turn_on", "light.lamp_01")).status == "failed"
        await at.do("boost", "lamp_02", brightness_pct=60, minutes=0.02)
        await at.shows("lamp_02", state="on")
        await at.shows("lamp_02", state="off", boost_until=None)  # its time came with a tick
        await at.until(lambda: _whole(at).get("problem") == "light.lamp_01: ValueError: a slip")


async def test_listening_is_tried_again_whatever_stood_in_its_way() -> None:
    tries, told = [KeyError("a slip"), LimitExceeded("over 4000 subscriptions")], list[str]()

    class Road:
        async def connect(self, mqtt: object) -> None:
            if tries:
                raise tries.pop()
            told.append("heard")

    class Hub:
        clock, log = ManualClock(), logging.getLogger("test.lights")

        async def need(self, protocol: object) -> None: ...

        async def health(self, ok: bool, reason: str = "") -> None:
            told.append(reason)

    listening = asyncio.create_task(listen(cast(Context, Hub()), cast(Street, Road())))
    async with asyncio.timeout(10):
        while not listening.done():
            Hub.clock.advance(2.0)
            await asyncio.sleep(0)
    again = "the lamps cannot be heard: {}; it is tried again"
    assert told == [again.format("over 4000 subscriptions"), again.format("KeyError: 'a slip'"), "heard"]


@pytest.mark.parametrize("payload", ["MAYBE", "x" * 5000, "", "\ufffd"])
async def test_a_bad_state_is_named_and_the_one_before_stands(payload: str) -> None:
    async with scene(1) as at:
        await at.do("turn_on", "lamp_01")
        await at.shows("lamp_01", state="on")
        await at.street.publish("streetlights/lamp_01/state", payload, retain=False)
        if payload:
            await at.until(lambda: "streetlights/lamp_01/state" in _whole(at).get("problem", ""))
        lamp = at.street.lamps["lamp_01"]
        lamp.raw, lamp.failed = 127, True
        await at.street.say(lamp)
        await at.shows("lamp_01", state="on", level_pct=50.0)


async def test_a_flood_of_states_ends_in_the_newest_and_few_events() -> None:
    async with scene(2) as at:
        lamp = at.street.lamps["lamp_02"]
        before = len(at.hub.events("light_reported"))
        for n in range(2000):
            lamp.on, lamp.raw = True, n % 250
            for topic, payload in lamp.says():
                await at.street._client.publish(topic, payload, qos=0, retain=False)  # type: ignore[union-attr]
        lamp.raw = 254
        await at.street.say(lamp)
        await at.shows("lamp_02", state="on", level_pct=100.0)
        assert len(at.hub.events("light_reported")) - before < 200
        await at.do("turn_on", "lamp_01")
        await at.shows("lamp_01", state="on")


async def test_without_the_mqtt_plugin_it_says_so() -> None:
    async with harness(HERE, {"lamps": [{"unique_id": "a"}]}) as hub:
        async with asyncio.timeout(20):
            while "add the mqtt plugin" not in hub.supervised.reason:
                await hub.app.clock.sleep(0.2)
        outcome = await hub.call("light.turn_on", "light.a")
        assert "broker is not reached" in outcome.error["message"]  # type: ignore[index]


def _whole(at: Scene) -> dict[str, Any]:
    held = at.hub.state("lighting.street_lights")
    return dict(held.attributes) if held else {}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
