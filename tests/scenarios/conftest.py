"""A hub in this process for scenarios that look inside, with every event at hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hub.access.sessions import csrf_token
from hub.app import App, Options
from hub.core.bus import Subscription
from hub.core.event import Event
from hub.core.journal import Query
from hub.web.auth import COOKIE, CSRF_HEADER
from tests.scenarios.kit import People, people
from tests.scenarios.serve import Client, session

WITHIN_S = 30.0


class Scene:
    """A hub that serves, and what it has recorded."""

    def __init__(self, app: App, folks: People, http: ClientSession) -> None:
        self.app, self.folks, self.http = app, folks, http
        self._changed = asyncio.Event()
        app.pipeline.committed.add(Subscription(lambda *_: self._changed.set()))

    def machine(self, role: str) -> Client:
        """A client with a token of that role."""
        return Client(self.http, self.app.url, self.folks.bearer(role))

    async def person(self, role: str) -> Client:
        """A browser in which a person of that role is signed in."""
        secret, _ = await self.app.sessions.open(self.folks.accounts.need(f"is_{role}"), "127.0.0.1")
        cookie = {"Cookie": f"{COOKIE}={secret}", CSRF_HEADER: csrf_token(secret)}
        return Client(self.http, self.app.url, cookie)

    def events(self, type_name: str | None = None, /, **fields: Any) -> list[Event]:
        """Committed events of that type with these fields of data."""
        return self.app.journal.read(Query(type=type_name, match=fields, limit=10_000))

    async def event(self, type_name: str, /, **fields: Any) -> Event:
        """The first event of that type, waited for."""
        async with asyncio.timeout(WITHIN_S):
            while not (found := self.events(type_name, **fields)):
                self._changed.clear()
                await self._changed.wait()
        return found[0]

    async def until(self, what: Callable[[], Any], within: float = WITHIN_S) -> Any:
        """Wait until ``what()`` is true, looking after each commit and ten times a second."""
        async with asyncio.timeout(within):
            while not (found := what()):
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.1)
        return found


Begin = Callable[[Path], Awaitable[Scene]]


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    """Starts a hub of a configuration: ``scene = await begin(path)``."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(config: Path) -> Scene:
            folks = people(tmp_path / "data")
            app = App(Options(config, tmp_path / "data", port=0))
            await app.start()
            stack.push_async_callback(app.stop)
            firsts = [instance.first for instance in app.host.instances.values()]
            if firsts:  # the hub itself waits 5 s for its plugins; a busy machine takes longer
                await asyncio.wait(firsts, timeout=WITHIN_S)
            return Scene(app, folks, await stack.enter_async_context(session()))

        yield start
