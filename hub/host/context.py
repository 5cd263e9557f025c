"""``LocalContext``: the hub as one instance sees it, on the loop thread.

It stamps the source, holds the instance to its grants, and gives up all it claimed when it is closed.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from hub.core.access import Actor
from hub.core.action import ActionSpec, Outcome, params_of, spec_from_table
from hub.core.actions import Executor, Request
from hub.core.entity import Entity
from hub.core.error import Denied, InvalidInput, NotFound, Unavailable
from hub.core.event import Draft, Event, EventData, EventType
from hub.core.journal import Query
from hub.core.state import EntityState
from hub.host.listen import Listening
from hub.host.parts import Parts, Watcher
from hub.host.perform import check_device, device_executor, own_executor
from hub.host.routes import SOCKET, Manner
from hub.host.scope import Chain, Tasks, chain, fresh_context, hub_side, plugin_side
from hub.host.services import key_of
from hub.host.stores import InstanceCollection, InstanceMedia, InstanceRecords
from hub.host.text import check_data
from hub.sdk.context import Handler, MediaStore, Socket, Video, VideoSource, WebRequest, WebResponse, WordList
from hub.sdk.manifest import Manifest

S = TypeVar("S")
MAX_HISTORY = 1_000
MAX_CAUSE = 200
LATEST = 4e9  # the year 2096
END_WITHIN_S = 5.0
_RESERVED = frozenset({"instance", "available", "capabilities", "owner", "simulated", "name", "area"})


class LocalContext:
    """Implements ``hub.sdk.Context``."""

    def __init__(self, parts: Parts, manifest: Manifest, instance: str, folder: Path, watcher: Watcher) -> None:
        self.instance, self.manifest, self.folder = instance, manifest, folder
        self.clock, self.ids = parts.pipeline.clock, parts.pipeline.ids
        self.log = logging.getLogger(f"hub.plugin.{instance}")
        self.media: MediaStore = InstanceMedia(parts.media, instance, parts.entities)
        self.last_event_at: float | None = None
        self.tasks = Tasks()
        self._parts, self._watcher = parts, watcher
        self._listening = Listening(
            parts.pipeline, instance, frozenset(manifest.reads), self.tasks, self._spawn, watcher.fault,
            watcher.overflow,
        )  # fmt: skip
        self._videos: list[Video] = []
        self.added: dict[str, Entity] = {}
        self._closed = False

    # --- entities

    async def add(self, entity: Entity, device: object | None = None) -> None:
        self._open()
        executor = None
        if device is not None:
            check_device(entity, device)
            executor = device_executor(self.tasks, self._parts.actions.spec, entity.id, device)
        await self.add_served(entity, executor)

    async def add_served(self, entity: Entity, executor: Executor | None) -> None:
        """The same with an executor, for a device that lives in another process."""
        self._open()
        check_device(entity, None)
        with hub_side():
            self._parts.entities.add(entity, self.instance)
            self.added[entity.id] = entity
            if executor is not None:
                actions, name = self._parts.actions, entity.id
                self._parts.claims.take(
                    "entity", name, self, self.instance,
                    lambda: actions.attach(name, executor), lambda: actions.detach(name),
                )  # fmt: skip
            await self._parts.pipeline.settled()

    async def remove(self, entity: str) -> None:
        self._open()
        with hub_side():
            self._parts.entities.remove(entity, self.instance)
            self._parts.claims.release("entity", entity, self)
            self.added.pop(entity, None)
            await self._parts.pipeline.settled()

    # --- events

    async def emit(
        self, data: EventData, *, entity: str | None = None, at: float | None = None, cause: str | None = None
    ) -> int:
        return await self.emit_named(data.type.name, data.model_dump(mode="json"), entity=entity, at=at, cause=cause)

    async def emit_named(
        self, type: str, data: Mapping[str, Any], *, entity: str | None = None, at: float | None = None,
        cause: str | None = None,
    ) -> int:  # fmt: skip
        self._open()
        kind = self._parts.pipeline.types.need(type)
        if not kind.outside or type not in self.manifest.emits:
            words = "is the hub's own" if not kind.outside else "is not in emits of its plugin.toml"
            raise Denied(f"{self.instance} may not emit {type}: it {words}", where=type)
        return await self._submit(kind, data, entity, at, cause)

    async def report(self, data: EventData, entity: str, at: float | None = None) -> int:
        """What the hub itself saw for this instance's entity (its camera's picture)."""
        self._open()
        return await self._submit(data.type, data.model_dump(mode="json"), entity, at, None)

    async def _submit(
        self, kind: EventType, data: Mapping[str, Any], entity: str | None, at: float | None, cause: str | None
    ) -> int:
        if entity is not None:
            self._parts.entities.need(entity, self.instance)
        _check_origin(cause, at)
        try:
            fields = kind.validate(data)
        except InvalidInput:
            check_data(data, kind.name)  # says which field it is
            raise
        if kind.projection is not None and kind.projection.merge_from is not None:
            forged = _RESERVED & set(fields.get(kind.projection.merge_from) or ())
            if forged:
                raise Denied(f"the hub itself sets {', '.join(sorted(forged))}", where=kind.name)
        why = chain.get()
        source = f"instance:{self.instance}"
        draft = Draft(kind.name, fields, source, entity, at, cause or why.cause, why.emits, kind.lane)
        self.last_event_at = self.clock.now()
        self._watcher.alive(entity)
        with hub_side():
            return (await self._parts.pipeline.submit(draft)).seq

    async def on(
        self, type: str, handler: Handler, *, match: Mapping[str, Any] | None = None, entity: str | None = None,
        durable: bool = False,
    ) -> None:  # fmt: skip
        self._open()
        await self._listening.add(type, handler, match or {}, entity, durable)

    # --- actions

    async def act(self, name: str, handler: Callable[..., Awaitable[Any]]) -> None:
        params = params_of(handler, name)
        await self.act_served(name, params, lambda spec: own_executor(self.tasks, spec, handler))

    async def act_served(
        self, name: str, params: type[BaseModel], make: Callable[[ActionSpec], Executor]
    ) -> None:
        """The same with an executor, for a handler that lives in another process."""
        self._open()
        table = next((table for table in self.manifest.actions if table.name == name), None)
        if table is None:
            raise Denied(f"{name} is not among [[actions]] of plugin.toml", where=name)
        spec, actions = spec_from_table(table.model_dump(), params), self._parts.actions
        executor = make(spec)

        def put() -> None:
            actions.withdraw(name)
            actions.provide(spec, executor)

        def drop() -> None:  # still known, so that a call is answered with "nothing serves it now"
            actions.withdraw(name)
            actions.declare({name: spec})

        with hub_side():
            self._parts.claims.take("action", name, self, self.instance, put, drop)

    async def call(
        self, action: str, target: str | None = None, params: Mapping[str, Any] | None = None, *,
        key: str | None = None, cause: str | None = None,
    ) -> Outcome:  # fmt: skip
        self._open()
        if not any(fnmatchcase(action, pattern) for pattern in self.manifest.calls):
            raise Denied(f"{self.instance} may not call {action}: it is not in calls of its plugin.toml", where=action)
        check_data({"params": params, "target": target, "key": key, "cause": cause}, action)
        spec = self._parts.actions.spec(action)
        actor = Actor(
            f"instance:{self.instance}", roles=frozenset(self.manifest.roles), grants=frozenset({spec.right})
        )
        why = chain.get()
        own = f"instance:{self.instance}:{key}" if key is not None else None
        request = Request(action, dict(params or {}), actor, target, cause or why.cause, why.calls, own)
        with hub_side():
            return await self._parts.actions.call(request)

    # --- what is known

    async def state(self, entity: str) -> EntityState | None:
        seen = self._parts.pipeline.state.get(entity)
        with hub_side():
            await self._parts.pipeline.settled()
        return self._visible(seen) if seen is not None else None

    async def states(self, domain: str) -> list[EntityState]:
        seen = [state for state in self._parts.pipeline.state if state.domain == domain]
        with hub_side():
            await self._parts.pipeline.settled()
        return [self._visible(state) for state in seen]

    def _visible(self, state: EntityState) -> EntityState:
        """The state without the personal attributes that ``reads`` of plugin.toml does not name; its own it sees."""
        hidden = {name for name, kind in state.personal.items() if kind not in self.manifest.reads}
        if not hidden or state.attributes.get("instance") == self.instance:
            return state
        shown = {name: None if name in hidden else value for name, value in state.attributes.items()}
        return state._replace(attributes=shown)

    async def history(self, query: Query) -> list[Event]:
        query = replace(query, limit=max(1, min(query.limit, MAX_HISTORY)))
        with hub_side():
            found = await asyncio.to_thread(self._parts.pipeline.journal.read, query)
        return [self._listening.visible(event) for event in found]

    def documents(self, name: str) -> InstanceCollection:
        return InstanceCollection(self._parts.documents, self.instance, name)

    def records(self, name: str) -> InstanceRecords:
        return InstanceRecords(self._parts.pipeline, self.instance, name)

    def words(self, name: str) -> WordList:
        return self._parts.words(f"{self.instance}/{name}")

    # --- time, services, video, web, health

    async def every(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        self._open()
        if not seconds > 0:
            raise InvalidInput("every needs more than 0 seconds", where=self.instance)
        self._spawn(self._repeat(seconds, call), f"every {seconds:g} s")

    async def _repeat(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self.clock.sleep(seconds)
            try:
                with plugin_side(self.tasks, Chain()):
                    await call()
            except Exception as fault:  # the next turn may succeed
                self._watcher.fault(f"every {seconds:g} s", fault)

    async def offer(self, protocol: type[S], service: S) -> None:
        self._open()
        with hub_side():
            self._parts.services.offer(key_of(protocol), service, self, self.instance)

    async def need(self, protocol: type[S]) -> S:
        service: S = await self.need_named(key_of(protocol))
        return service

    async def offer_named(self, key: str, service: Any) -> None:
        """The same by the Protocol's name, for a service in another process."""
        self._open()
        self._parts.services.offer(key, service, self, self.instance)

    async def need_named(self, key: str) -> Any:
        """The same by the Protocol's name."""
        self._open()
        return await self._parts.services.need(key, self._watcher)

    async def video(self, entity: str, source: VideoSource) -> Video:
        self._open()
        self._parts.entities.need(entity, self.instance)
        with hub_side():
            video = await self._parts.video.open(self, entity, source)
        self._videos.append(video)
        return video

    async def route(
        self, method: str, path: str, handler: Callable[[WebRequest], Awaitable[WebResponse]],
        right: str | None = None,
    ) -> None:  # fmt: skip
        self._serve(method, path, handler, right)

    async def socket(
        self, path: str, handler: Callable[[Socket], Awaitable[None]], right: str | None = None
    ) -> None:
        async def talk(socket: Socket) -> None:
            """In a task of the instance, so that it ends with it and the other side learns to come again."""
            task = self._spawn(self._talk(handler, socket), f"socket {path}")
            try:
                await asyncio.wait([task])
            finally:
                task.cancel()  # harmless when it is done
            if task.cancelled():
                raise Unavailable(f"the instance {self.instance} is unloaded", where=self.instance)
            task.result()

        self._serve(SOCKET, path, talk, right)

    async def _talk(self, handler: Callable[[Socket], Awaitable[None]], socket: Socket) -> None:
        with plugin_side(self.tasks, Chain()):
            await handler(socket)

    def _serve(self, method: str, path: str, handler: Callable[[Any], Awaitable[Any]], right: str | None) -> None:
        self._open()

        async def serve(asked: Any) -> Any:
            with plugin_side(self.tasks, Chain()):
                return await handler(asked)

        manner = Manner(tuple(self.manifest.page_permissions), self.manifest.public_body_mib << 20)
        self._parts.routes.add(self.instance, method, path, serve, self, self._watcher.fault, right, manner)

    async def address(self) -> str:
        return self._parts.routes.address

    async def health(self, ok: bool, reason: str = "") -> None:
        with hub_side():
            self._watcher.health(ok, reason)

    async def alive(self, entity: str | None = None) -> None:
        if entity is not None:
            self._parts.entities.need(entity, self.instance)
        self._watcher.alive(entity)

    async def pdf(self, html: str) -> bytes:
        self._open()
        with hub_side():
            return await self._parts.pdf(html)

    # --- the hub's side

    def _spawn(self, coro: Any, name: str) -> asyncio.Task[None]:
        loop = asyncio.get_running_loop()
        task = loop.create_task(coro, name=f"{self.instance}: {name}", context=fresh_context(self.tasks))
        self.tasks.add(task)
        return task

    def _open(self) -> None:
        if self._closed:
            raise Unavailable(f"the instance {self.instance} is unloaded", where=self.instance)

    async def close(self, limit: float = END_WITHIN_S) -> list[str]:
        """Give up all; the names of tasks that did not end within ``limit`` seconds."""
        self._closed = True
        self._listening.close()
        self._parts.claims.give_up(self)
        self._parts.services.forget(self._watcher)
        for video in self._videos:
            try:
                async with asyncio.timeout(limit):
                    await video.close()
            except (TimeoutError, NotFound, Unavailable) as gone:
                self.log.info("a video source was not closed: %s", gone)
        self._videos.clear()
        return [task.get_name() for task in await self.tasks.end(limit)]

    def leave(self, reason: str) -> None:
        """Say that what this context added is not served now, unless a newer one serves it."""
        for entity in self._parts.entities.of(self.instance):
            if not self._parts.claims.holds("entity", entity):
                self._parts.entities.unavailable(entity, self.instance, reason)

    def restore(self) -> None:
        """After a newer self was given up: what it changed in the entities is put back."""
        for entity in self.added.values():
            self._parts.entities.add(entity, self.instance)
        self.drop_missing(remove=True)

    def drop_missing(self, remove: bool) -> None:
        """After set-up: what the instance brought in before and not now goes (``remove``), or is unavailable."""
        for entity in self._parts.entities.of(self.instance):
            if entity in self.added:
                continue
            if remove:
                self._parts.entities.remove(entity, self.instance, "no longer configured")
            else:
                self._parts.entities.unavailable(entity, self.instance, "not seen since the start")


def _check_origin(cause: object, at: object) -> None:
    """A child's words are checked here: one wrong value would spoil the whole commit group."""
    if cause is not None and not (isinstance(cause, str) and len(cause) <= MAX_CAUSE and cause.isprintable()):
        raise InvalidInput(f"a cause is an id of at most {MAX_CAUSE} characters", where="cause")
    if at is not None and not (isinstance(at, int | float) and math.isfinite(at) and abs(at) < LATEST):
        raise InvalidInput("a time is a number of seconds since 1970", where="at")
