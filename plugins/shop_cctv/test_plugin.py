"""A partner's private cameras in the real hub, with its real vision process: what they give, and what can go wrong."""

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

import pytest
from PIL import Image
from pydantic import ValidationError

from hub.sdk import Denied
from hub.testing import Harness, contract, harness
from plugins.shop_cctv import Settings, fake

HERE = Path(__file__).parent
WITHIN_S = 40.0  # the vision process imports its libraries first
LOGIN = ("shop", "rain-on-the-temple")
SHOP = "camera.shop"


def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def config(url: str, *, private: bool = False, **more: Any) -> dict[str, Any]:
    camera = {"id": "shop", "name": {"th": "กล้องในร้าน", "en": "Inside"}, "url": url, "every_s": 0.3, **more}
    return {"owner": "gold_shop_2", "private": private, "cameras": [camera]}


@asynccontextmanager
async def one_camera() -> AsyncIterator[Mapping[str, Any]]:
    device = fake.Camera()
    yield config(f"http://127.0.0.1:{await device.start()}/picture")
    await device.stop()


@asynccontextmanager
async def silent() -> AsyncIterator[Mapping[str, Any]]:
    """It takes the connection and says nothing."""

    async def hear(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        yield config(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/picture")


DEAD = config(f"rtsp://127.0.0.1:{closed_port()}/stream", kind="stream")
test_contract = contract(HERE, one_camera, dead_config=DEAD, silent_config=silent)


def shown(hub: Harness, attribute: str) -> Any:
    state = hub.state(SHOP)
    return None if state is None else state.attributes.get(attribute)


async def video(hub: Harness, state: str) -> str:
    await hub.until(lambda: shown(hub, "video") == state, WITHIN_S)
    return str(shown(hub, "video_reason"))


@pytest.mark.parametrize("auth", ["digest", "basic"])
async def test_a_picture_comes_through_a_child_whatever_the_camera_asks_for(auth: str) -> None:
    device = fake.Camera(LOGIN, auth)
    url = f"http://127.0.0.1:{await device.start()}/picture"
    given = config(url, username=LOGIN[0], password=LOGIN[1])
    async with harness(HERE, given, isolation="child") as hub:
        await video(hub, "running")
        taken = await hub.call("camera.snapshot", SHOP)
        assert taken.status == "done", taken
        content, _ = await hub.app.media.get(taken.result)
        assert Image.open(io.BytesIO(content)).size == (fake.WIDTH, fake.HEIGHT)
        assert (await hub.app.media.about(taken.result)).of == (SHOP,)
        assert (shown(hub, "device"), shown(hub, "owner"), shown(hub, "private")) == ("connected", "gold_shop_2", False)
    await device.stop()


async def test_what_is_private_is_refused_to_who_has_every_right_but_no_share() -> None:
    device = fake.Camera()
    async with harness(HERE, config(f"http://127.0.0.1:{await device.start()}/picture", private=True)) as hub:
        await video(hub, "running")
        for who in (None, ["ccoc"], ["commander", "operator"]):
            with pytest.raises(Denied, match="is a private camera that its owner does not share"):
                await hub.call("camera.snapshot", SHOP, roles=who)
    await device.stop()


# --- five kinds of bad input, and a camera that is away


@pytest.mark.parametrize("fault", ["garbage", "huge", "half", "hang"])
async def test_a_bad_picture_is_named_and_the_next_good_one_is_taken(fault: str) -> None:
    device = fake.Camera()
    async with harness(HERE, config(f"http://127.0.0.1:{await device.start()}/picture")) as hub:
        await video(hub, "running")
        device.fault = fault
        reason = await video(hub, "retrying")
        assert reason, fault
        device.fault = ""
        await video(hub, "running")
        assert hub.supervised.state == "running"
    await device.stop()


async def test_what_answers_in_another_tongue_is_no_camera() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with harness(HERE, config(f"rtsp://127.0.0.1:{port}/1", kind="stream")) as hub:
            await hub.until(lambda: shown(hub, "device") == "away", WITHIN_S)
            assert "what answers does not speak RTSP" in shown(hub, "device_problem")


async def test_a_camera_that_floods_the_line_is_cut_and_named() -> None:
    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            return

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with harness(HERE, config(f"http://127.0.0.1:{port}/picture")) as hub:
            await hub.until(lambda: shown(hub, "device") == "away", WITHIN_S)
            assert "what answers does not speak HTTP" in shown(hub, "device_problem")
            assert hub.supervised.state == "running"


async def test_a_wrong_password_is_named_and_stands_nowhere() -> None:
    device = fake.Camera(LOGIN)
    url = f"http://127.0.0.1:{await device.start()}/picture"
    async with harness(HERE, config(url, username="shop", password="not-the-password")) as hub:
        assert "refuses the user name or password" in await video(hub, "retrying")
        told = json.dumps([event.as_data() for event in hub.events()], ensure_ascii=False)
        assert "not-the-password" not in told and "not-the-password" not in repr(hub.entities())
    await device.stop()


async def test_a_camera_that_is_off_says_so_and_is_heard_again() -> None:
    device = fake.Camera()
    port = await device.start()
    async with harness(HERE, config(f"http://127.0.0.1:{port}/picture", silent_after_s=1.5)) as hub:
        await hub.until(lambda: shown(hub, "device") == "connected", WITHIN_S)
        await device.stop()
        await hub.until(lambda: shown(hub, "device") == "away", WITHIN_S)
        assert "nothing answers at the address" in shown(hub, "device_problem")
        await device.start(port)
        await hub.until(lambda: shown(hub, "device") == "connected", WITHIN_S)
    await device.stop()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "http://admin:1234@192.0.2.9/1"}, "holds credentials: give them as username and password"),
        ({"url": "file:///etc/passwd"}, "begins with 'file'"),
        ({"url": "http:///x"}, "names no host"),
        ({"kind": "stream"}, "kind stream needs an address with rtsp:// or rtsps://"),
        ({"every_s": 0.01}, "greater than or equal to 0.2"),
        ({"analyse": ["faces"]}, "'motion' or 'plate'"),
    ],
)
def test_wrong_settings_are_named(changed: dict[str, Any], said: str) -> None:
    given = config("http://192.0.2.9/1")
    given["cameras"][0] |= changed
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(given)
    assert said in str(refused.value)


def test_the_program_shows_its_picture_and_ends_with_standard_input() -> None:
    command = [sys.executable, str(Path(fake.__file__)), "--port", "0", "--scene", "hotel"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None and program.stdout is not None
        ready = json.loads(program.stdout.readline())
        assert ready["ready"] is True and ready["port"] > 0
        program.stdin.close()
        assert program.wait(10) == 0
