"""A citizen rings and nobody answers: a critical alarm, the second desk; and an answered call without a recording."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import ClientWebSocketResponse

from tests.scenarios.conftest import Begin, Scene
from tests.scenarios.kit import write_zone

TOKEN = "scenario-sticker-token"
DOOR = f"""\
  - plugin: emergency_qr
    config:
      ring_s: 5
      repeat_s: 5
      picture_within_s: 1
      stickers: [{{id: gate, name: {{th: ประตูเมือง, en: City gate}}, token: {TOKEN}}}]
  - plugin: inbox
"""
RULE = """\
id: emergency_call
use_blueprint:
  path: emergency_call.yaml
  input: {second_desk: desk2}
"""


async def hear(socket: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (said := json.loads(await socket.receive_str()))["t"] != kind:
            await socket.send_json({"t": "here"})
    return dict(said)


async def called(begin: Begin, folder: Path) -> tuple[Scene, ClientWebSocketResponse, str]:
    scene = await begin(write_zone(folder, plugins=DOOR, automations=RULE))
    socket = await scene.http.ws_connect(f"{scene.app.url}/hook/emergency_qr/call?token={TOKEN}")
    await socket.send_json({"t": "ring"})
    return scene, socket, (await hear(socket, "ringing"))["call"]


async def test_an_unanswered_call_is_a_critical_alarm_and_rings_at_the_second_desk(
    begin: Begin, tmp_path: Path
) -> None:
    scene, socket, call = await called(begin, tmp_path)
    filed = await scene.event("report_filed", channel="qr")
    assert (filed.entity, filed.data["reference"]) == (call.replace("call.", "report."), call)
    alarm = await scene.event("alarm_raised", priority="critical", subject=call)
    assert "ประตูเมือง" in alarm.data["title"]
    (first, *_) = scene.events("call_unanswered")
    assert 5 <= first.data["waited_s"] < 9
    assert alarm.data["detail"] == f"รอแล้ว {round(first.data['waited_s'])} วินาที"
    transferred = await scene.event("call_transferred", to="desk2")
    assert transferred.entity == call
    await hear(socket, "transferred")
    await scene.event("alarm_raised", priority="critical", subject=call, count=2)
    assert len(scene.events("call_transferred")) == 1  # not again and again to the same desk
    await socket.close()


async def test_a_call_that_is_not_recorded_is_an_alarm(begin: Begin, tmp_path: Path) -> None:
    scene, socket, call = await called(begin, tmp_path)
    await (await scene.person("operator")).act("call.answer", call)
    alarm = await scene.event("alarm_raised", priority="high", subject=call)
    assert "บันทึกสายฉุกเฉินไม่ได้" in alarm.data["title"]
    assert "within 1 s" in alarm.data["detail"]
    await socket.close()
