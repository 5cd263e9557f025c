"""Cameras in the real hub with its real vision process: there, off, shy, and wrongly written down."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image
from pydantic import ValidationError

from hub.sdk import Outcome
from hub.testing import Harness, contract, harness
from plugins.rtsp_camera import Settings, fake

HERE = Path(__file__).parent
VIDEO_S = 30.0  # the vision process imports its libraries first


def camera(url: str, name: str = "gate", **more: Any) -> dict[str, Any]:
    return {"id": name, "name": {"th": "กล้องประตู", "en": "Gate camera"}, "url": url, "analyse": [], **more}


def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


DEAD = {"cameras": [camera(f"rtsp://127.0.0.1:{closed_port()}/stream")]}


@asynccontextmanager
async def one_camera() -> AsyncIterator[Mapping[str, Any]]:
    peer = fake.Camera()
    yield {"cameras": [camera(f"http://127.0.0.1:{await peer.start()}/picture", position=[17.009, 99.823])]}
    await peer.stop()


@asynccontextmanager
async def silent() -> AsyncIterator[Mapping[str, Any]]:
    """It takes the connection and says nothing."""

    async def hear(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        yield {"cameras": [camera(f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream")]}


test_contract = contract(HERE, one_camera, dead_config=DEAD, silent_config=silent)


async def video(hub: Harness, state: str, name: str = "gate") -> str:
    """Wait for the video's state; its reason."""
    entity = f"camera.{name}"

    def there() -> bool:
        seen = hub.state(entity)
        return seen is not None and seen.attributes.get("video") == state

    await hub.until(there, VIDEO_S)
    seen = hub.state(entity)
    assert seen is not None
    return str(seen.attributes["video_reason"])


def words(outcome: Outcome) -> tuple[str, str]:
    assert outcome.error is not None, outcome
    return outcome.error["code"], outcome.error["message"]


async def test_a_picture_is_taken_and_kept() -> None:
    async with one_camera() as config, harness(HERE, config) as hub:
        await video(hub, "running")
        taken = await hub.call("camera.snapshot", "camera.gate")
        assert taken.status == "done", taken
        content, mime = await hub.app.media.get(taken.result)
        assert mime == "image/jpeg"
        shown = Image.open(io.BytesIO(content))
        assert shown.size == (fake.WIDTH, fake.HEIGHT)
        wall = shown.convert("RGB").getpixel((5, 5))
        assert isinstance(wall, tuple)
        assert max(abs(a - b) for a, b in zip(wall, (110, 112, 116), strict=True)) <= 6
        seen = hub.state("camera.gate")
        assert seen is not None
        assert (seen.attributes["lat"], seen.attributes["lon"]) == (17.009, 99.823)


async def test_what_walks_through_the_picture_is_told_as_motion_of_the_camera() -> None:
    peer = fake.Camera()
    url = f"http://127.0.0.1:{await peer.start()}/picture"
    async with harness(HERE, {"cameras": [camera(url, analyse=["motion"], fps=10)]}) as hub:
        began = await hub.wait_event("motion_started", entity="camera.gate", timeout=VIDEO_S)
        assert (began.source, hub.state("camera.gate").state) == ("instance:rtsp_camera", "motion")  # type: ignore[union-attr]
        _, top, _, height = began.data["boxes"][0]
        assert 85 / fake.HEIGHT < top < 95 / fake.HEIGHT
        assert 55 / fake.HEIGHT < height < 70 / fake.HEIGHT
    await peer.stop()


async def test_a_camera_that_is_off_holds_nobody_and_comes_back() -> None:
    peer = fake.Camera()
    port = await peer.start()
    there, off = fake.Camera(), closed_port()
    cameras = [
        camera(f"rtsp://127.0.0.1:{off}/stream", "off"),
        camera(f"http://127.0.0.1:{port}/picture", "gate"),
        camera(f"http://127.0.0.1:{await there.start()}/picture", "market"),
    ]
    async with harness(HERE, {"cameras": cameras}) as hub:
        assert (hub.supervised.state, [one.entity for one in hub.entities()]) == (
            "running", ["camera.gate", "camera.market", "camera.off"],
        )  # fmt: skip
        assert await video(hub, "retrying", "off") == "nothing listens at the address"
        assert words(await hub.call("camera.snapshot", "camera.off")) == (
            "unavailable", "no picture yet: nothing listens at the address",
        )  # fmt: skip
        await video(hub, "running", "market")
        await video(hub, "running", "gate")
        await peer.stop()
        assert await video(hub, "retrying", "gate") == "the address cannot be reached"
        await peer.start(port)
        await video(hub, "running", "gate")
    await peer.stop()
    await there.stop()


async def test_who_may_not_see_it_is_told_and_the_password_stands_nowhere() -> None:
    peer = fake.Camera(("hub", "rain-on-the-temple"))
    url = f"http://127.0.0.1:{await peer.start()}/picture"
    login = {"username": "hub", "password": "rain-on-the-temple"}
    cameras = [camera(url, "shy", username="hub", password="wrong-word"), camera(url, "open", **login)]
    async with harness(HERE, {"cameras": cameras}) as hub:
        assert await video(hub, "retrying", "shy") == "the camera refuses the user name or password"
        await video(hub, "running", "open")
        assert "rain-on" not in str([event.data for event in hub.events()])
    await peer.stop()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "rtsp://admin:1234@192.0.2.9/1"}, "holds credentials: give them as username and password"),
        ({"url": "file:///etc/passwd"}, "begins with 'file', not with one of rtsp, rtsps, http, https"),
        ({"url": "192.0.2.9"}, "begins with 'nothing'"),
        ({"url": "rtsp:///stream"}, "names no host"),
        ({"url": "rtsp://192.0.2.9:99999/1"}, "no address"),
        ({"url": "rtsp://192.0.2.9/a b"}, "write a space as %20"),
        ({"url": "rtsp://192.0.2.9/" + "x" * 500}, "longer than 500 characters"),
        ({"fps": 0.05}, "greater than or equal to 0.1"),
        ({"position": [99.8, 17.0]}, "less than or equal to 90"),
        ({"analyse": ["faces"]}, "'motion' or 'plate'"),
        ({"live_url": "http://192.0.2.9/x"}, "begins with 'http', not with one of rtsp, rtsps"),
        ({"live_url": "rtsp://a:b@192.0.2.9/x"}, "holds credentials"),
        ({"kind": "film"}, "'stream', 'snapshot' or 'mjpeg'"),
        ({"record_s": 61}, "less than or equal to 60"),
        ({"every_s": 0}, "greater than or equal to 0.05"),
    ],
)
def test_wrong_settings_are_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"cameras": [camera("rtsp://192.0.2.9/1") | changed]})
    assert said in str(refused.value)


def test_a_camera_stands_there_once() -> None:
    with pytest.raises(ValidationError, match="gate stands there twice"):
        Settings.model_validate({"cameras": [camera("rtsp://192.0.2.9/1"), camera("rtsp://192.0.2.9/2")]})


def test_the_command_names_line_and_column_and_no_password(tmp_path: Path) -> None:
    lines = [
        "zone: {name: test, center: [17.0, 99.8]}", "plugins:", "  - plugin: rtsp_camera", "    config:",
        "      cameras:", "        - id: gate", "          name: {th: ประตู, en: Gate}",
        "          url: rtsp://admin:topsecret@192.0.2.9/1",
        "        - {id: market, name: {th: ตลาด, en: Market}, url: 'file:///etc/passwd'}",
    ]  # fmt: skip
    config = tmp_path / "config.yaml"
    config.write_text("\n".join(lines))
    command = [sys.executable, "-m", "hub", "check", "--config", str(config)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    told = said.stdout.splitlines()
    assert (said.returncode, len(told)) == (1, 2)
    assert told[0].startswith(f"{config}:8:16: ")
    assert "holds credentials" in told[0]
    assert told[1].startswith(f"{config}:9:")
    assert "begins with 'file'" in told[1]
    assert "topsecret" not in said.stdout + said.stderr


async def test_the_program_ends_when_standard_input_closes() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(fake.__file__)), "--port", "0", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdin is not None
    assert program.stdout is not None
    ready = json.loads(await asyncio.wait_for(program.stdout.readline(), 20))
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{ready['port']}/picture") as answer:
        assert (answer.status, (await answer.read())[:2]) == (200, b"\xff\xd8")  # JPEG's first marker
    program.stdin.close()
    assert await asyncio.wait_for(program.wait(), 10) == 0


async def test_a_clip_is_kept_with_its_camera_its_times_and_its_incident() -> None:
    async with one_camera() as config, harness(HERE, config) as hub:
        await video(hub, "running")
        asked = {"before_s": 2, "after_s": 1, "incident": "incident.a"}
        kept = await hub.call("camera.clip", "camera.gate", asked)
        assert kept.status == "done", kept
        (media,) = kept.result
        content, mime = await hub.app.media.get(media)
        assert (mime, content[4:8]) == ("video/mp4", b"ftyp")
        assert (await hub.app.media.about(media)).of == ("camera.gate",)
        told = (await hub.wait_event("clip_saved", entity="camera.gate")).data
        assert (told["media"], told["sha256"], told["incident"]) == (media, media, "incident.a")
        assert 0.5 < told["ends"] - told["begins"] < 4


async def test_a_clip_of_a_camera_that_is_off_says_why() -> None:
    async with harness(HERE, DEAD) as hub:
        reason = await video(hub, "retrying")
        code, said = words(await hub.call("camera.clip", "camera.gate", {"before_s": 1, "after_s": 0}))
        tried = (reason, "the stream is being opened")  # it is tried again and again
        assert code == "unavailable" and said in [f"no video to keep: {why}" for why in tried]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n", "names no boundary"),
        (b"\r\nno boundary here" * 200, "does not keep to its boundary"),
        (b"--b\r\nContent-Length: 99999999\r\n\r\n", "over 16 MB, or its size no number"),
        (b"--b\r\nContent-Length: x\r\n\r\n", "over 16 MB, or its size no number"),
        (b"--b\r\n" + b"X: y\r\n" * 100, "endless headers"),
        (b"--b\r\nContent-Length: 4\r\n\r\nhtml\r\n", "not a whole JPEG or PNG picture"),
        (b"--b\r\n\r\nhalf a picture", "does not answer in time"),
    ],
)
async def test_bad_mjpeg_is_named_and_another_camera_goes_on(body: bytes, said: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(body if body.startswith(b"HTTP") else head + body)
        if said != "does not answer in time":
            writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/film"
    there = fake.Camera()
    cameras = [camera(url, "film", kind="mjpeg"), camera(f"http://127.0.0.1:{await there.start()}/picture", "well")]
    async with harness(HERE, {"cameras": cameras}) as hub:
        assert said in await video(hub, "retrying", "film")
        await video(hub, "running", "well")
    server.close()
    await there.stop()


async def test_the_plugin_gives_a_sign_of_life_while_pictures_come() -> None:
    async with one_camera() as config, harness(HERE, config) as hub:
        await video(hub, "running")
        before = hub.supervised.last_sign
        assert before is not None
        async with asyncio.timeout(20):
            while (hub.supervised.last_sign or 0) <= before:  # noqa: ASYNC110  # a sign of life leaves no event
                await asyncio.sleep(0.05)
