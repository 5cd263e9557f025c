"""A whole hub on a free port of loopback, in the test's own loop, with an account of each role."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, DummyCookieJar

from hub.access.sessions import csrf_token
from hub.app import App, Options
from hub.core.entity import Entity
from hub.core.event import Draft, Event
from hub.core.text import Text
from hub.web.auth import COOKIE, CSRF_HEADER
from tests.scenarios.kit import OWNER, WEB, People, people, write_zone

WITHIN_S = 15.0


class Door:
    """A hub that serves, and how a test speaks with it."""

    def __init__(self, app: App, folks: People, http: ClientSession) -> None:
        self.app, self.folks, self.http = app, folks, http

    @property
    def url(self) -> str:
        return self.app.url

    async def ask(
        self, method: str, path: str, role: str | None = None, *, raw: bool = False, **kwargs: Any
    ) -> tuple[int, Any]:
        """The status and the JSON of an answer to the token of ``role``."""
        headers = {**(self.folks.bearer(role) if role else {}), **kwargs.pop("headers", {})}
        async with self.http.request(method, self.url + path, headers=headers, **kwargs) as answer:
            if raw:
                return answer.status, await answer.read()
            return answer.status, await answer.json(content_type=None)

    async def signed_in(self, role: str) -> dict[str, str]:
        """The headers of a browser in which a person of that role has just signed in."""
        secret, _ = await self.app.sessions.open(self.folks.accounts.need(f"is_{role}"), "127.0.0.1")
        return {"Cookie": f"{COOKIE}={secret}", CSRF_HEADER: csrf_token(secret)}

    def entity(self, entity: str, owner: str | None = None) -> None:
        """An entity, as if an instance had brought it in."""
        made = Entity(entity, Text("ก", "a"), ("camera",), position=(17.009, 99.824), owner=owner)
        self.emit("entity_added", {"description": made.describe("test")}, entity)

    def emit(self, kind: str, data: dict[str, Any], entity: str | None = None) -> Event:
        """An event, as if an instance had reported it."""
        known = self.app.types.need(kind)
        return self.app.pipeline.emit(Draft(kind, known.validate(data), "instance:test", entity, lane=known.lane))

    @contextlib.asynccontextmanager
    async def stream(self, role: str, **kwargs: Any) -> AsyncIterator[ClientWebSocketResponse]:
        async with self.http.ws_connect(
            f"{self.url}/api/stream", headers=self.folks.bearer(role), max_msg_size=0, **kwargs
        ) as socket:
            yield socket


Start = Callable[..., Awaitable[Door]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a hub in ``tmp_path``: ``await start(top="web: …", memory=True)``."""
    async with contextlib.AsyncExitStack() as stack:

        async def begin(*, plugins: str = "", automations: str = "", top: str = WEB, memory: bool = True) -> Door:
            config = write_zone(tmp_path, plugins=plugins, automations=automations, top=top)
            folks = people(tmp_path / "data")
            app = App(Options(config, tmp_path / "data", port=0, memory=memory))
            await app.start()
            stack.push_async_callback(app.stop)
            http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
            return Door(app, folks, http)

        yield begin


@pytest.fixture
async def door(start: Start) -> Door:
    """A hub with two cameras, ``camera.own`` of the partner and ``camera.other``."""
    made = await start()
    made.entity("camera.own", OWNER)
    made.entity("camera.other")
    await made.app.pipeline.settled()
    return made


async def frame_of(socket: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next frame of that type; what comes before it is passed over."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            frame: dict[str, Any] = await socket.receive_json()
            if frame["type"] == kind:
                return frame
