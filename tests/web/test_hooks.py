"""A plugin's routes: no session and no API token reaches it, and its pages are of no origin."""

from __future__ import annotations

import pytest
from aiohttp import WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer

from hub.core.error import NotFound
from hub.host.routes import Manner
from hub.sdk.context import Socket, WebRequest, WebResponse
from hub.web.public import public_app


class Plugin:
    """Public addresses: every page answers the same, every socket echoes."""

    def __init__(self, answer: WebResponse, manner: Manner | None = None) -> None:
        self.answer, self.seen, self._manner = answer, list[WebRequest](), manner or Manner()

    def manner(self, instance: str) -> Manner:
        return self._manner

    async def dispatch(self, instance: str, request: WebRequest) -> WebResponse:
        self.seen.append(request)
        return self.answer

    def public_socket(self, instance: str, path: str, remote: str) -> str:
        if path != "echo":
            raise NotFound("there is nothing here", where=path)
        return path

    async def talk(self, served: str, instance: str, socket: Socket) -> None:
        self.seen.append(socket.request)
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
