"""Who comes in: passwords, cookies, CSRF, tokens, the stream's origin, and the demo's login."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, WSMsgType, WSServerHandshakeError

from hub.access.audit import entries
from hub.app import App, Options
from tests.scenarios.kit import PASSWORD, write_zone
from tests.web.conftest import WITHIN_S, Door, Start, frame_of


def sign_in(door: Door, user: str, password: str) -> Any:
    return door.http.post(f"{door.url}/api/session", json={"user": user, "password": password})


async def cookie_and_csrf(door: Door, user: str = "is_ccoc") -> dict[str, str]:
    async with sign_in(door, user, PASSWORD) as answer:
        assert answer.status == 200
        return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0], "X-CSRF": (await answer.json())["csrf"]}


async def test_an_unknown_account_is_answered_as_a_wrong_password(door: Door) -> None:
    said: list[tuple[int, bytes, list[str]]] = []
    for user in ("is_ccoc", "nobody_at_all"):
        async with sign_in(door, user, "not the password") as answer:
            names = sorted(name for name in answer.headers if name != "Date")
            said.append((answer.status, await answer.read(), names))
    assert said[0] == said[1]
    assert said[0][0] == 401 and b"name, password or code is wrong" in said[0][1]


async def test_the_cookie_is_for_this_site_and_no_script(door: Door) -> None:
    async with sign_in(door, "is_ccoc", PASSWORD) as answer:
        body, cookie = await answer.json(), answer.headers["Set-Cookie"]
    assert re.fullmatch(r"hub_session=[0-9a-f]{64}; HttpOnly; Path=/; SameSite=Strict", cookie)
    assert (body["user"], body["roles"], body["purpose"]) == ("is_ccoc", ["ccoc"], "duty.ccoc_watch")
    assert "incident.*" in body["rights"] and re.fullmatch(r"[0-9a-f]{64}", body["csrf"])
    assert 0 < body["expires"] - door.app.clock.now() <= 30 * 60


async def test_guessing_is_slowed_down(door: Door) -> None:
    statuses = []
    for _ in range(12):
        async with sign_in(door, "is_ccoc", "not the password") as answer:
            statuses.append(answer.status)
    assert statuses[0] == 401 and statuses[-1] == 429


async def test_a_change_from_a_browser_needs_its_csrf_token(door: Door) -> None:
    signed = await cookie_and_csrf(door)
    body = {"type": "motion_ended", "data": {}, "entity": "camera.other"}
    other = (await cookie_and_csrf(door, "is_operator"))["X-CSRF"]
    for forged in ({}, {"X-CSRF": "0" * 64}, {"X-CSRF": other}):
        headers = {"Cookie": signed["Cookie"], **forged}
        status, answer = await door.ask("POST", "/api/events", headers=headers, json=body)
        assert (status, answer["error"]["where"]) == (403, "X-CSRF")
    assert (await door.ask("POST", "/api/events", headers=signed, json=body))[0] == 200
    assert (await door.ask("GET", "/api/states", headers={"Cookie": signed["Cookie"]}))[0] == 200


async def upgrade(door: Door, headers: dict[str, str]) -> int:
    try:
        async with door.http.ws_connect(f"{door.url}/api/stream", headers=headers) as stream:
            assert (await frame_of(stream, "state"))["seq"] > 0
            return 101
    except WSServerHandshakeError as refused:
        return refused.status


async def test_the_stream_is_for_the_hubs_own_pages(door: Door) -> None:
    cookie = {"Cookie": (await cookie_and_csrf(door))["Cookie"]}
    host = door.url.partition("://")[2]
    assert await upgrade(door, {**cookie, "Origin": "https://evil.example"}) == 401
    assert await upgrade(door, {**cookie, "Origin": f"http://{host}.evil.example"}) == 401
    assert await upgrade(door, {**cookie, "Origin": "null"}) == 401
    assert await upgrade(door, cookie) == 401
    assert await upgrade(door, {**cookie, "Origin": f"http://{host}"}) == 101


async def test_a_token_opens_and_what_is_none_does_not(door: Door) -> None:
    assert (await door.ask("GET", "/api/states", "operator"))[0] == 200
    good = door.folks.tokens["operator"]
    for bad in (f"Bearer {good[:-1]}", f"Bearer {good}x", "Bearer", "Bearer x", "Basic aXM6aXM=", f"Token {good}"):
        status, answer = await door.ask("GET", "/api/states", headers={"Authorization": bad})
        assert (status, answer["error"]["code"]) == (401, "unauthenticated"), bad
    session = await door.ask("GET", "/api/session", "operator")
    assert session[1]["csrf"] is None and session[1]["roles"] == ["operator"]


async def test_a_revoked_token_and_a_disabled_account_end_at_once(door: Door) -> None:
    token = door.folks.tokens["operator"]
    door.folks.accounts.revoke_token(token.split("_")[1])
    assert (await door.ask("GET", "/api/states", "operator"))[0] == 401
    signed = await cookie_and_csrf(door)
    door.folks.accounts.set_disabled("is_ccoc", True)
    assert (await door.ask("GET", "/api/states", headers=signed))[0] == 401


async def test_signing_out_ends_the_session_and_its_stream(door: Door) -> None:
    signed = await cookie_and_csrf(door)
    host = door.url.partition("://")[2]
    headers = {"Cookie": signed["Cookie"], "Origin": f"http://{host}"}
    async with door.http.ws_connect(f"{door.url}/api/stream", headers=headers) as stream:
        await frame_of(stream, "state")
        status, answer = await door.ask("DELETE", "/api/session", headers=signed)
        assert (status, answer) == (200, {"user": "public"})
        async with asyncio.timeout(WITHIN_S):
            while (message := await stream.receive()).type is WSMsgType.TEXT:
                pass
        assert (message.type, message.data) == (WSMsgType.CLOSE, 4401)
    assert (await door.ask("GET", "/api/session", headers=signed))[0] == 401
    await door.app.pipeline.settled()
    lines = [(line["who"], line["what"]) for line in entries(door.app.journal)]
    assert lines == [("user:is_ccoc", "session.open"), ("user:is_ccoc", "session.close")]


async def test_one_browsers_end_leaves_the_persons_other_browser_alone(door: Door) -> None:
    first, second = await cookie_and_csrf(door), await cookie_and_csrf(door)
    origin = {"Cookie": second["Cookie"], "Origin": door.url}
    async with door.http.ws_connect(f"{door.url}/api/stream", headers=origin) as stream:
        await frame_of(stream, "state")
        await door.ask("DELETE", "/api/session", headers=first)
        door.emit("motion_ended", {}, "camera.other")
        assert (await frame_of(stream, "events"))["events"][0]["event"]["type"] == "motion_ended"


async def test_a_purpose_is_an_open_incident_or_an_own_duty(door: Door) -> None:
    signed = await door.signed_in("ccoc")
    status, answer = await door.ask(
        "PUT", "/api/session/purpose", headers=signed, json={"purpose": "duty.commander"}
    )  # fmt: skip
    assert (status, answer["error"]["where"]) == (403, "purpose")
    status, answer = await door.ask("PUT", "/api/session/purpose", headers=signed, json={"purpose": "incident.none"})
    assert status == 403
    call = {"params": {"text": "a lost child at the market"}}
    opened = (await door.ask("POST", "/api/actions/incident.call_note", headers=signed, json=call))[1]["result"]
    assert (await door.ask("PUT", "/api/session/purpose", headers=signed, json={"purpose": opened}))[1] == {
        "purpose": opened
    }
    assert (await door.ask("GET", "/api/session", headers=signed))[1]["purpose"] == opened


async def test_the_demo_login_is_told_on_loopback_and_works(door: Door) -> None:
    status, page = await door.ask("GET", "/api/login")
    assert status == 200 and page["station"] == {"th": "ทดสอบ", "en": "Test"}
    async with sign_in(door, page["demo"]["user"], page["demo"]["password"]) as answer:
        assert (await answer.json())["roles"] == ["ccoc", "commander", "operator"]


def own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which address would be used
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


async def test_off_loopback_there_is_no_demo_login_and_the_cookie_needs_tls(tmp_path: Path) -> None:
    if (address := own_address()).startswith("127."):
        pytest.skip("this machine has no address but loopback")
    first = App(Options(write_zone(tmp_path), tmp_path / "data", port=0, memory=True))
    assert first.demo is not None and first.accounts.get("demo") is not None
    app = App(Options(tmp_path / "config.yaml", tmp_path / "data", host=address, port=0, memory=True))
    assert app.demo is None and app.accounts.get("demo") is None  # the one it left from before is gone
    app.accounts.add("somchai", PASSWORD, ("ccoc",))
    await app.start()
    try:
        async with ClientSession() as http:
            async with http.get(f"{app.url}/api/login", ssl=False) as page:
                assert (await page.json())["demo"] is None
                assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
            body = {"user": "somchai", "password": PASSWORD}
            async with http.post(f"{app.url}/api/session", json=body, ssl=False) as answer:
                assert answer.headers["Set-Cookie"].endswith("; HttpOnly; Path=/; SameSite=Strict; Secure")
    finally:
        await app.stop()


async def headers_of(answer: ClientResponse) -> dict[str, str]:
    await answer.read()
    return dict(answer.headers)


async def test_security_headers_stand_on_every_answer(start: Start) -> None:
    door = await start()
    paths = [
        "/", "/board", "/api/health", "/api/states", "/api/nothing", "/hook/units/task", "/hook/none/x",
        "/api/openapi.json", "/assets/none.js",
    ]  # fmt: skip
    for path in paths:
        async with door.http.get(door.url + path) as answer:
            headers = await headers_of(answer)
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'", path
        if path.startswith("/hook/"):  # a plugin's page: of no origin, and no script of it runs
            assert policy["sandbox"] == "allow-forms" and "script-src" not in policy, path
        else:
            assert policy["script-src"] == "'self'" and "unsafe" not in headers["Content-Security-Policy"], path
            assert policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'", path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert "Strict-Transport-Security" not in headers, path
    async with door.http.get(f"{door.url}/api/health") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
