"""The vision process at its edges: bad arguments, bad cameras, snapshots over HTTP, its start and its end."""

from __future__ import annotations

import asyncio
import base64
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from hub.core.error import HubError, InvalidInput, NotFound
from tests.vision.conftest import Vision, running

BAD_OPENS: list[tuple[dict[str, Any], str]] = [
    ({"url": "file:///etc/passwd"}, "url"),
    ({"url": "concat:rtsp://a/|/etc/passwd"}, "url"),
    ({"url": "pipe:0"}, "url"),
    ({"url": "file://localhost/etc/passwd"}, "url"),
    ({"url": "ftp://127.0.0.1/x"}, "url"),
    ({"url": "/etc/passwd"}, "url"),
    ({"url": "rtmp://127.0.0.1/x"}, "url"),
    ({"url": "rtsp:///x"}, "url"),
    ({"url": "rtsp://h:99999/x"}, "url"),
    ({"url": "rtsp://h/x y"}, "url"),
    ({"url": "rtsp://h/\n"}, "url"),
    ({"url": "rtsp://h/" + "x" * 3000}, "url"),
    ({"url": 7}, "url"),
    ({"url": "rtsp://h/x", "transport": "udp"}, "transport"),
    ({"url": "rtsp://h/x", "analyse": ["faces"]}, "analyse"),
    ({"url": "rtsp://h/x", "fps": 0}, "fps"),
    ({"url": "rtsp://h/x", "fps": "5"}, "fps"),
    ({"url": "rtsp://h/x", "motion": {"sensitivity": 2}}, "sensitivity"),
    ({"url": "rtsp://h/x", "plate": {"min_interval_s": True}}, "min_interval_s"),
]


async def test_wrong_arguments_are_named(vision: Vision) -> None:
    for args, field in BAD_OPENS:
        with pytest.raises(InvalidInput) as refused:
            await vision.call("open", {"key": "x", **args})
        assert refused.value.where == field, args
    with pytest.raises(InvalidInput) as refused:
        await vision.call("open", {"key": "", "url": "rtsp://h/x"})
    assert refused.value.where == "key"
    assert (await vision.call("status")).header["result"]["sources"] == {}
    for name in ("close", "snapshot"):
        with pytest.raises(NotFound):
            await vision.call(name, {"key": "x"})
    with pytest.raises(NotFound):
        await vision.call("format_disk", {})


async def test_garbage_on_the_rtsp_port(vision: Vision) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(bytes(range(256)) * 200 + b"\r\n\r\n")
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    servers = [await asyncio.start_server(talk, "127.0.0.1", 0) for talk in (babble, silent)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    for key, port in zip(("babble", "silent"), ports, strict=True):
        url = f"rtsp://user:pa55w0rd@127.0.0.1:{port}/live"
        await vision.call("open", {"key": key, "url": url, "analyse": ["motion"]})
    _, first, _ = await vision.told("camera", key="babble", state="retrying")
    _, second, _ = await vision.told("camera", key="silent", state="retrying")
    assert first["reason"] and second["reason"] == "the camera does not answer in time"
    status = (await vision.call("status")).header["result"]
    assert {s["state"] for s in status["sources"].values()} == {"retrying"}
    with pytest.raises(HubError) as none:
        await vision.call("snapshot", {"key": "babble"})
    for words in (str(vision.seen), str(status), str(none.value)):
        assert "pa55w0rd" not in words
    for server in servers:
        server.close()


@asynccontextmanager
async def snapshots(colour: tuple[int, int, int], login: str = "") -> AsyncIterator[str]:
    """A camera that serves JPEG snapshots at /snap, nonsense at /html and a redirect at /away."""
    out = io.BytesIO()
    Image.new("RGB", (160, 120), colour).save(out, "JPEG")

    async def snap(request: web.Request) -> web.Response:
        if login and request.headers.get("Authorization") != f"Basic {login}":
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="cam"'})
        return web.Response(body=out.getvalue(), content_type="image/jpeg")

    async def html(request: web.Request) -> web.Response:
        return web.Response(text="<html>hello</html>")

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound("file:///etc/passwd")

    app = web.Application()
    app.add_routes([web.get("/snap", snap), web.get("/html", html), web.get("/away", away)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_snapshots_over_http(vision: Vision) -> None:
    async with snapshots((20, 120, 220), base64.b64encode(b"cam:pw").decode()) as url:
        opens = {
            "ok": {"url": url + "/snap", "username": "cam", "password": "pw"},
            "wrong": {"url": url + "/snap", "username": "cam", "password": "no"},
            "html": {"url": url + "/html"},
            "away": {"url": url + "/away"},
            "none": {"url": url + "/none"},
        }
        for key, args in opens.items():
            await vision.call("open", {"key": key, "analyse": [], **args})
        await vision.told("camera", key="ok", state="running")
        answer = await vision.call("snapshot", {"key": "ok"})
        pixel = Image.open(io.BytesIO(answer.blob)).convert("RGB").getpixel((80, 60))
        assert isinstance(pixel, tuple)
        assert max(abs(a - b) for a, b in zip(pixel, (20, 120, 220), strict=True)) < 6
        reasons = {
            key: (await vision.told("camera", key=key, state="retrying"))[1]["reason"] for key in list(opens)[1:]
        }
        assert reasons == {
            "wrong": "the camera refuses the user name or password",
            "html": "the snapshot is not a whole JPEG or PNG picture",
            "away": "the camera sends to another address, which is not followed: give the final one",
            "none": "the camera answers 404 Not Found",
        }


async def test_a_snapshot_that_never_ends_is_given_up(vision: Vision) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n")
        try:
            while True:
                writer.write(bytes(1 << 18))
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await vision.call("open", {"key": "e", "url": f"http://127.0.0.1:{port}/snap", "analyse": []})
    _, told, _ = await vision.told("camera", key="e", state="retrying")
    assert told["reason"] == "the snapshot is over 16 MB"
    server.close()


async def test_the_same_open_again_changes_nothing_and_another_replaces(vision: Vision) -> None:
    async with snapshots((200, 0, 0)) as red, snapshots((0, 0, 200)) as blue:
        first = {"key": "a", "url": red + "/snap", "analyse": []}
        await vision.call("open", first)
        at, _, _ = await vision.told("camera", key="a", state="running")
        await vision.call("open", first)
        frames = (await vision.call("status")).header["result"]["sources"]["a"]["frames"]
        assert frames >= 1 and [d["state"] for n, d, _ in vision.seen if n == "camera"] == ["connecting", "running"]
        await vision.call("open", {**first, "url": blue + "/snap"})
        await vision.told("camera", key="a", state="running", since=at + 1)
        picture = Image.open(io.BytesIO((await vision.call("snapshot", {"key": "a"})).blob)).convert("RGB")
        pixel = picture.getpixel((5, 5))
        assert isinstance(pixel, tuple) and pixel[2] > 150 > pixel[0]


async def test_it_starts_lean_and_ends_with_the_hub() -> None:
    async with running() as vision:
        status = (await vision.call("status")).header["result"]
        maps = await asyncio.to_thread(_maps, vision.process.pid)
        assert status["rss_mb"] < 60
        assert not any(word in maps for word in ("llvmlite", "libav", "numpy"))
        process = vision.process
    assert process.returncode == 0
    assert process.stderr is not None and await process.stderr.read() == b""


def _maps(pid: int) -> str:
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:  # noqa: PTH123
        return maps.read()


def test_a_number_that_is_no_socket() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub.vision", "--fd", "77"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2 and done.stderr == "hub.vision: --fd 77: Bad file descriptor\n"
