"""Shares over HTTP: the owner's page, the station's requests, and live pictures that end when the owner says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from hub.access.audit import entries
from hub.core.entity import Entity
from hub.core.text import Text
from hub.web.live import ENDED
from tests.scenarios.kit import OWNER
from tests.web.conftest import Door
from tests.web.test_live import Studio, closed, look, text, until

DAY = 86_400.0

CAM = "camera.own"


@pytest.fixture
async def shop(door: Door) -> Door:
    """A hub where ``camera.own`` is the partner's private camera, with live pictures."""
    made = Entity(CAM, Text("กล้องในร้าน", "Inside"), ("camera",), owner=OWNER, attributes={"private": True})
    door.emit("entity_added", {"description": made.describe("test")}, CAM)
    await door.app.pipeline.settled()
    studio = Studio()
    door.app.live._feeds = studio
    studio.head(CAM)
    studio.show(CAM, b"KEY", 100.0, key=True)
    return door


def terms(door: Door, **changed: Any) -> dict[str, Any]:
    return {
        "cameras": [CAM], "kinds": ["live"], "to": ["role:ccoc"], "until": door.app.clock.now() + DAY, **changed,
    }  # fmt: skip


async def share(door: Door, **changed: Any) -> str:
    status, made = await door.ask("POST", "/api/shares", "partner", json=terms(door, **changed))
    assert (status, made["state"]) == (200, "active"), made
    return str(made["id"])


async def refused(door: Door, role: str = "ccoc") -> None:
    with pytest.raises(WSServerHandshakeError) as denied:
        await look(door, role, CAM)
    assert denied.value.status == 403


async def test_the_owner_shares_the_officer_looks_the_owner_takes_it_back(shop: Door) -> None:
    await refused(shop)
    name = await share(shop)
    async with look(shop, "ccoc", CAM) as socket:
        assert (await text(socket))["view"]["entity"] == CAM
        _, home = await shop.ask("GET", "/api/shares", "partner")
        (view,) = home["views"]
        assert (view["kind"], view["ended"], view["roles"], view["share"]) == ("live", None, ["ccoc"], name)
        began = asyncio.get_running_loop().time()
        assert (await shop.ask("DELETE", f"/api/shares/{name}", "partner"))[1]["state"] == "revoked"
        assert await closed(socket) == (ENDED, "the owner shares this camera no more")
        assert asyncio.get_running_loop().time() - began < 1.0
    await until(lambda: shop.app.views.of_owner(OWNER)[0]["ended"] is not None)
    await refused(shop)
    async with look(shop, "partner", CAM) as socket:  # the owner sees on
        await text(socket)
    whats = [entry["what"] for entry in entries(shop.app.journal)]
    assert [what for what in whats if what.startswith(("share", "view"))][:4] == [
        "share.given", "view.begin", "share.revoked", "view.end",
    ]  # fmt: skip


async def test_another_owner_s_share_and_a_changed_camera_cut_as_well(shop: Door) -> None:
    await share(shop)
    async with look(shop, "ccoc", CAM) as socket:
        await text(socket)
        made = Entity(CAM, Text("ก", "a"), ("camera",), owner="another_shop", attributes={"private": True})
        shop.emit("entity_added", {"description": made.describe("test")}, CAM)  # sold: the old share is void
        assert (await closed(socket))[0] == ENDED


async def test_pictures_clips_and_crops_are_the_owner_s_until_they_are_shared(shop: Door) -> None:
    media = shop.app.media
    names = [
        await media.put(f"{kind} {mime}".encode(), mime, kind, CAM)
        for kind, mime in (("incidents", "image/jpeg"), ("plates", "image/jpeg"), ("incidents", "video/mp4"))
    ]

    async def seen(role: str) -> list[int]:
        return [(await shop.ask("GET", f"/api/media/{name}", role, raw=True))[0] for name in names]

    assert (await seen("ccoc"), await seen("commander"), await seen("partner")) == ([403] * 3, [403] * 3, [200] * 3)
    await share(shop)  # live only
    assert await seen("ccoc") == [403] * 3
    name = await share(shop, kinds=["recorded"])
    assert (await seen("ccoc"), await seen("patrol")) == ([200] * 3, [403] * 3)
    async with shop.http.get(f"{shop.url}/api/media/{names[0]}", headers=shop.folks.bearer("ccoc")) as answer:
        assert answer.headers["Cache-Control"] == "no-store"  # a browser must not show it after the share
    shop.emit("entity_removed", {}, CAM)  # the camera was taken out: its pictures stay the owner's
    assert await seen("ccoc") == [200] * 3 and await seen("commander") == [403] * 3
    await shop.ask("DELETE", f"/api/shares/{name}", "partner")
    assert (await seen("ccoc"), await seen("partner")) == ([403] * 3, [200] * 3)
    kinds = [row["kind"] for row in shop.app.views.of_owner(OWNER)]
    assert kinds.count("recorded") == 7


async def test_a_snapshot_and_a_clip_need_the_owner_too(shop: Door) -> None:
    for action in ("camera.snapshot", "camera.clip"):
        status, answer = await shop.ask("POST", f"/api/actions/{action}", "commander", json={"target": CAM})
        assert (status, answer["error"]["code"], answer["error"]["hint"]) == (
            403, "denied", "ask the owner to share it",
        )  # fmt: skip
    await share(shop, kinds=["recorded"])
    _, answer = await shop.ask("POST", "/api/actions/camera.snapshot", "ccoc", json={"target": CAM})
    assert answer["error"]["code"] == "unavailable"  # let in: no plugin serves this camera here
    assert [row["kind"] for row in shop.app.views.of_owner(OWNER)] == ["snapshot"]


async def test_the_station_asks_and_the_owner_answers(shop: Door) -> None:
    body, desk = {**terms(shop, to=[]), "reason": "คนร้ายวิ่งผ่านหน้าร้าน"}, await shop.signed_in("ccoc")
    status, answer = await shop.ask("POST", "/api/share-requests", "ccoc", json=body)
    assert (status, "token:" in answer["error"]["message"]) == (400, True)  # a share is for a person or a role
    status, wish = await shop.ask("POST", "/api/share-requests", headers=desk, json=body)
    assert (status, wish["state"], wish["owner"]) == (200, "waiting", OWNER)
    _, home = await shop.ask("GET", "/api/shares", "partner")
    assert [one["reason"] for one in home["requests"]] == ["คนร้ายวิ่งผ่านหน้าร้าน"]
    _, answer = await shop.ask("POST", f"/api/share-requests/{wish['id']}", "partner", json={"answer": "yes"})
    assert answer["share"]["to"] == wish["to"] and answer["share"]["state"] == "active"
    assert (await shop.ask("GET", "/api/share-requests", headers=desk))[1]["requests"][0]["state"] == "approved"
    assert (await shop.ask("GET", "/api/share-requests", "commander"))[1] == {"requests": []}
    async with look(shop, "", CAM, Cookie=desk["Cookie"], Origin=shop.url) as socket:
        await text(socket)
    await refused(shop)  # another account of the same role


async def test_each_sees_and_changes_only_their_own(shop: Door) -> None:
    name = await share(shop)
    for role in ("ccoc", "commander", "operator", "municipality", "display"):
        assert (await shop.ask("GET", "/api/shares", role))[0] == 403
        assert (await shop.ask("DELETE", f"/api/shares/{name}", role))[0] == 403
    status, answer = await shop.ask("POST", "/api/shares", "partner", json=terms(shop, cameras=["camera.other"]))
    assert (status, answer["error"]["message"]) == (403, "is no private camera of yours")
    _, home = await shop.ask("GET", "/api/shares", "partner")
    assert [one["entity"] for one in home["cameras"]] == [CAM] and home["owner"] == OWNER
    assert home["roles"] == ["ccoc", "commander", "display", "operator", "patrol"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "is not JSON"),  # malformed
        (b'{"note": "' + b"x" * (2 << 20) + b'"}', 413, "larger than"),  # oversized
        (b'{"cameras": "camera.own", "kinds": ["live"], "until": "tomorrow"}', 400, "until"),  # wrong type
        (b'{"cameras": ["camera.own"], "kinds": ["sound"], "until": 1}', 400, "kinds"),
        (b'{"cameras": ["camera.own"], "kinds": ["live"], "until": 1e400}', 400, ""),
        (b'{"cameras": [], "kinds": ["live"], "until": 1, "admin": true}', 400, "admin"),
    ],
)
async def test_bad_bodies_are_named(shop: Door, body: bytes, status: int, said: str) -> None:
    got, answer = await shop.ask("POST", "/api/shares", "partner", data=body)
    assert got == status and said in answer["error"]["message"], answer
    assert (await shop.ask("GET", "/api/shares", "partner"))[1]["shares"] == []


async def test_a_flood_of_requests_meets_its_limit_and_the_owner_s_page_stays(shop: Door) -> None:
    body, desk = {**terms(shop, to=[]), "reason": "ขอดู"}, await shop.signed_in("ccoc")
    answers = await asyncio.gather(
        *(shop.ask("POST", "/api/share-requests", headers=desk, json=body) for _ in range(60))
    )
    assert [status for status, _ in answers].count(200) == 50 and [status for status, _ in answers].count(429) == 10
    assert len((await shop.ask("GET", "/api/shares", "partner"))[1]["requests"]) == 50


async def test_silence_in_mid_request_holds_nobody(shop: Door) -> None:
    host, port = shop.app.addresses[0]
    _, writer = await asyncio.open_connection(host, port)
    bearer = shop.folks.bearer("partner")["Authorization"]
    head = f"POST /api/shares HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nContent-Length: 500\r\n\r\n{{"
    writer.write(head.encode())
    await writer.drain()
    assert await share(shop)
    writer.close()
