"""Pages and sockets of plugins on the staff listener: the hub finds out who asks before the plugin hears of it."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from hub.host.routes import MAX_STAFF_BODY, SOCKET
from hub.sdk.context import Socket, WebRequest, WebResponse
from hub.web import bodies
from tests.web.conftest import Door

seen: list[WebRequest] = []


async def page(request: WebRequest) -> WebResponse:
    seen.append(request)
    return WebResponse(200, str(len(request.body)).encode())


async def echo(socket: Socket) -> None:
    seen.append(socket.request)
    while (message := await socket.receive()) is not None:
        await socket.send(message)


@pytest.fixture
def staffed(door: Door) -> Door:
    """A hub with a page and a socket of an instance ``thing`` for who may edit documents."""
    seen.clear()
    for method, handler in (("GET", page), ("POST", page), (SOCKET, echo)):
        door.app.host.routes.add("thing", method, "page", handler, door, lambda where, fault: None, "document.write")
    return door


async def test_only_who_has_the_right_reaches_the_page(staffed: Door) -> None:
    answers = {
        role: (await staffed.ask("GET", "/plugin/thing/page", role, raw=True))[0]
        for role in ("commander", "municipality", "partner", None)
    }
    assert answers == {"commander": 200, "municipality": 403, "partner": 403, None: 401}
    assert [request.actor.partition(":")[0] for request in seen if request.actor] == ["token"]


async def test_the_public_door_does_not_serve_it_and_unknown_pages_are_told(staffed: Door) -> None:
    assert (await staffed.ask("GET", "/hook/thing/page", "commander"))[0] == 404
    assert (await staffed.ask("GET", "/plugin/thing/other", "commander"))[0] == 404
    assert (await staffed.ask("GET", "/plugin/nobody/page", "commander"))[0] == 404
    assert seen == []


async def test_a_file_of_several_mebibytes_arrives_and_a_larger_one_is_refused(staffed: Door) -> None:
    status, body = await staffed.ask("POST", "/plugin/thing/page", "commander", raw=True, data=b"x" * (3 << 20))
    assert (status, body) == (200, str(3 << 20).encode())
    status, answer = await staffed.ask("POST", "/plugin/thing/page", "commander", data=b"x" * (MAX_STAFF_BODY + 1))
    assert (status, answer["error"]["code"]) == (429, "limit")


async def test_a_changing_request_of_a_browser_needs_its_token(staffed: Door) -> None:
    headers = await staffed.signed_in("commander")
    assert (await staffed.ask("POST", "/plugin/thing/page", headers=headers, raw=True))[0] == 200
    assert (await staffed.ask("POST", "/plugin/thing/page", headers={"Cookie": headers["Cookie"]}))[0] == 403


async def test_a_socket_ends_with_its_session(staffed: Door) -> None:
    headers = {**await staffed.signed_in("commander"), "Origin": staffed.url}
    async with staffed.http.ws_connect(f"{staffed.url}/plugin/thing/page", headers=headers) as socket:
        await socket.send_str("one")
        assert await socket.receive_str() == "one"
        status, _ = await staffed.ask("DELETE", "/api/session", headers=headers)
        assert status == 200
        await socket.send_str("two")
        assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
    assert [request.actor for request in seen] == ["user:is_commander"]


async def test_no_socket_without_the_right(staffed: Door) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await staffed.http.ws_connect(
            f"{staffed.url}/plugin/thing/page", headers=staffed.folks.bearer("municipality")
        )
    assert refused.value.status == 403


@pytest.mark.parametrize("path", ["/plugin/thing/page", "/api/actions/notify.send"])
async def test_a_body_that_does_not_come_is_given_up(
    staffed: Door, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(bodies, "STAFF_WITHIN_S", 0.3)
    reader, writer = await asyncio.open_connection(*staffed.app.addresses[0])
    headers = {"Host": "hub", "Content-Length": "100", "Content-Type": "application/json"}
    lines = [f"{name}: {value}" for name, value in {**headers, **staffed.folks.bearer("commander")}.items()]
    writer.write("\r\n".join([f"POST {path} HTTP/1.1", *lines, "", "{"]).encode())
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] == b"504"
        await reader.readuntil(b"the body did not come within 0.3 s")
    writer.close()
    assert seen == []
