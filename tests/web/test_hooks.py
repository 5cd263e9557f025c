"""A plugin's routes: no session and no API token reaches it, and its pages are of no origin."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer

from hub.core.error import NotFound
from hub.host.routes import Manner
from hub.sdk.context import Socket, WebRequest, WebResponse
from hub.web import bodies as limits
from hub.web.bodies import SMALL, Bodies, Pool
from hub.web.guard import errors
from hub.web.public import add_hooks, public_app
from hub.web.sockets import CLOSE_WITHIN_S


class Plugin:
    """Public addresses: every page answers the same, every socket echoes."""

    def __init__(self, answer: WebResponse, manner: Manner | None = None) -> None:
        self.answer, self.seen, self._manner = answer, list[WebRequest](), manner or Manner()

    def manner(self, instance: str) -> Manner:
        return self._manner

    def admit(self, instance: str, method: str, path: str, remote: str) -> str | WebResponse:
        return WebResponse(404) if path == "nowhere" else path

    async def ask(self, served: str, request: WebRequest) -> WebResponse:
        self.seen.append(request)
        return self.answer

    def public_socket(self, instance: str, path: str, remote: str) -> str:
        if path != "echo":
            raise NotFound("there is nothing here", where=path)
        return path

    async def talk(self, served: str, instance: str, socket: Socket) -> None:
        self.seen.append(socket.request)
        if socket.request.query.get("end"):
            return
        while (message := await socket.receive()) is not None:
            await socket.send(message)


async def asked(headers: dict[str, str], answer: WebResponse) -> tuple[WebRequest, dict[str, str]]:
    plugin = Plugin(answer)
    app: web.Application = public_app(plugin, lambda: {"status": "ok"})
    async with TestClient(TestServer(app)) as client, client.get("/hook/thing/page", headers=headers) as response:
        return plugin.seen[0], dict(response.headers)


async def test_a_socket_carries_words_and_bytes_both_ways_without_the_session() -> None:
    plugin = Plugin(WebResponse())
    sent = {"Cookie": "hub_session=secret"}
    async with (
        TestClient(TestServer(public_app(plugin, dict))) as client,
        client.ws_connect("/hook/thing/echo?a=1", headers=sent) as socket,
    ):
        await socket.send_str("สวัสดี")
        assert await socket.receive_str() == "สวัสดี"
        await socket.send_bytes(b"\x00\x01")
        assert await socket.receive_bytes() == b"\x00\x01"
    assert (plugin.seen[0].query, plugin.seen[0].actor) == ({"a": "1"}, None)
    assert "cookie" not in plugin.seen[0].headers


async def test_a_page_of_another_origin_opens_no_socket() -> None:
    async with TestClient(TestServer(public_app(Plugin(WebResponse()), dict))) as client:
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect("/hook/thing/echo", headers={"Origin": "https://evil.example"})
        assert refused.value.status == 403
        with pytest.raises(WSServerHandshakeError) as missing:
            await client.ws_connect("/hook/thing/nothing")
        assert missing.value.status == 404


async def test_sessions_and_api_tokens_do_not_reach_a_plugin() -> None:
    sent = {"Cookie": "hub_session=secret", "Authorization": "Bearer szh_x", "X-Line": "1"}
    request, _ = await asked(sent, WebResponse())
    assert {"cookie", "authorization"} & request.headers.keys() == set()
    assert request.headers["x-line"] == "1"


async def test_a_phones_own_password_does() -> None:
    request, _ = await asked({"Authorization": "Basic czIxMTp4"}, WebResponse())
    assert request.headers["authorization"] == "Basic czIxMTp4"


async def test_a_plugin_cannot_weaken_what_protects_the_reader() -> None:
    weaker = {"Content-Security-Policy": "default-src *", "Set-Cookie": "hub_session=x", "Clear-Site-Data": "*",
              "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}  # fmt: skip
    _, headers = await asked({}, WebResponse(headers=weaker))
    assert headers["Content-Security-Policy"].startswith("sandbox allow-forms; default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert not {"Set-Cookie", "Clear-Site-Data", "Access-Control-Allow-Origin"} & headers.keys()


async def test_a_page_with_scripts_runs_and_reaches_its_own_instance_only() -> None:
    _, headers = await asked({"Host": "hub.example:8443"}, WebResponse(scripts=True))
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    own = "hub.example:8443/hook/thing/"
    assert policy["script-src"] == f"{own} hub.example:8443/vendor/ 'wasm-unsafe-eval'"
    assert policy["connect-src"] == f"{own} hub.example:8443/vendor/ ws://{own}"
    assert policy["form-action"] == own
    assert policy["sandbox"].split() == [  # no pop-up and no frame; a page may dial 191
        "allow-forms", "allow-scripts", "allow-same-origin", "allow-top-navigation-to-custom-protocols",
    ]
    _, headers = await asked({"Host": "a; script-src *"}, WebResponse(scripts=True))
    assert headers["Content-Security-Policy"].startswith("sandbox allow-forms; default-src 'none'")


async def test_a_browser_keeps_a_word_for_one_instance() -> None:
    _, headers = await asked({}, WebResponse(remember="s211.1.abc"))
    parts = headers["Set-Cookie"].split("; ")
    assert parts[0] == "hook_thing=s211.1.abc"
    assert {"HttpOnly", "Path=/hook/thing", "SameSite=Lax"} <= set(parts)
    request, _ = await asked({"Cookie": "hub_session=secret; hook_other=x; hook_thing=s211.1.abc"}, WebResponse())
    assert (request.remembered, "cookie" in request.headers) == ("s211.1.abc", False)
    _, headers = await asked({}, WebResponse(remember=""))
    assert 'hook_thing=""' in headers["Set-Cookie"]


CAMERA = Manner(("camera", "geolocation"), 4 << 20)
NOTHING = "camera=(), microphone=(), geolocation=()"


@pytest.mark.parametrize(
    ("manner", "scripts", "policy"),
    [
        (Manner(), True, NOTHING),
        (CAMERA, True, "camera=(self), microphone=(), geolocation=(self)"),
        (CAMERA, False, NOTHING),
    ],
)
async def test_a_page_may_ask_for_what_its_plugin_declares_and_nothing_else(
    manner: Manner, scripts: bool, policy: str
) -> None:
    plugin = Plugin(WebResponse(scripts=scripts), manner)
    async with TestClient(TestServer(public_app(plugin, dict))) as client, client.get("/hook/thing/page") as answer:
        assert answer.headers["Permissions-Policy"] == policy


async def test_a_body_is_as_large_as_the_plugin_declares() -> None:
    for manner, status in ((Manner(), 413), (CAMERA, 200)):
        plugin = Plugin(WebResponse(), manner)
        async with TestClient(TestServer(public_app(plugin, dict))) as client:
            answer = await client.post("/hook/thing/page", data=b"x" * (3 << 20))
            assert (answer.status, len(plugin.seen)) == (status, int(status == 200))


@pytest.mark.parametrize(
    "to",
    [
        "/api/actions/light.set", "//evil.example/hook/thing/", "https://evil.example/", "http://127.0.0.1/hook/thing/a",
        "/hook/thing/../../api/state", "/hook/thing/%2e%2E/%2e./api", "/hook/thing/..\\..\\api", "/hook/thing\t/../x",
        "/hook/thinger/x", "/hook/other/", "../../api/state", "javascript:alert(1)", "/plugin/thing/x", "",
    ],
)  # fmt: skip
async def test_a_redirect_leads_nowhere_else(to: str) -> None:
    _, headers = await asked({}, WebResponse(200, headers={"location": to, "Retry-After": "1"}))
    assert ("Location" in headers, headers["Retry-After"]) == (False, "1")


@pytest.mark.parametrize(
    "to", ["/hook/thing", "/hook/thing/r/abc/key?lang=th", "/hook/thing/?next=../x#%2e%2e/y", "/hook/thing/a..b"]
)
async def test_a_redirect_within_the_instance_stays(to: str) -> None:
    _, headers = await asked({}, WebResponse(200, headers={"Location": to}))
    assert headers["Location"] == to


@asynccontextmanager
async def listening(plugin: Plugin, bodies: Bodies) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=[errors])
    add_hooks(app, plugin, bodies)
    async with TestClient(TestServer(app)) as client:
        yield client


async def half(
    client: TestClient[web.Request, web.Application], path: str, size: int, sent: int
) -> asyncio.StreamReader:
    """A request of ``size`` bytes of which only ``sent`` come."""
    reader, writer = await asyncio.open_connection(str(client.host), client.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(sent))
    await writer.drain()
    HELD.append(writer)
    return reader


HELD: list[asyncio.StreamWriter] = []


async def status(reader: asyncio.StreamReader) -> int:
    async with asyncio.timeout(5):
        return int((await reader.readline()).split()[1])


async def test_nothing_of_a_body_is_waited_for_at_an_address_that_is_none_or_when_it_is_too_large() -> None:
    async with listening(Plugin(WebResponse()), Bodies()) as client:
        assert await status(await half(client, "/hook/thing/nowhere", 1_000, 0)) == 404
        assert await status(await half(client, "/hook/thing/page", (1 << 20) + 1, 0)) == 413


async def test_a_body_that_does_not_come_is_given_up() -> None:
    async with listening(Plugin(WebResponse()), Bodies(within_s=0.3)) as client:
        reader = await half(client, "/hook/thing/page", 1_000, 10)
        assert await status(reader) == 408
        assert b"did not come within 0.3 s" in await reader.read(1_000)


def pools() -> Bodies:
    return Bodies(small=Pool(100_000, 60_000, 3), large=Pool(300_000, 200_000, 2))


async def held(pool: Pool, size: int) -> None:
    async with asyncio.timeout(5):
        while pool.held.total() < size:  # noqa: ASYNC110  # what has come so far has no event
            await asyncio.sleep(0.01)


async def test_large_bodies_are_held_up_to_a_bound_and_the_bound_is_given_back() -> None:
    plugin, bodies = Plugin(WebResponse()), pools()
    async with listening(plugin, bodies) as client:
        waiting = await half(client, "/hook/thing/page", 150_001, 150_000)
        await held(bodies.large, 150_000)
        answer = await client.post("/hook/thing/page", data=bytes(100_000))
        assert (answer.status, len(plugin.seen)) == (503, 0)
        HELD[-1].write(b"x")
        assert await status(waiting) == 200
        assert (await client.post("/hook/thing/page", data=bytes(100_000))).status == 200
        assert [len(request.body) for request in plugin.seen] == [150_001, 100_000]
        bodies.large.add("elsewhere", 250_000, 1)
        assert (await client.post("/hook/thing/page", data=bytes(100_000))).status == 503
        assert (bodies.large.held, bodies.large.coming) == ({"elsewhere": 250_000}, {"elsewhere": 1})
        assert (bodies.small.held, bodies.small.coming) == ({}, {})


async def test_a_report_in_words_passes_however_much_others_send() -> None:
    plugin, bodies = Plugin(WebResponse()), pools()
    async with listening(plugin, bodies) as client:
        bodies.large.add("elsewhere", 300_000, 2)
        assert (await client.post("/hook/thing/page", data=bytes(SMALL + 1))).status == 503
        assert (await client.post("/hook/thing/page", data=b"9 letters")).status == 200
        assert (await client.get("/hook/thing/page")).status == 200
        assert [request.body for request in plugin.seen] == [b"9 letters", b""]


async def test_one_sender_holds_few_bodies_of_each_size_begun() -> None:
    plugin, bodies = Plugin(WebResponse()), pools()
    async with listening(plugin, bodies) as client:
        large = [await half(client, "/hook/thing/page", 100_000, SMALL + 1) for _ in range(2)]
        await held(bodies.large, 2 * (SMALL + 1))
        refused = await client.post("/hook/thing/page", data=bytes(SMALL + 1))
        small = [await half(client, "/hook/thing/page", 100, 10) for _ in range(3)]
        await held(bodies.small, 30)
        assert (refused.status, await status(await half(client, "/hook/thing/page", 100, 10))) == (503, 503)
        assert (await client.get("/hook/thing/page")).status == 200
        assert (len(large), len(small), len(plugin.seen)) == (2, 3, 1)


def test_one_senders_part_of_a_pool_is_small() -> None:
    for pool in (limits.small_pool(), limits.large_pool()):
        assert pool.each * 8 <= pool.most
    assert limits.large_pool().each >= 16 << 20  # the most that `public_body_mib` allows
    assert limits.small_pool().each >= limits.small_pool().bodies * SMALL


async def test_what_a_header_cannot_carry_reaches_no_plugin() -> None:
    async with listening(plugin := Plugin(WebResponse()), Bodies()) as client:
        reader, writer = await asyncio.open_connection(str(client.host), client.port)
        writer.write(b"GET /hook/thing/page?a=%ff HTTP/1.1\r\nHost: hub\r\nX-Who: \xff\xe0!\r\n\r\n")
        assert await status(reader) == 200
        writer.close()
    assert plugin.seen[0].headers["x-who"] == "??!"
    str((plugin.seen[0].query, plugin.seen[0].headers)).encode()


async def test_a_farewell_that_is_not_answered_is_not_waited_for() -> None:
    async with TestClient(TestServer(public_app(Plugin(WebResponse()), dict))) as client:
        reader, writer = await asyncio.open_connection(str(client.host), client.port)
        writer.write(
            b"GET /hook/thing/echo?end=1 HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        begun = time.monotonic()
        async with asyncio.timeout(8):
            assert b"101" in await reader.readline()
            await reader.read()  # to its end
        assert time.monotonic() - begun < CLOSE_WITHIN_S + 2
        writer.close()
