"""Live pictures over the socket: who may look, what stands in the ledger, and how a view ends."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web

from hub.access.audit import entries
from hub.core.access import Actor, ViewKind
from hub.core.error import Denied, NotFound
from hub.core.state import EntityState
from hub.host.feed import Feed, Viewer
from hub.web.live import CHANGED, ENDED, MAX_EACH
from hub.web.stream import SIGNED_OUT, Present
from tests.scenarios.kit import OWNER
from tests.web.conftest import Door, Start

WITHIN_S = 10.0


class Studio:
    """Live pictures of two cameras, as the vision process would give them."""

    def __init__(self) -> None:
        self.feeds = {name: Feed(name) for name in ("camera.own", "camera.other")}
        self._n = 0

    async def join(self, entity: str) -> Viewer:
        if entity not in self.feeds:
            raise NotFound("this entity has no live picture", where=entity)
        return self.feeds[entity].join()

    def head(self, entity: str) -> None:
        self._n += 1
        self.feeds[entity].take({"n": self._n, "header": {"kind": "fmp4", "codecs": "avc1.42c01e"}}, b"INIT")

    def show(self, entity: str, data: bytes, at: float, *, key: bool = False) -> None:
        self._n += 1
        self.feeds[entity].take({"n": self._n, "at": at, "key_frame": key}, data)


@pytest.fixture
def studio(door: Door) -> Studio:
    made = Studio()
    door.app.live._feeds = made
    made.head("camera.own")
    made.show("camera.own", b"KEY", 100.0, key=True)
    made.show("camera.own", b"NEXT", 100.1)
    return made


def look(door: Door, role: str, entity: str = "camera.own", **headers: str) -> Any:
    return door.http.ws_connect(f"{door.url}/api/live/{entity}", headers=headers or door.folks.bearer(role))


async def text(socket: ClientWebSocketResponse) -> dict[str, Any]:
    """The next text but beats."""
    while True:
        message = await socket.receive(WITHIN_S)
        assert message.type is WSMsgType.TEXT, message
        data: dict[str, Any] = json.loads(message.data)
        if "beat" not in data:
            return data


async def piece(socket: ClientWebSocketResponse) -> tuple[float, int, bytes]:
    while (message := await socket.receive(WITHIN_S)).type is not WSMsgType.BINARY:
        assert message.type is WSMsgType.TEXT, message
    at, flags = struct.unpack(">dB", message.data[:9])
    return at, flags, message.data[9:]


async def closed(socket: ClientWebSocketResponse) -> tuple[int | None, str]:
    async with asyncio.timeout(WITHIN_S):  # beats go on coming to who is not closed
        while (message := await socket.receive()).type is not WSMsgType.CLOSE:
            assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY), message
    return message.data, message.extra or ""


def ledger(door: Door) -> list[tuple[str, str, str]]:
    return [(row["who"], row["what"], row["subject"]) for row in entries(door.app.journal)]


async def until(found: Any) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not found():  # noqa: ASYNC110  # what the handler leaves behind has no event
            await asyncio.sleep(0.01)


async def test_a_viewer_gets_the_header_and_the_group_at_once_and_both_ends_are_kept(
    door: Door, studio: Studio
) -> None:
    async with look(door, "ccoc") as socket:
        assert (await text(socket))["view"]["entity"] == "camera.own"
        assert await text(socket) == {"kind": "fmp4", "codecs": "avc1.42c01e"}
        assert [await piece(socket) for _ in range(3)] == [(0.0, 2, b"INIT"), (100.0, 1, b"KEY"), (100.1, 0, b"NEXT")]
        studio.show("camera.own", b"MORE", 100.2)
        assert await piece(socket) == (100.2, 0, b"MORE")
        token = f"token:{door.folks.tokens['ccoc'].split('_')[1]}"
        assert ledger(door) == [(token, "view.begin", "camera.own")]
    await until(lambda: len(ledger(door)) == 2)
    begun, ended = entries(door.app.journal)
    assert (ended["who"], ended["what"]) == (token, "view.end")
    assert begun["detail"] == {"kind": "live", "owner": OWNER} and ended["detail"]["seconds"] >= 0
    assert begun["purpose"] == ended["purpose"] == "duty.ccoc_watch"
    assert studio.feeds["camera.own"].viewers == set()


@pytest.mark.parametrize(
    ("role", "entity", "status"),
    [
        ("partner", "camera.own", 101), ("partner", "camera.other", 403), ("display", "camera.other", 101),
        ("municipality", "camera.own", 403), ("auditor", "camera.own", 403), ("ccoc", "camera.none", 404),
    ],
)  # fmt: skip
async def test_who_may_look_at_what(door: Door, studio: Studio, role: str, entity: str, status: int) -> None:
    if status == 101:
        async with look(door, role, entity) as socket:
            assert "view" in await text(socket)
        return
    with pytest.raises(WSServerHandshakeError) as refused:
        await look(door, role, entity)
    assert refused.value.status == status and ledger(door) == []
    code, answer = await door.ask("GET", f"/api/live/{entity}", role)  # how a browser finds out why
    assert (code, answer["error"]["code"]) == (status, "denied" if status == 403 else "not_found")


async def test_another_site_may_not_open_it_with_the_visitors_cookie(door: Door, studio: Studio) -> None:
    signed = await door.signed_in("ccoc")
    with pytest.raises(WSServerHandshakeError) as refused:
        await look(door, "", Cookie=signed["Cookie"], Origin="https://evil.example")
    assert refused.value.status == 401
    async with look(door, "", Cookie=signed["Cookie"], Origin=door.url) as socket:
        assert "view" in await text(socket)


async def test_signing_out_ends_the_view(door: Door, studio: Studio) -> None:
    signed = await door.signed_in("ccoc")
    async with look(door, "", Cookie=signed["Cookie"], Origin=door.url) as socket:
        await text(socket)
        assert (await door.ask("DELETE", "/api/session", headers=signed))[0] == 200
        assert (await closed(socket))[0] == SIGNED_OUT


async def test_another_purpose_asks_anew_and_another_owner_ends_it(door: Door, studio: Studio) -> None:
    signed = await door.signed_in("ccoc")
    async with look(door, "", Cookie=signed["Cookie"], Origin=door.url) as socket:
        await text(socket)
        body = {"purpose": "duty.traffic"}
        assert (await door.ask("PUT", "/api/session/purpose", headers=signed, json=body))[0] == 200
        assert (await closed(socket))[0] == CHANGED
    async with look(door, "partner") as socket:
        await text(socket)
        door.entity("camera.own", "another_shop")
        assert await closed(socket) == (ENDED, "the right to see this camera has ended")


class Cutting:
    """A gate that lets everybody in and can cut them off."""

    def __init__(self) -> None:
        self.views: list[CuttingView] = []

    async def open(self, actor: Actor, entity: EntityState, kind: ViewKind, purpose: str | None) -> CuttingView:
        if purpose is None:
            raise Denied("a purpose is missing", where="purpose")
        self.views.append(CuttingView())
        return self.views[-1]


class CuttingView:
    def __init__(self) -> None:
        self.cut, self.reason, self.closed = asyncio.Event(), "", False

    def allowed(self) -> bool:
        return True

    async def close(self) -> None:
        self.closed = True


async def test_a_revocation_cuts_an_open_view_within_a_second(door: Door, studio: Studio) -> None:
    gate = Cutting()
    door.app.live._gate = gate
    async with look(door, "ccoc") as socket:
        await text(socket)
        gate.views[0].reason = "ร้านทองยกเลิกการแบ่งปัน"
        began = asyncio.get_running_loop().time()
        gate.views[0].cut.set()
        assert await closed(socket) == (ENDED, "ร้านทองยกเลิกการแบ่งปัน")
        assert asyncio.get_running_loop().time() - began < 1.0
    await until(lambda: gate.views[0].closed)


async def test_a_viewer_that_reads_nothing_is_cut_too(door: Door, studio: Studio) -> None:
    gate = Cutting()
    door.app.live._gate = gate
    async with look(door, "ccoc") as socket:
        await text(socket)
        for i in range(60):  # more than the sockets between them hold
            studio.show("camera.own", bytes(1 << 20), 200.0 + i, key=True)
            await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        gate.views[0].cut.set()
        await until(lambda: gate.views[0].closed)
        assert asyncio.get_running_loop().time() - began < 2.0
    assert studio.feeds["camera.own"].viewers == set()


async def test_one_account_cannot_take_every_place(door: Door, studio: Studio) -> None:
    open_views = [await look(door, "ccoc") for _ in range(32)]
    with pytest.raises(WSServerHandshakeError):  # the studio's camera is full, or the account
        for _ in range(MAX_EACH):
            open_views.append(await look(door, "ccoc", "camera.other"))
    assert len(open_views) == MAX_EACH
    assert (await door.ask("GET", "/api/live/camera.other", "ccoc"))[0] == 429
    for socket in open_views:
        await socket.close()


class Slow(Cutting):
    """A gate that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.asked = asyncio.Event(), 0

    async def open(self, actor: Actor, entity: EntityState, kind: ViewKind, purpose: str | None) -> CuttingView:
        self.asked += 1
        await self.go.wait()
        return await super().open(actor, entity, kind, purpose)


async def test_one_account_cannot_take_every_place_at_once_either(door: Door, studio: Studio) -> None:
    gate = Slow()
    door.app.live._gate = gate
    asking = [asyncio.create_task(door.ask("GET", "/api/live/camera.own", "ccoc")) for _ in range(MAX_EACH + 3)]
    refused, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED, timeout=WITHIN_S)
    assert [task.result()[0] for task in refused] == [429] * len(refused) != []
    await until(lambda: gate.asked == MAX_EACH)
    gate.go.set()
    answers = sorted([(await task)[0] for task in asking])
    assert answers == [400] * MAX_EACH + [429] * 3  # 400: they asked for a page, not for a socket
    await until(lambda: not door.app.live._places)


async def test_the_socket_closes_when_the_hub_stops(start: Start) -> None:
    door = await start()
    door.entity("camera.own", "shop")
    await door.app.pipeline.settled()
    door.app.live._feeds = Studio()
    async with look(door, "ccoc") as socket:
        await text(socket)
        await asyncio.gather(door.app.live.close(), closed(socket))
        assert socket.close_code == 1001


async def test_a_partner_sees_pictures_of_their_own_cameras_only(door: Door) -> None:
    media = door.app.media
    own = await media.put(b"\xff\xd8 own \xff\xd9", "image/jpeg", "incidents", "camera.own")
    other = await media.put(b"\xff\xd8 other \xff\xd9", "image/jpeg", "incidents", "camera.other")
    gone = await media.put(b"\xff\xd8 gone \xff\xd9", "image/jpeg", "incidents", "camera.gone")
    film = await media.put(bytes(range(100)), "video/mp4", "incidents", "camera.own")
    asked = [(await door.ask("GET", f"/api/media/{name}", "partner", raw=True))[0] for name in (own, other, gone, film)]
    assert asked == [200, 403, 403, 200]
    asked = [(await door.ask("GET", f"/api/media/{name}", "patrol", raw=True))[0] for name in (other, gone)]
    assert asked == [200, 200]
    whats = [row["what"] for row in entries(door.app.journal)]
    assert whats == ["media.read", "view.begin", "view.end", "media.read", "media.read", "media.read"]
    assert (await media.about(own)).of == ("camera.own",)


async def test_a_player_gets_the_part_it_asks_for(door: Door) -> None:
    film = await door.app.media.put(bytes(range(100)), "video/mp4", "incidents", "camera.own")
    for asked, status, body in (
        ("bytes=10-19", 206, bytes(range(10, 20))), ("bytes=90-", 206, bytes(range(90, 100))),
        ("bytes=-5", 206, bytes(range(95, 100))), ("bytes=0-999", 206, bytes(range(100))),
        ("bytes=100-", 416, b""), ("bytes=5-4", 416, b""), ("bytes=-", 200, bytes(range(100))),
        ("lines=1-2", 200, bytes(range(100))), ("bytes=0-1,5-6", 200, bytes(range(100))),
    ):  # fmt: skip
        got = await door.ask("GET", f"/api/media/{film}", "ccoc", raw=True, headers={"Range": asked})
        assert got == (status, body), asked


@pytest.mark.parametrize("part", ["present", "allowed"])
async def test_who_cannot_be_asked_about_sees_no_more(
    door: Door, studio: Studio, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    gate, broken = Cutting(), list[bool]()
    door.app.live._gate = gate
    watch = door.app.live._watch

    def watching(request: web.Request) -> Present:
        present = watch(request)

        def asked() -> Actor | None:
            if broken:
                raise RuntimeError("the accounts cannot be read")
            return present()

        return asked

    monkeypatch.setattr(door.app.live, "_watch", watching)
    async with look(door, "ccoc") as socket:
        await text(socket)
        if part == "allowed":
            monkeypatch.setattr(CuttingView, "allowed", lambda _: 1 / 0)
        else:
            broken.append(True)
        assert await closed(socket) == (ENDED, "the hub could not check the right to see this camera")
    await until(lambda: gate.views[0].closed)
