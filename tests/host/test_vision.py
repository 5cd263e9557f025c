"""What the vision process sees becomes events of the camera's entity; when it ends, it is started again."""

from __future__ import annotations

import os
import signal

import pytest

from hub.core.error import Denied, Unavailable
from hub.host.vision import Vision
from hub.sdk import VideoSource
from tests.host.conftest import Bench

CODE = """
class Settings(Config):
    url: str = Field(description="address")

class Cam:
    video = None
    async def snapshot(self): return await self.video.snapshot()

async def setup(ctx, config):
    cam = Cam()
    await ctx.add(Entity(f"camera.{ctx.instance}", Text("ก", "A"), ("camera",)), cam)
    cam.video = await ctx.video(f"camera.{ctx.instance}", VideoSource(config.url, "u", "pw", ("motion", "plate")))
    yield

@plugin
def hub_plugin():
    return PluginSpec(Settings, setup)
"""


async def start(bench: Bench, where: str, url: str) -> Vision:
    bench.plugin("cam", CODE, where=where)
    vision = Vision(bench.media, bench.pipeline.clock, bench.pipeline.ids, module="tests.host.fake_vision")
    assert vision.pid is None
    await bench.start(bench.config(f"{{plugin: cam, config: {{url: '{url}'}}}}"), video=vision)
    return vision


@pytest.mark.parametrize("where", ["plugins", "partners"])
async def test_what_it_sees(bench: Bench, where: str) -> None:
    vision = await start(bench, where, "rtsp://127.0.0.1/a")
    await bench.until(lambda: bench.events("motion_ended"))
    seen = [event for event in bench.events(entity="camera.cam") if event.source == "instance:cam"][1:]
    assert [(event.type, event.at) for event in seen[1:]] == [
        ("motion_started", 1000.0), ("plate_read", 1002.0), ("motion_ended", 1003.0)
    ]  # fmt: skip
    assert seen[0].data == {"video": "running", "reason": ""}
    assert seen[1].data["boxes"] == [[0.1, 0.2, 0.3, 0.4]]
    plate = seen[2].data
    assert (plate["plate"], plate["province"], plate["confidence"]) == ("1กข1234", "สุโขทัย", 0.8)
    assert plate["alternatives"] == [{"series": "1กบ", "number": "1234", "province": "", "confidence": 0.2}]
    assert bench.media.kept[plate["crop"]] == (b"a crop", "image/jpeg", "plates")
    picture = await bench.call("camera.snapshot", "camera.cam")
    assert bench.media.kept[picture.result] == (b"jpeg of pw", "image/jpeg", "incidents")
    await bench.host.stop()
    await vision.stop()


async def test_it_is_started_again_with_all_sources(bench: Bench) -> None:
    vision = await start(bench, "plugins", "rtsp://127.0.0.1/a")
    await bench.until(lambda: bench.events("motion_ended"))
    pid = vision.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await bench.until(lambda: len(bench.events("motion_ended")) == 2)
    told = [event.data for event in bench.events("video_changed")]
    assert told == [
        {"video": "running", "reason": ""},
        {"video": "retrying", "reason": "vision process: its process was killed by SIGKILL"},
        {"video": "running", "reason": ""},
    ]
    assert vision.pid not in (None, pid) and vision.restarts == 1
    await vision.stop()


async def test_a_process_that_dies_of_a_source(bench: Bench) -> None:
    vision = await start(bench, "plugins", "rtsp://127.0.0.1/die")
    assert bench.row("cam")["state"] == "retrying"
    assert bench.row("cam")["reason"] == "vision: its process ended with code 7"
    await vision.stop()


async def test_only_of_its_own_entities(bench: Bench) -> None:
    vision = await start(bench, "plugins", "rtsp://127.0.0.1/a")
    attempt = bench.host.instances["cam"].attempt
    assert attempt is not None
    with pytest.raises(Denied, match="the instance has not added it"):
        await attempt.ctx.video("camera.other", VideoSource("rtsp://127.0.0.1/b"))
    await bench.host.stop()
    with pytest.raises(Unavailable):
        await attempt.ctx.video("camera.cam", VideoSource("rtsp://127.0.0.1/b"))
    await vision.stop()
