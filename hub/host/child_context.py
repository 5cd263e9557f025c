"""The plugin's side of a child process: ``RemoteContext`` is ``hub.sdk.Context`` over the wire."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel

from hub.core.action import Outcome, params_of
from hub.core.clock import SystemClock
from hub.core.entity import Entity
from hub.core.error import Denied, InvalidInput
from hub.core.event import Event, EventData
from hub.core.ids import Ids
from hub.core.journal import Query
from hub.core.state import EntityState
from hub.core.wire import Message, Peer
from hub.host.perform import check_device
from hub.host.registry import blame, shown, words_of
from hub.host.remote import chain_data, entity_data, query_data
from hub.host.scope import NO_CAUSE, Tasks, chain, fresh_context, plugin_side
from hub.host.services import key_of
from hub.sdk.context import (
    Choices,
    Handler,
    MediaDraft,
    MediaStore,
    Socket,
    VideoSource,
    WebRequest,
    WebResponse,
    WordList,
)

S = TypeVar("S")


class RemoteContext:
    """Implements ``hub.sdk.Context``; keeps what the hub calls back: devices, handlers, actions, routes, services."""

    def __init__(self, peer: Peer, instance: str, folder: Path) -> None:
        self.instance, self.folder = instance, folder
        self.clock = SystemClock()
        self.ids = Ids(self.clock)
        self.log = logging.getLogger(f"hub.plugin.{instance}")
        self.tasks = Tasks()
        self.media: MediaStore = RemoteMedia(self)
        self.devices: dict[str, object] = {}
        self.actions: dict[str, tuple[type[BaseModel], Callable[..., Awaitable[Any]]]] = {}
        self.handlers: dict[int, Handler] = {}
        self.routes: dict[int, Callable[[WebRequest], Awaitable[WebResponse]]] = {}
        self.services: dict[str, Any] = {}
        self._peer = peer
        self._numbers = itertools.count(1)

    async def ask(self, name: str, blob: bytes = b"", /, **args: Any) -> Any:
        """Call the hub; the answer's value."""
        return (await self.message(name, blob, **args)).header["result"]

    async def message(self, name: str, blob: bytes = b"", /, **args: Any) -> Message:
        """Call the hub; the whole answer."""
        return await self._peer.call(name, {**args, "why": chain_data(chain.get())}, blob)

    async def unpacked(self, name: str, /, **args: Any) -> Any:
        """Call the hub; the answer's blob as JSON data."""
        return orjson.loads((await self.message(name, **args)).blob)

    # --- entities and events

    async def add(self, entity: Entity, device: object | None = None) -> None:
        check_device(entity, device)
        before = self.devices.get(entity.id)
        if device is not None:
            self.devices[entity.id] = device
        try:
            await self.ask("add", entity=entity_data(entity), device=device is not None)
        except BaseException:
            if device is not None and before is None:
                self.devices.pop(entity.id, None)
            raise

    async def remove(self, entity: str) -> None:
        await self.ask("remove", entity=entity)
        self.devices.pop(entity, None)

    async def emit(
        self, data: EventData, *, entity: str | None = None, at: float | None = None, cause: str | None = None
    ) -> int:
        return await self.emit_named(data.type.name, data.model_dump(mode="json"), entity=entity, at=at, cause=cause)

    async def emit_named(
        self, type: str, data: Mapping[str, Any], *, entity: str | None = None, at: float | None = None,
        cause: str | None = None,
    ) -> int:  # fmt: skip
        return int(await self.ask("emit", type=type, data=dict(data), entity=entity, at=at, cause=cause))

    async def on(
        self, type: str, handler: Handler, *, match: Mapping[str, Any] | None = None, entity: str | None = None,
        durable: bool = False,
    ) -> None:  # fmt: skip
        number = next(self._numbers)
        self.handlers[number] = handler
        await self.ask("on", number=number, type=type, match=dict(match or {}), entity=entity, durable=durable)

    # --- actions

    async def act(self, name: str, handler: Callable[..., Awaitable[Any]]) -> None:
        params = params_of(handler, name)
        self.actions[name] = (params, handler)
        await self.ask("act", name=name, schema=params.model_json_schema())

    async def call(
        self, action: str, target: str | None = None, params: Mapping[str, Any] | None = None, *,
        key: str | None = None, cause: str | None = None,
    ) -> Outcome:  # fmt: skip
        params = dict(params or {})
        return Outcome(**await self.ask("call", action=action, target=target, params=params, key=key, cause=cause))

    # --- what is known

    async def state(self, entity: str) -> EntityState | None:
        found = await self.ask("state", entity=entity)
        return EntityState(**found) if found else None

    async def states(self, domain: str) -> list[EntityState]:
        return [EntityState(**data) for data in await self.unpacked("states", domain=domain)]

    async def history(self, query: Query) -> list[Event]:
        return [Event.from_data(data) for data in await self.unpacked("history", query=query_data(query))]

    def documents(self, name: str) -> RemoteStore:
        return RemoteStore(self, "document", name)

    def records(self, name: str) -> RemoteStore:
        return RemoteStore(self, "record", name)

    def words(self, name: str) -> WordList:
        return RemoteWordList(self, name)

    # --- time, services, video, web, health

    async def every(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        if not seconds > 0:
            raise InvalidInput("every needs more than 0 seconds", where=self.instance)
        self.spawn(self._repeat(seconds, call), f"every {seconds:g} s")

    async def _repeat(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self.clock.sleep(seconds)
            try:
                with plugin_side(self.tasks, NO_CAUSE):
                    await call()
            except Exception as fault:  # the next turn may succeed
                await self.ask("fault", where=f"every {seconds:g} s", words=self.explain(fault))

    async def offer(self, protocol: type[S], service: S) -> None:
        self.services[key_of(protocol)] = service
        await self.ask("offer", key=key_of(protocol))

    async def need(self, protocol: type[S]) -> S:
        key = key_of(protocol)
        await self.ask("need", key=key)
        service: Any = HubService(self, key)
        return service  # type: ignore[no-any-return]

    async def video(self, entity: str, source: VideoSource) -> RemoteVideo:
        data = {**asdict(source), "settings": dict(source.settings)}
        return RemoteVideo(self, await self.ask("video", entity=entity, source=data))

    async def route(
        self, method: str, path: str, handler: Callable[[WebRequest], Awaitable[WebResponse]],
        right: str | None = None,
    ) -> None:  # fmt: skip
        number = next(self._numbers)
        self.routes[number] = handler
        await self.ask("route", method=method, path=path, number=number, right=right)

    async def socket(
        self, path: str, handler: Callable[[Socket], Awaitable[None]], right: str | None = None
    ) -> None:
        raise InvalidInput(
            "a plugin in a child process cannot serve WebSockets", where=self.instance,
            hint='use routes, or isolation = "process" in plugin.toml',
        )  # fmt: skip

    async def address(self) -> str:
        return str(await self.ask("address"))

    async def health(self, ok: bool, reason: str = "") -> None:
        await self.ask("health", ok=ok, reason=reason)

    async def alive(self, entity: str | None = None) -> None:
        await self.ask("alive", entity=entity)

    async def pdf(self, html: str) -> bytes:
        return (await self.message("pdf", html.encode())).blob

    # --- inside

    def explain(self, fault: BaseException) -> str:
        """A fault in words, with file and line in the plugin."""
        file, line = blame(fault, self.folder)
        return f"{words_of(fault)} ({shown(file, self.folder)}:{line})"

    def spawn(self, coro: Coroutine[Any, Any, None], name: str) -> None:
        """A task of the instance."""
        loop = asyncio.get_running_loop()
        self.tasks.add(loop.create_task(coro, name=name, context=fresh_context(self.tasks)))

    def device(self, entity: str) -> object | None:
        """What serves an entity's actions."""
        return self.devices.get(entity)

    def own(self, action: str) -> tuple[type[BaseModel], Callable[..., Awaitable[Any]]] | None:
        """What serves an action of the plugin."""
        return self.actions.get(action)


class RemoteStore:
    """Documents or records, by calls."""

    def __init__(self, ctx: RemoteContext, kind: str, name: str) -> None:
        self._ctx, self._kind, self._name = ctx, kind, name

    async def get(self, key: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = await self._ctx.ask(self._kind, name=self._name, verb="get", key=key)
        return found

    async def put(self, key: str, value: Any) -> None:
        value = dict(value) if isinstance(value, Mapping) else value
        await self._ctx.ask(self._kind, name=self._name, verb="put", key=key, value=value)

    async def delete(self, key: str) -> None:
        await self._ctx.ask(self._kind, name=self._name, verb="delete", key=key)

    async def all(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._ctx.unpacked(self._kind, name=self._name, verb="all")
        return found


class RemoteWordList:
    """Words that readings are compared with; the hub holds them."""

    def __init__(self, ctx: RemoteContext, name: str) -> None:
        self._ctx, self._name = ctx, name

    async def put(self, words: Mapping[str, str | None]) -> None:
        await self._ctx.ask("words_put", name=self._name, words=dict(words))

    async def nearest(
        self, read: Choices, *, other: float, gap: float, bound: float, most: int = 16
    ) -> list[tuple[str, float]]:
        bounds = {"other": other, "gap": gap, "bound": bound, "most": most}
        found = await self._ctx.ask("words_nearest", name=self._name, read=read, **bounds)
        return [(name, cost) for name, cost in found]


class RemoteMedia:
    """Pictures and recordings, their bytes beside the call."""

    def __init__(self, ctx: RemoteContext) -> None:
        self._ctx = ctx

    async def put(
        self, content: bytes, mime: str, retention: str = "incidents", entity: str | None = None
    ) -> str:
        return str(await self._ctx.ask("media_put", content, mime=mime, retention=retention, entity=entity))

    async def get(self, media: str) -> tuple[bytes, str]:
        answer = await self._ctx.message("media_get", media=media)
        return answer.blob, answer.header["result"]["mime"]

    async def draft(
        self, key: str, mime: str, retention: str = "incidents", entity: str | None = None
    ) -> MediaDraft:
        raise Denied("media in pieces are for plugins in the hub's own process", where=key, hint="use put")

    async def drafts(self) -> list[str]:
        return []


class RemoteVideo:
    """A source under the vision process's care."""

    def __init__(self, ctx: RemoteContext, number: int) -> None:
        self._ctx, self._number = ctx, number

    async def snapshot(self) -> str:
        return str(await self._ctx.ask("video_snapshot", number=self._number))

    async def clip(self, before_s: float = 10.0, after_s: float = 10.0, incident: str | None = None) -> list[str]:
        given = {"before_s": before_s, "after_s": after_s, "incident": incident}
        kept: list[str] = await self._ctx.ask("video_clip", number=self._number, **given)
        return kept

    async def close(self) -> None:
        await self._ctx.ask("video_close", number=self._number)


class HubService:
    """A service of another instance: each public method is a call whose arguments and answer are JSON data."""

    def __init__(self, ctx: RemoteContext, key: str) -> None:
        self._ctx, self._key = ctx, key

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        if method.startswith("_"):
            raise AttributeError(method)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._ctx.ask("service", key=self._key, method=method, args=list(args), kwargs=kwargs)

        return call
