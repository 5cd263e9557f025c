"""SOS and the radio, both ways: an officer's SOS is announced, and a call for help on the radio becomes an incident."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.core.event import Draft
from plugins.radio_gateway import fake
from tests.scenarios.conftest import Begin, Scene
from tests.scenarios.kit import write_zone
from tests.scenarios.serve import ROOT

ANNOUNCE = """\
id: sos_radio
use_blueprint:
  path: sos_radio.yaml
  input: {radio: radio.patrol}
"""
ANSWER = """\
id: radio_alarm
use_blueprint:
  path: radio_alarm.yaml
  input: {reply: ศูนย์รับทราบ}
"""
RADIO = """\
  - plugin: radio_gateway
    config:
      host: 127.0.0.1
      port: PORT
      simulated: true
      demo_tones: true
      channels: [{id: patrol, name: {th: สายตรวจ, en: Patrol}, channel: สายตรวจ}]
      phrases:
        - {id: attention, th: ทุกหน่วยโปรดทราบ, en: all units}
        - {id: sos, th: ขอความช่วยเหลือ, en: needs help}
      templates: [{id: sos, phrases: [attention, "{unit}", sos]}]
"""


@pytest.fixture
async def server() -> AsyncIterator[fake.MumbleServer]:
    made = fake.MumbleServer(("Root", "สายตรวจ"))
    await made.start()
    made.add("S2", "สายตรวจ")
    yield made
    await made.stop()


async def begun(begin: Begin, folder: Path, server: fake.MumbleServer, rule: str) -> Scene:
    config = write_zone(folder, plugins=RADIO.replace("PORT", str(server.port)), automations=rule)
    scene = await begin(config)
    await scene.event("radio_channel_changed", state="quiet")
    return scene


async def test_the_table_of_phrases_that_comes_with_the_plugin_is_read_by_include(
    begin: Begin, tmp_path: Path, server: fake.MumbleServer
) -> None:
    shutil.copy(ROOT / "plugins" / "radio_gateway" / "clips.yaml", tmp_path)
    head, _, rest = RADIO.replace("PORT", str(server.port)).partition("      phrases:\n")
    plugins = f"{head}      phrases: !include clips.yaml\n{rest[rest.index('      templates'):]}"
    scene = await begin(write_zone(tmp_path, plugins=plugins))
    await scene.event("radio_channel_changed", state="quiet")
    said = await scene.machine("ccoc").act("radio.announce", "radio.patrol", template="sos", params={"unit": "S211"})
    assert (said["clips"], said["missing"]) == (["attention", "s", "2", "1", "1", "sos"], {})
    assert said["text"] == "ทุกหน่วยโปรดทราบ S211 เจ้าหน้าที่ขอความช่วยเหลือ"


async def test_an_sos_is_announced_with_what_is_missing_said(
    begin: Begin, tmp_path: Path, server: fake.MumbleServer
) -> None:
    scene = await begun(begin, tmp_path, server, ANNOUNCE)
    data = {"kind": "button", "sos_id": "x1", "raised_at": time.time(), "lat": 17.0088, "lon": 99.8238}
    known = scene.app.types.need("sos_raised")
    scene.app.pipeline.emit(Draft("sos_raised", known.validate(data), "instance:units", "unit.s1", lane=known.lane))
    said = await scene.event("radio_announced")
    assert [said.data[key] for key in ("text", "clips", "missing", "listeners", "priority", "simulated")] == [
        "ทุกหน่วยโปรดทราบ S1 ขอความช่วยเหลือ", ["attention", "sos"], ["1", "s"], 1, "critical", True,
    ]  # fmt: skip
    assert said.data["by"] == "automation:sos_radio"
    assert server.heard == [("CCOC", "[จำลอง] ทุกหน่วยโปรดทราบ S1 ขอความช่วยเหลือ")]
    assert len(server.voice) > 30
    assert "17.0088" not in str(server.heard)


async def test_a_call_for_help_on_the_radio_opens_an_incident_and_is_answered(
    begin: Begin, tmp_path: Path, server: fake.MumbleServer
) -> None:
    scene = await begun(begin, tmp_path, server, ANSWER)
    server.text("S2", "SOS S1 หน้าตลาด")
    called = await scene.event("radio_alarm")
    assert (called.data["callsign"], called.data["unit"]) == ("S1", "unit.s1")
    opened = await scene.event("incident_opened", kind="sos")
    assert [opened.data[key] for key in ("title", "priority", "source_entity", "simulated")] == [
        "ขอความช่วยเหลือทางวิทยุ S1", "critical", "unit.s1", True,
    ]  # fmt: skip
    assert opened.cause == called.id
    alarm = await scene.event("alarm_raised", title="ขอความช่วยเหลือทางวิทยุ S1")
    assert (alarm.data["priority"], alarm.data["incident"]) == ("critical", opened.entity)
    assert len(scene.events("alarm_raised")) == 1
    await server.until(lambda: server.heard == [("CCOC", "S1 ศูนย์รับทราบ")])
