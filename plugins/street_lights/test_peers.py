"""Against what is not our own: Debian's mosquitto as the broker, and a light of ha-mqtt-discoverable as the lamp."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from plugins.street_lights.conftest import MOSQUITTO, mosquitto, scene

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (Debian: mosquitto)")


@needs_mosquitto
async def test_lamps_over_mosquitto(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as port, scene(4, port=port) as at:
        for name in at.street.lamps:
            await at.do("turn_on", name, brightness_pct=20)
        for name in at.street.lamps:
            await at.shows(name, state="on", level_pct=20.1, fault=None)
        await at.street.do("dark", "lamp_03")
        fault = await at.hub.wait_event("light_fault", entity="light.lamp_03", timeout=15)
        assert fault.data["detail"] == "commanded 20 %, reports off"


@needs_mosquitto
async def test_an_independent_light(tmp_path: Path) -> None:
    """Its JSON schema, its topics, its unique_id; its commands come on a thread of paho."""
    pytest.importorskip("ha_mqtt_discoverable", reason="ha-mqtt-discoverable is not installed (test extra)")
    from ha_mqtt_discoverable import Settings
    from ha_mqtt_discoverable.sensors import Light, LightInfo

    heard: list[dict[str, Any]] = []

    def obey(client: Any, user_data: Any, message: Any) -> None:
        told = json.loads(message.payload.decode())
        heard.append(told)
        if told["state"] == "OFF":
            light.off()
        elif "brightness" in told:
            light.brightness(told["brightness"])
        else:
            light.on()

    async with mosquitto(tmp_path) as port, scene(1, port=port) as at:
        broker = Settings.MQTT(host="127.0.0.1", port=port)
        info = LightInfo(name="โคมหน้าวัด", unique_id="temple_lamp_ก", brightness=True)
        light = await asyncio.to_thread(Light, Settings(mqtt=broker, entity=info), obey)
        await asyncio.to_thread(light.write_config)

        def found() -> str | None:
            rows = [one.entity for one in at.hub.entities() if one.attributes.get("unique_id") == "temple_lamp_ก"]
            return rows[0] if rows else None

        entity = await at.until(found)
        name = str(entity).removeprefix("light.")
        await at.do("turn_off", name)  # it says how it is only when it changes, and keeps nothing in the broker
        shown = await at.shows(name, state="off", level_pct=0.0)
        assert "โคมหน้าวัด" in shown["name"]["th"]
        await at.do("boost", name, brightness_pct=60, minutes=0.05, reason="ทดสอบ")
        await at.shows(name, state="on", level_pct=60.0)
        await at.shows(name, state="off", boost_until=None)
        assert heard == [{"state": "OFF"}, {"state": "ON", "brightness": 153}, {"state": "OFF"}]
        light.mqtt_client.loop_stop()
        light.mqtt_client.disconnect()
