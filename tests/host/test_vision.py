"""What the vision process sees becomes events of the camera's entity; when it ends, it is started again."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from hub.capabilities import PtzLocked
from hub.core.error import Denied, NotFound, TimedOut, Unavailable
from hub.core.event import Draft
from hub.host import vision as vision_room
from hub.host.feed import MAX_WAITING, Feed, Header, Piece
from hub.host.process import Child
from hub.host.vision import Vision, _Source
from hub.sdk import VideoSource
from hub.store.space import Level
from tests.host.conftest import Bench

CODE = """
class Settings(Config):
    url: str = Field(description="address")

class Cam:
    video = None
    async def snapshot(self): return await self.video.snapshot()
    async def clip(self, before_s, after_s, incident): return await self.video.clip(before_s, after_s, incident)

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
    await bench.until(lambda: len(bench.events("camera_tampered")) == 3 and bench.events("plate_read"))
    seen = [event for event in bench.events(entity="camera.cam") if event.source == "instance:cam"][1:]
    seen = [seen[0], *sorted(seen[1:], key=lambda event: event.at)]  # a picture is kept before its event, others pass
    assert [(event.type, event.at) for event in seen[1:]] == [
        ("motion_started", 1000.0), ("plate_read", 1002.0), ("motion_ended", 1003.0), ("line_crossed", 1004.0),
        ("loitering", 1005.0), ("camera_tampered", 1007.0), ("camera_tampered", 1008.0), ("camera_tampered", 1009.0),
    ]  # fmt: skip
    assert [event.data for event in seen[4:]] == [
        {"line": "gate", "way": "left"}, {"area": "bank", "seconds": 61.5}, {"active": True, "what": "covered"},
        {"active": False, "what": ""}, {"active": True, "what": "moved"},
    ]  # fmt: skip
    assert seen[0].data == {"video": "running", "reason": ""}
    assert seen[1].data["boxes"] == [[0.1, 0.2, 0.3, 0.4]]
    plate = seen[2].data
    assert (plate["plate"], plate["province"], plate["confidence"]) == ("1กข1234", "สุโขทัย", 0.8)
    assert plate["alternatives"] == [{"series": "1กบ", "number": "1234", "province": "", "confidence": 0.2}]
    assert await bench.media.get(plate["crop"]) == (b"a crop", "image/jpeg")
    picture = await bench.call("camera.snapshot", "camera.cam")
    assert await bench.media.get(picture.result) == (b"jpeg of pw", "image/jpeg")
    await bench.host.stop()
    await vision.stop()


async def test_a_view_that_moves_while_somebody_turns_the_camera_is_no_tampering(bench: Bench) -> None:
    vision = await start(bench, "plugins", "rtsp://127.0.0.1/a")
    await bench.until(lambda: len(bench.events("camera_tampered")) == 3)
    held = PtzLocked(by="user:noi", until=2000.0)
    draft = Draft("ptz_locked", held.model_dump(), "instance:cam", "camera.cam")
    await bench.pipeline.submit(draft)
    for scene, at in (("ok", 1990.0), ("moved", 2010.0), ("ok", 2012.0), ("moved", 2020.0), ("covered", 2001.0)):
        await vision._heard("scene", {"key": "camera.cam", "at": at, "scene": scene}, b"")
    told = [(event.data["what"], event.at) for event in bench.events("camera_tampered")[3:]]
    assert told == [("", 1990.0), ("moved", 2020.0), ("covered", 2001.0)]
    for at in (2001.0, 2020.0):  # lines lie elsewhere while it turns
        crossed = {"key": "camera.cam", "what": "crossed", "name": "lane", "way": "right", "seconds": 0.0}
        await vision._heard("passed", {**crossed, "at": at}, b"")
        await vision._heard("passed", {**crossed, "at": None}, b"")  # no time: told in the log, and nothing falls over
    assert [event.at for event in bench.events("line_crossed", match={"line": "lane"})] == [2020.0]
    await bench.host.stop()
    await vision.stop()


async def test_what_an_earlier_hub_said_of_the_view_is_taken_back_when_it_is_well(bench: Bench) -> None:
    vision = await start(bench, "plugins", "rtsp://127.0.0.1/a")
    await bench.until(lambda: len(bench.events("camera_tampered")) == 3)
    attempt = bench.host.instances["cam"].attempt
    assert attempt is not None
    await attempt.ctx.video("camera.cam", VideoSource("rtsp://127.0.0.1/a"))  # as after a restart: the state is kept
    await bench.until(lambda: len(bench.events("camera_tampered")) == 7)
    told = [(event.data["active"], event.at) for event in bench.events("camera_tampered")[2:5]]
    assert told == [(True, 1009.0), (False, 1006.0), (True, 1007.0)]
    await bench.host.stop()
    await vision.stop()


async def test_it_is_started_again_with_all_sources(bench: Bench) -> None:
    vision = await start(bench, "plugins", "rtsp://127.0.0.1/a")
    await bench.until(lambda: bench.events("motion_ended") and bench.events("plate_read"))
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


@pytest.mark.parametrize("where", ["plugins", "partners"])
async def test_a_clip_is_kept_in_its_parts_and_each_is_told(bench: Bench, where: str) -> None:
    vision = await start(bench, where, "rtsp://127.0.0.1/a")
    asked = {"before_s": 10, "after_s": 0, "incident": "incident.a"}
    kept = await bench.call("camera.clip", "camera.cam", **asked)
    assert [await bench.media.get(media) for media in kept.result] == [
        (b"part 0", "video/mp4"), (b"part 1", "video/mp4"),
    ]  # fmt: skip
    assert [(await bench.media.about(media)).of for media in kept.result] == [("camera.cam",)] * 2
    told = [event.data for event in bench.events("clip_saved", entity="camera.cam")]
    assert [(data["media"], data["sha256"]) for data in told] == [(media, media) for media in kept.result]
    assert [(data["begins"], data["ends"]) for data in told] == [(990.0, 1000.0), (1000.0, 1010.0)]
    assert {data["incident"] for data in told} == {"incident.a"}
    await bench.host.stop()
    await vision.stop()


async def test_viewers_begin_at_a_key_frame_and_a_lost_piece_spoils_nothing(bench: Bench) -> None:
    vision = await start(bench, "plugins", "rtsp://127.0.0.1/a")
    with pytest.raises(NotFound, match="no live picture"):
        await vision.join("camera.other")
    first = await vision.join("camera.cam")
    got = [await asyncio.wait_for(first.next(), 10) for _ in range(4)]
    assert isinstance(got[0], Header) and (got[0].data["codecs"], got[0].init) == ("avc1.42c01e", b"init")
    # 5 and 6 cannot be shown without 4: the picture goes on at the next key frame
    assert [(piece.data, piece.at) for piece in got[1:] if isinstance(piece, Piece)] == [
        (b"piece 2", 1002.0), (b"piece 3", 1003.0), (b"piece 7", 1007.0),
    ]  # fmt: skip
    second = await vision.join("camera.cam")
    again = [await asyncio.wait_for(second.next(), 10) for _ in range(2)]
    assert isinstance(again[0], Header) and again[0].init == b"init"
    assert isinstance(again[1], Piece) and again[1].data == b"piece 7"
    first.close()
    os.kill(vision.pid or 0, signal.SIGKILL)
    off = await asyncio.wait_for(second.next(), 10)
    assert isinstance(off, Header) and off.data["reason"] == "vision process: its process was killed by SIGKILL"
    back = await asyncio.wait_for(second.next(), 20)
    assert isinstance(back, Header) and back.init == b"init"
    second.close()
    await vision.stop()


async def test_a_full_house_and_a_slow_viewer() -> None:
    feed = Feed("camera.a")
    slow, quick = feed.join(), feed.join()
    feed.take({"n": 1, "header": {"kind": "fmp4"}}, b"init")
    assert await quick.next() == Header({"kind": "fmp4"}, b"init")
    big = bytes(MAX_WAITING // 4)
    for n in range(2, 12):
        feed.take({"n": n, "at": float(n), "key_frame": n in (2, 9)}, big)
        assert isinstance(piece := await quick.next(), Piece) and piece.at == float(n)
    left = [await slow.next() for _ in range(4)]
    assert left[0] == Header({"kind": "fmp4"}, b"init")  # what came before is of no use without it
    assert [piece.at for piece in left[1:] if isinstance(piece, Piece)] == [9.0, 10.0, 11.0]
    assert (slow.skipped, quick.skipped) == (7, 0)


async def test_on_a_full_disk_plates_are_read_without_their_pictures(bench: Bench) -> None:
    bench.media._level = lambda: Level.EMERGENCY
    vision = await start(bench, "plugins", "rtsp://127.0.0.1/a")
    await bench.until(lambda: bench.events("plate_read"))
    os.kill(vision.pid or 0, signal.SIGKILL)
    await bench.until(lambda: len(bench.events("plate_read")) == 2)
    assert [(e.data["plate"], e.data["crop"]) for e in bench.events("plate_read")] == [("1กข1234", None)] * 2
    told = [(event.data["where"], event.data["message"]) for event in bench.events("fault")]
    words = "plates are read without their pictures: the disk is too full to keep this"
    assert told == [("camera.cam", words)]  # once
    await vision.stop()


async def test_one_refused_camera_leaves_the_others_open_and_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision_room, "REOPEN_S", 0.2)
    bench.plugin("cam", CODE)
    vision = Vision(bench.media, bench.pipeline.clock, bench.pipeline.ids, module="tests.host.fake_vision")
    names = ("one", "two", "three")
    entries = [f"{{plugin: cam, name: {name}, config: {{url: 'rtsp://127.0.0.1/a'}}}}" for name in names]
    await bench.start(bench.config(*entries), video=vision)
    await bench.until(lambda: len(bench.events("motion_ended")) == 3)
    opens, refusals = vision._open_there, [TimedOut("no answer within 20 s")]

    async def slow(child: Child, source: _Source) -> None:
        if source.entity == next(iter(vision._sources)) and refusals:
            raise refusals.pop()
        await opens(child, source)

    monkeypatch.setattr(vision, "_open_there", slow)
    os.kill(vision.pid or 0, signal.SIGKILL)
    await bench.until(lambda: len(bench.events("motion_ended")) == 6)
    first = next(iter(vision._sources))
    told = [event.data["reason"] for event in bench.events("video_changed", entity=first)]
    assert told[-2:] == ["vision process: no answer within 20 s", ""]
    assert vision.restarts == 1
    await bench.host.stop()
    await vision.stop()
