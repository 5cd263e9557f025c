"""Lights through the whole hub: a dark lamp raises an alarm and makes its neighbours brighter, and ``kill -9`` in the
middle of a boost loses neither the boost nor its end."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

from plugins.street_lights.fake import Street
from tests.scenarios.conftest import Begin
from tests.scenarios.kit import people, write_zone
from tests.scenarios.serve import Client, Served, session

NIGHT = """\
- id: dark_street
  use_blueprint: {path: dark_street.yaml, input: {minutes: 5, brightness_pct: 90}}
"""


def plugins(port: int, host: str = "", extra: str = "") -> str:
    """Both plugins with three lamps in a row, 50 m apart, and one far away."""
    lamps = "".join(
        f"        - {{unique_id: lamp_{n:02d}, position: [17.0{lat}, 99.8], name: {{th: เสา {n}, en: Pole {n}}}}}\n"
        for n, lat in ((1, "0000"), (2, "0045"), (3, "0090"), (4, "9000"))
    )
    return (
        f"  - {{plugin: mqtt, config: {{{host}port: {port}}}}}\n"
        f"  - plugin: street_lights\n    config:\n      fault_after_s: 1\n      neighbour_radius_m: 120\n{extra}"
        f"      lamps:\n{lamps}"
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_dark_lamp_raises_an_alarm_and_its_neighbours_are_boosted(begin: Begin, tmp_path: Path) -> None:
    port = free_port()
    scene = await begin(write_zone(tmp_path, plugins=plugins(port), automations=NIGHT))
    street = Street(port, 4)
    await street.start()

    def light(n: int) -> dict[str, Any]:
        held = scene.app.pipeline.state.get(f"light.lamp_{n:02d}")
        return {"state": held.state, **held.attributes} if held else {}

    try:
        await scene.until(lambda: all(light(n).get("state") == "off" for n in (1, 2, 3, 4)))
        officer = scene.machine("municipality")
        for n in (1, 2, 3, 4):
            await officer.act("light.turn_on", f"light.lamp_{n:02d}", brightness_pct=30)
        await scene.until(lambda: all(light(n).get("state") == "on" for n in (1, 2, 3, 4)))
        held = await officer.act("light.override", "light.lamp_01", level_pct=30, reason="ช่างอยู่บนเสา", minutes=30)
        assert held["level_pct"] == 30

        await street.do("dark", "lamp_02")
        fault = await scene.event("light_fault", kind="disobeys")
        alarm = await scene.event("alarm_raised")
        assert (fault.entity, fault.data["detail"]) == ("light.lamp_02", "commanded 30 %, reports off")
        assert alarm.data["title"] == "ถนนมืด: เสา 2"
        assert alarm.data["detail"] == "commanded 30 %, reports off"
        await scene.until(lambda: light(3).get("level_pct") == 90.2)
        assert light(3)["boost_reason"] == "ถนนมืดที่ เสา 2"
        assert light(3)["boost_by"] == "automation:dark_street"
        await scene.until(lambda: scene.events("action_finished", action="light.boost", status="failed"))
        assert (light(1)["level_pct"], light(4)["level_pct"]) == (29.9, 29.9)  # held by hand, and too far away
        await asyncio.sleep(0)
        assert len(scene.events("alarm_raised")) == 1
    finally:
        await street.stop()


async def test_a_boost_survives_a_kill_and_ends_when_it_should(tmp_path: Path) -> None:
    port = free_port()
    config = write_zone(tmp_path, plugins=plugins(port))
    folks = people(tmp_path / "data", ("ccoc",))
    street = Street(port, 4)
    starting = asyncio.create_task(street.start())
    async with session() as http:
        first = await asyncio.to_thread(Served(config, tmp_path / "data").start)
        try:
            await starting
            hub = Client(http, first.url, folks.bearer("ccoc"))
            await until(hub, "light.lamp_01", lambda one: one["state"] == "off")
            await hub.act("light.turn_on", "light.lamp_01", brightness_pct=30)
            await hub.act("light.override", "light.lamp_03", level_pct=70, reason="งานวัด", minutes=30)
            answer = await hub.act("light.boost", "light.lamp_01", brightness_pct=100, minutes=0.3, reason="sos")
            await street.until(lambda: street.lamps["lamp_01"].level == 100)
        finally:
            await asyncio.to_thread(first.kill)
        assert street.lamps["lamp_01"].level == 100
        with Served(config, tmp_path / "data") as second:
            hub = Client(http, second.url, folks.bearer("ccoc"))
            shown = await until(hub, "light.lamp_01", lambda one: one["attributes"].get("level_pct") == 100)
            assert shown["attributes"]["boost_until"] == answer["until"]
            back = await until(hub, "light.lamp_01", lambda one: one["attributes"].get("level_pct") == 29.9)
            assert time.time() >= answer["until"]
            assert back["attributes"]["boost_until"] is None
            held = await until(hub, "light.lamp_03", lambda one: one["attributes"].get("level_pct") == 70.1)
            assert held["attributes"]["override_reason"] == "งานวัด"
    await street.stop()


async def until(hub: Client, entity: str, what: Any, within: float = 40.0) -> dict[str, Any]:
    """Ask for an entity's state until it fits."""
    async with asyncio.timeout(within):
        while True:
            states = {state["entity"]: state for state in (await hub.get("/api/states"))["states"]}
            if entity in states and what(states[entity]):
                found: dict[str, Any] = states[entity]
                return found
            await asyncio.sleep(0.1)
