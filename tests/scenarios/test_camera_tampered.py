"""A camera that says it was covered becomes an alarm, and what it saw before is asked for."""

from __future__ import annotations

import socket
from pathlib import Path

from plugins.onvif_camera import fake
from tests.scenarios.conftest import Begin
from tests.scenarios.kit import write_zone
from tests.scenarios.serve import ROOT

CAMERA = """\
  - plugin: onvif_camera
    config:
      cameras: [{id: gate, name: {th: กล้องประตู, en: Gate}, host: 127.0.0.1, port: PORT, simulated: true}]
"""


def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


async def test_a_covered_camera_is_an_alarm_and_a_clip_is_asked_for(begin: Begin, tmp_path: Path) -> None:
    device = fake.Camera(stream=f"rtsp://127.0.0.1:{closed_port()}/none")
    port = await device.start()
    rule = (ROOT / "automations" / "camera_tampered.yaml").read_text(encoding="utf-8")
    try:
        scene = await begin(write_zone(tmp_path, plugins=CAMERA.replace("PORT", str(port)), automations=rule))
        await scene.until(device.asked.is_set)
        device.see("tamper", True)
        raised = await scene.event("alarm_raised")
        assert (raised.data["title"], raised.data["priority"]) == ("กล้องถูกบังหรือขยับ กล้องประตู", "high")
        assert raised.data["detail"] == "กล้องแจ้งเอง ตรวจภาพและส่งสายตรวจดู"
        clip = await scene.event("action_finished", action="camera.clip")
        assert clip.entity == "camera.gate"  # there is no video here: it fails, and the run ends all the same
        assert clip.data["status"] == "failed"
    finally:
        await device.stop()
