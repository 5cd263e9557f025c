"""The hub's side of a plugin that runs in a process of its own: the same contract as in-process, over a wire.

What the child asks is served by the instance's ``LocalContext``, so the same grants hold.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from hub.core.action import Call
from hub.core.error import ConfigError, Mistake, Unavailable
from hub.host.attempt import LOAD_WITHIN_S
from hub.host.child_calls import Served
from hub.host.config import InstanceConfig
from hub.host.context import END_WITHIN_S, LocalContext
from hub.host.discover import Found
from hub.host.problems import mistakes
from hub.host.process import Bounds, Child
from hub.host.remote import call_data, request_data, response_of
from hub.host.scope import hub_side
from hub.host.settings import Children
from hub.sdk.context import WebRequest, WebResponse

MODULE = "hub.host.child_main"


def bounds_of(children: Children, entry: InstanceConfig, base: Bounds) -> Bounds:
    """The bounds of one instance: as configured, with the times of ``base``."""
    return replace(base, memory_mb=entry.memory_mb or children.memory_mb, nice=children.nice, user=children.user)


async def load_there(child: Child, found: Found, entry: InstanceConfig) -> tuple[dict[str, Any], float]:
    """Import the plugin in the child and check its settings there: the JSON Schema of the settings and the limit of
    set-up in seconds. ``ConfigError`` names each line that is wrong."""
    args = {
        "plugin": found.name, "folder": str(found.folder), "instance": entry.name, "config": entry.config,
        "beside": entry.beside,
    }  # fmt: skip
    loaded = (await child.ask("load", args, limit=LOAD_WITHIN_S)).header["result"]
    if "mistakes" in loaded:
        raise ConfigError([Mistake(*mistake) for mistake in loaded["mistakes"]])
    if loaded["problems"]:
        raise ConfigError(mistakes(loaded["problems"], entry.places))
    return loaded["schema"], float(loaded["limit"])


class ChildAttempt:
    """One run of the instance in a child."""

    def __init__(self, found: Found, config: InstanceConfig, ctx: LocalContext, watcher: Any, bounds: Bounds) -> None:
        self.ctx, self._found, self._config, self._watcher = ctx, found, config, watcher
        self.limit = LOAD_WITHIN_S
        self.schema: dict[str, Any] | None = None
        self._bounds = bounds
        self._tokens = itertools.count(1)
        self._child: Child | None = None
        self._served = Served(ctx, watcher, self)

    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        with hub_side():
            await self._run(ready, stop)

    async def _run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        self._child = child = Child(self.ctx.instance, MODULE, self._served.handle, self._bounds, self._found.folder)
        await child.start()
        try:
            self.schema, self.limit = await load_there(child, self._found, self._config)
            set_up = await child.ask("setup", {}, limit=self.limit + END_WITHIN_S)
            if (wrong := set_up.header["result"]) is not None:
                raise ConfigError([self._config.place.mistake(str(wrong))])
            ready()
            await self._until(child, stop)
            await child.ask("unload", {}, limit=self.limit + END_WITHIN_S)
        finally:
            await asyncio.shield(child.stop())

    async def _until(self, child: Child, stop: asyncio.Event) -> None:
        stopping = asyncio.ensure_future(stop.wait())
        either: set[asyncio.Future[Any]] = {stopping, child.ended}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        if child.ended.done() and not stop.is_set():
            raise Unavailable(child.ended.result())

    # --- what is done there

    async def _ask(self, call: str, args: dict[str, Any], blob: bytes = b"") -> Any:
        """Ask the child; when the asker is cancelled, what runs there is cancelled too."""
        if self._child is None:
            raise Unavailable("it is not running", where=self.ctx.instance)
        token = next(self._tokens)
        try:
            return await self._child.ask(call, {**args, "token": token}, blob)
        except asyncio.CancelledError:
            await self._child.tell("cancel", {"token": token})
            raise

    def executor(self, kind: str, name: str) -> Callable[[Call], Awaitable[Any]]:
        """Does an action there: of an entity (``kind`` is ``entity``) or of the plugin itself (``action``)."""

        async def execute(call: Call) -> Any:
            answer = await self._ask("perform", {"kind": kind, "name": name, "call": call_data(call)})
            return answer.header["result"]

        return execute

    def handler(self, number: int) -> Callable[[Any], Awaitable[None]]:
        """Hands an event to the handler of that number there."""

        async def handle(event: Any) -> None:
            await self._ask("event", {"number": number, "event": event.as_data()})

        return handle

    def route(self, number: int) -> Callable[[WebRequest], Awaitable[WebResponse]]:
        """Hands a web request to the route of that number there."""

        async def serve(request: WebRequest) -> WebResponse:
            answer = await self._ask("request", {"number": number, "request": request_data(request)}, request.body)
            return response_of(answer.header["result"], answer.blob)

        return serve

    def service(self, key: str) -> RemoteService:
        """A service the child offers."""
        return RemoteService(self._ask, key)


class RemoteService:
    """Stands for an object in a child: each public method is a call whose arguments and answer are JSON data."""

    def __init__(self, ask: Callable[[str, dict[str, Any]], Awaitable[Any]], key: str) -> None:
        self._ask, self._key = ask, key

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        if method.startswith("_"):
            raise AttributeError(method)

        async def call(*args: Any, **kwargs: Any) -> Any:
            asked = {"key": self._key, "method": method, "args": list(args), "kwargs": kwargs}
            return (await self._ask("serve", asked)).header["result"]

        return call


