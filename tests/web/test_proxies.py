"""Behind a reverse proxy: the sender's address is the proxy's word, and nobody else's. With a real nginx."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from hub.host.routes import SOCKET
from hub.sdk.context import Socket, WebRequest, WebResponse
from hub.web.proxies import sender
from tests.web.conftest import Door, Start

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
RECIPE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
OURS = frozenset({"127.0.0.1", "10.0.0.2"})


@pytest.mark.parametrize(
    ("remote", "forwarded", "who"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # a stranger's own word
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first was written by the sender
        ("127.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, no address", "127.0.0.1"),
        ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
    ],
)  # fmt: skip
def test_the_sender_is_the_last_that_is_no_proxy_of_ours(remote: str, forwarded: str, who: str) -> None:
    assert sender(remote, forwarded, OURS) == who


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def proxied(start: Start, tmp_path: Path) -> AsyncIterator[tuple[Door, str]]:
    """A hub with a public listener, and nginx by the recipe in front of it."""
    if NGINX is None:
        pytest.skip("nginx is not installed (Debian: nginx)")
    door = await start(
        top="web: {host: 127.0.0.1, port: 0, proxies: [127.0.0.1], public: {host: 127.0.0.1, port: 0}}\n"
    )
    port = free_port()
    text = RECIPE.read_text().replace("HUB_PUBLIC", f"127.0.0.1:{door.app.addresses[1][1]}")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};").replace("listen 80;", "listen 127.0.0.1:0;")
    kept = [line for line in text.splitlines() if "ssl_certificate" not in line]
    server = "\n".join(kept[: kept.index("# port 80: only the way to https")])
    config = tmp_path / "nginx.conf"
    user = "user root; " if os.geteuid() == 0 else ""  # its workers write what they buffer into the test's own folder
    config.write_text(
        f"{user}daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error;\nevents {{}}\nhttp {{ access_log off; "
        + "".join(f"{kind}_temp_path {tmp_path}/{kind}; " for kind in TEMPORARY)
        + f"\n{server}\n}}\n"
    )
    process = await asyncio.create_subprocess_exec(
        NGINX, "-c", str(config), "-e", str(tmp_path / "error"), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(15):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except ConnectionRefusedError:
                    assert process.returncode is None, (tmp_path / "error").read_text()
                    await asyncio.sleep(0.02)
        yield door, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_the_recipe_passes_pages_bodies_and_sockets_and_hides_the_staff(proxied: tuple[Door, str]) -> None:
    door, url = proxied
    seen: list[WebRequest] = []

    async def page(request: WebRequest) -> WebResponse:
        seen.append(request)
        return WebResponse(200, str(len(request.body)).encode())

    async def echo(socket: Socket) -> None:
        while (message := await socket.receive()) is not None:
            await socket.send(message)

    for method, handler in (("POST", page), (SOCKET, echo)):
        door.app.host.routes.add("thing", method, "page", handler, door, lambda where, fault: None)
    sent = {"X-Forwarded-For": "198.51.100.7"}  # a lie; nginx adds the truth behind it
    elsewhere = TCPConnector(local_addr=("127.0.0.2", 0))
    async with (
        ClientSession(connector=elsewhere) as stranger,
        stranger.post(f"{url}/hook/thing/page", data=b"x" * 900_000, headers=sent) as answer,
    ):
        assert (answer.status, await answer.text()) == (200, "900000")
    assert (seen[0].remote, seen[0].headers["x-forwarded-proto"]) == ("127.0.0.2", "http")
    async with door.http.ws_connect(f"{url}/hook/thing/page", origin=url) as socket_:
        await socket_.send_str("สวัสดี")
        assert await socket_.receive_str() == "สวัสดี"
    async with door.http.post(f"{url}/hook/thing/page", data=b"x" * 17_000_000) as answer:
        assert answer.status == 413
    for path in ("/", "/api/states", "/api/session", "/plugin/thing/page"):
        async with door.http.get(url + path) as answer:
            assert answer.status == 404, path


async def test_the_recipe_lets_one_sender_hold_so_many_connections_and_no_more(proxied: tuple[Door, str]) -> None:
    _, url = proxied
    held = []
    for _ in range(40):
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST /hook/thing/page HTTP/1.1\r\nHost: zone\r\nContent-Length: 9\r\n\r\n")
        await writer.drain()
        held.append(writer)
    async with ClientSession() as late, asyncio.timeout(15):
        while True:  # what nginx has read of the others has no event
            async with late.get(f"{url}/hook/thing/none") as answer:
                if answer.status == 429:
                    break
                assert answer.status == 404
    elsewhere = TCPConnector(local_addr=("127.0.0.2", 0))
    async with ClientSession(connector=elsewhere) as other, other.get(f"{url}/hook/thing/none") as answer:
        assert answer.status == 404
    for writer in held:
        writer.close()
