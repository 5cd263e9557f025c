"""ONVIF cameras in the real hub: what they tell, how they are turned, and everything that goes wrong with one."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from hub.sdk import Outcome
from hub.testing import Harness, harness
from plugins.onvif_camera import Settings, fake, fake_words
from plugins.onvif_camera.test_contract import HERE, closed_port, config

WITHIN_S = 30.0
LOGIN = ("hub", "rain-on-the-temple")
KEYS = {"username": LOGIN[0], "password": LOGIN[1]}
GATE = "camera.gate"


@asynccontextmanager
async def zone(device: fake.Camera, *, wait: str = "connected", **more: Any) -> AsyncIterator[Harness]:
    """A hub with one camera, once its contact is ``wait``."""
    device.stream = device.stream or f"rtsp://127.0.0.1:{closed_port()}/none"
    port = device.port or await device.start()
    try:
        async with harness(HERE, config(port, **more), isolation="process") as hub:
            await hub.until(lambda: shown(hub, "device") == wait, WITHIN_S)
            yield hub
    finally:
        await device.stop()


def shown(hub: Harness, attribute: str) -> Any:
    state = hub.state(GATE)
    return None if state is None else state.attributes.get(attribute)


def words(outcome: Outcome) -> tuple[str, str]:
    assert outcome.error is not None, outcome
    return outcome.error["code"], outcome.error["message"]


async def subscribed(hub: Harness, times: int = 1) -> None:
    await hub.until(lambda: (shown(hub, "events_subscribed") or 0) >= times, WITHIN_S)


async def test_it_says_who_it_is_and_takes_the_small_h264_stream() -> None:
    async with zone(fake.Camera(LOGIN, named="203.0.113.9"), **KEYS) as hub:
        known = {key: shown(hub, key) for key in ("manufacturer", "model", "stream", "has_ptz", "device_problem")}
        assert known == {
            "manufacturer": "Loopback", "model": "Market gate", "stream": "sub H264 640×360", "has_ptz": True,
            "device_problem": "",
        }  # fmt: skip


async def test_what_it_reports_becomes_typed_events_once() -> None:
    device = fake.Camera(LOGIN)
    async with zone(device, **KEYS) as hub:
        await subscribed(hub)
        for kind, source in (("motion", "1"), ("motion", "1"), ("tamper", "1"), ("input", "door")):
            device.see(kind, True, source)
        opened = await hub.wait_event("digital_input_changed", entity=GATE, timeout=WITHIN_S)
        assert (opened.data, opened.source) == ({"input": "door", "active": True}, "instance:onvif_camera")
        assert [event.data for event in hub.events("camera_tampered")] == [{"active": True, "what": ""}]
        assert len(hub.events("motion_started")) == 1
        device.see("motion", False)
        await hub.wait_event("motion_ended", entity=GATE, timeout=WITHIN_S)
        assert (shown(hub, "tampered"), hub.state(GATE).state) == (True, "idle")  # type: ignore[union-attr]


@pytest.mark.parametrize("auth", ["digest", "basic", "none"])
async def test_a_picture_is_fetched_whatever_the_camera_asks_for(auth: str) -> None:
    async with zone(fake.Camera(LOGIN, picture_auth=auth), **KEYS) as hub:
        taken = await hub.call("camera.snapshot", GATE)
        assert taken.status == "done", taken
        content, mime = await hub.app.media.get(taken.result)
        assert (mime, Image.open(io.BytesIO(content)).size) == ("image/jpeg", (640, 360))
        assert (await hub.app.media.about(taken.result)).of == (GATE,)


async def test_it_turns_stops_by_itself_and_belongs_to_one_person_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    device = fake.Camera(LOGIN)
    async with zone(device, **KEYS) as hub:
        moved = await hub.call("ptz.move", GATE, {"pan": 0.5, "tilt": -0.25, "zoom": 0.0, "seconds": 0.3})
        assert moved.status == "done", moved
        assert device.moves == [("move", (0.5, -0.25, 0.0, "PT0.3S")), ("stop", None)]
        assert shown(hub, "ptz_by") == "user:test"
        lock = hub.events("ptz_locked")[-1]
        assert 15.0 <= lock.data["until"] - lock.received <= 15.5
        other = replace(hub.person(), id="user:other")
        monkeypatch.setattr(hub, "person", lambda roles=None: other)
        refused = await hub.call("ptz.move", GATE, {"pan": 1.0})
        assert words(refused) == ("conflict", "user:test moves this camera")
        assert (await hub.call("ptz.stop", GATE)).status == "done"
        assert device.moves[2:] == [("stop", None)]
        monkeypatch.undo()
        assert (await hub.call("ptz.goto_preset", GATE, {"preset": "ตลาด"})).status == "done"
        assert device.moves[-1] == ("preset", "p2")
        missing = await hub.call("ptz.goto_preset", GATE, {"preset": "moon"})
        assert missing.error is not None and missing.error["hint"] == "presets: gate, ตลาด"


async def test_a_clock_that_is_hours_off_lets_us_in_and_is_named() -> None:
    async with zone(fake.Camera(LOGIN, skew=-7_200.0), **KEYS) as hub:
        assert -7_202 <= shown(hub, "clock_offset_s") <= -7_198
        assert shown(hub, "device_problem").startswith("its clock is off by -7")


async def test_a_wrong_password_is_named_and_stands_nowhere() -> None:
    keys = {"username": "hub", "password": "not-the-password"}
    async with zone(fake.Camera(LOGIN), wait="away", **keys) as hub:
        assert "refuses the user name or password" in shown(hub, "device_problem")
        refused = await hub.call("camera.snapshot", GATE)
        assert words(refused)[0] == "unavailable" and "refuses" in words(refused)[1]
        told = json.dumps([event.as_data() for event in hub.events()], ensure_ascii=False)
        assert "not-the-password" not in told


async def test_a_pull_point_that_died_is_subscribed_to_again_and_the_state_is_told_anew() -> None:
    device = fake.Camera(LOGIN)
    async with zone(device, **KEYS) as hub:
        await subscribed(hub)
        device.kill_points(quietly=False)
        device.states["motion", "1"] = True  # it began while nobody heard
        await subscribed(hub, 2)
        await hub.wait_event("motion_started", entity=GATE, timeout=WITHIN_S)


async def test_a_pull_point_that_says_nothing_for_ever_is_subscribed_to_again() -> None:
    device = fake.Camera(LOGIN)
    async with zone(device, events_silent_s=2.0, **KEYS) as hub:
        await subscribed(hub)
        device.kill_points(quietly=True)
        device.states["tamper", "1"] = True
        await subscribed(hub, 2)
        told = await hub.wait_event("camera_tampered", entity=GATE, timeout=WITHIN_S)
        assert told.data == {"active": True, "what": ""}


async def test_a_camera_that_goes_away_comes_back() -> None:
    device = fake.Camera(LOGIN)
    port = await device.start()
    async with zone(device, **KEYS) as hub:
        await subscribed(hub)
        await device.stop()
        await hub.until(lambda: shown(hub, "device") == "away", WITHIN_S)
        assert "nothing answers" in shown(hub, "device_problem")
        device.points.clear()
        await device.start(port)
        await hub.until(lambda: shown(hub, "device") == "connected", WITHIN_S)


async def test_without_h264_it_says_so_plainly() -> None:
    device = fake.Camera(profiles={"only": ("H265", 1920, 1080)})
    device.profiles = {"only": ("JPEG", 1920, 1080)}
    async with zone(device) as hub:
        assert "no H.264 stream" in shown(hub, "device_problem")


# --- five kinds of bad input


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("garbage", "the camera's answer cannot be understood"),  # malformed
        ("huge", "the camera's answer is over 2 MiB"),  # oversized
        ("fault", "the camera refused: the device is tired"),
        ("half", "the camera did not answer within 8 s"),  # silence in mid-message
    ],
)
async def test_a_bad_answer_is_named_and_the_camera_comes_back(how: str, said: str) -> None:
    async with zone(fake.Camera(LOGIN, faults={"GetProfiles": how}), wait="away", **KEYS) as hub:
        assert said in shown(hub, "device_problem")
        assert hub.supervised.state == "running"


async def test_messages_of_a_wrong_type_are_counted_and_the_next_is_heard() -> None:
    device = fake.Camera()
    async with zone(device) as hub:
        await subscribed(hub)
        topic = "tns1:RuleEngine/CellMotionDetector/Motion"
        device.say_raw(f"<wsnt:NotificationMessage><wsnt:Topic>{topic}</wsnt:Topic><wsnt:Message/></wsnt:NotificationMessage>")
        device.say_raw(fake_words.message("tns1:Vendor/Unknown", ("a", "b"), ("c", "d"), 0.0))
        device.see("motion", True)
        await hub.wait_event("motion_started", entity=GATE, timeout=WITHIN_S)
        await hub.until(lambda: "1 messages were not understood" in (shown(hub, "device_problem") or ""), WITHIN_S)


async def test_a_flood_of_reports_is_bounded_and_said() -> None:
    device = fake.Camera()
    async with zone(device) as hub:
        await subscribed(hub)
        for number in range(400):
            device.see("motion", number % 2 == 0)
        await hub.until(lambda: "events were dropped" in (shown(hub, "device_problem") or ""), WITHIN_S)
        assert len(hub.events("motion_started")) + len(hub.events("motion_ended")) == 120


@pytest.mark.parametrize(("how", "said"), [("garbage", "no picture"), ("huge", "no picture")])
async def test_a_bad_picture_falls_back_to_the_video(how: str, said: str) -> None:
    async with zone(fake.Camera(LOGIN, faults={"picture": how}), **KEYS) as hub:
        taken = await hub.call("camera.snapshot", GATE)  # there is no video either
        assert words(taken)[0] == "unavailable" and said in words(taken)[1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"private": True}, "a private camera needs an owner"),
        ({"host": "http://192.0.2.9/"}, "match pattern"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"id": "Gate"}, "match pattern"),
        ({"analyse": ["faces"]}, "'motion' or 'plate'"),
    ],
)
def test_wrong_settings_are_named(changed: dict[str, Any], said: str) -> None:
    given = config(80)
    given["cameras"][0] |= changed
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(given)
    assert said in str(refused.value)


# --- discovery


async def test_what_answers_is_listed_and_nothing_is_added() -> None:
    device = fake.Camera(named="192.0.2.7", faults={"probe": "<!DOCTYPE a>|not xml|<a/>"})
    await device.start(discovery=0)
    given = {"cameras": [], "discovery_address": "127.0.0.1", "discovery_port": device.discovery_port}
    async with harness(HERE, given, isolation="process") as hub:
        found = await hub.call("onvif.discover", params={"seconds": 0.5})
        one = {
            "address": "127.0.0.1", "xaddrs": [f"http://192.0.2.7:{device.port}/onvif/device"], "name": "Market gate",
            "hardware": "fake", "location": "Sukhothai",
        }  # fmt: skip
        assert found.result == {"devices": [one], "strange": 3}
        assert hub.entities() == []
    await device.stop()


async def test_it_runs_in_a_child() -> None:
    device = fake.Camera(LOGIN, stream=f"rtsp://127.0.0.1:{closed_port()}/none")
    async with harness(HERE, config(await device.start(), **KEYS), isolation="child") as hub:
        await hub.until(lambda: shown(hub, "events_state") == "subscribed", WITHIN_S)
        device.see("motion", True)
        await hub.wait_event("motion_started", entity=GATE, timeout=WITHIN_S)
        assert (await hub.call("camera.snapshot", GATE)).status == "done"
    await device.stop()


# --- a peer that is not ours


def ipycam() -> str:
    """The command of ipycam, installed apart from our ONVIF library; skips when it cannot be run."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root and iproute2")
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed: apt-get install ffmpeg")
    command = os.environ.get("HUB_IPYCAM") or shutil.which("ipycam")
    if not command:
        pytest.skip("ipycam is not installed: pip install ipycam==1.3.0 in an environment of its own; HUB_IPYCAM=PATH")
    return command


@pytest.fixture
def namespace() -> Iterator[list[str]]:
    """What puts a command into a network namespace of its own: ipycam binds every address and port 3702."""
    name = f"hubcam{os.getpid() % 10_000}"
    if os.geteuid() != 0 or subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces are not allowed here")
    inside = ["ip", "netns", "exec", name]
    subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
    yield inside
    subprocess.run(["ip", "netns", "del", name], check=False)


def test_ipycam_a_camera_of_others(tmp_path: Path, namespace: list[str]) -> None:
    command, clip = ipycam(), tmp_path / "clip.mp4"
    pattern = ["-f", "lavfi", "-i", "testsrc=size=640x360:rate=10:duration=5", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-loglevel", "error", *pattern, str(clip)], check=True)
    (tmp_path / "c.json").write_text(json.dumps({
        "username": "hub", "password": "secret-12", "onvif_port": 8080, "rtsp_port": 8554, "hw_accel": "cpu",
    }))  # fmt: skip
    program = subprocess.Popen(
        [*namespace, command, "--config", str(tmp_path / "c.json"), "--source", str(clip), "--fps", "10"],
        cwd=tmp_path, stdout=(tmp_path / "said").open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        ask = [*namespace, sys.executable, "-c", ASK_IPYCAM]
        asked = subprocess.run(ask, cwd=HERE.parents[1], capture_output=True, timeout=90, check=False)
        assert asked.returncode == 0, (asked.stderr.decode(), (tmp_path / "said").read_text())
        told = json.loads(asked.stdout)
        assert told["live"]["encoding"] == "H264" and told["has_ptz"] is True, told
        assert told["stream"].startswith("rtsp://127.0.0.1:8554/")
        assert told["picture"] == "image/jpeg" and told["moved"] is True
    finally:
        program.terminate()
        program.wait(10)


ASK_IPYCAM = """
import asyncio, json
from dataclasses import asdict
from hub.sdk import HubError
from plugins.onvif_camera.device import Device
from plugins.onvif_camera.fetch import fetch

async def main():
    device = Device("127.0.0.1", 8080, "hub", "secret-12")
    for _ in range(60):
        try:
            facts = await device.connect()
            break
        except HubError as refused:
            last = refused
            await asyncio.sleep(0.5)
    else:
        raise last
    stream = await device.stream(facts.live)
    for _ in range(40):
        try:
            picture = (await fetch(await device.picture(facts.live), "hub", "secret-12"))[1]
            break
        except HubError as refused:
            picture = str(refused)
            await asyncio.sleep(0.5)
    await device.move(0.5, 0.0, 0.0, 0.5)
    await device.stop()
    print(json.dumps({**asdict(facts), "stream": stream, "picture": picture, "moved": True}))
    await device.close()

asyncio.run(main())
"""
