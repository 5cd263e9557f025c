"""How committed events reach one instance's handlers: in order, one at a time, masked where it may not read.

A durable subscription remembers the last event its handler has seen; what came later is read from the journal before
live events are handed on, and again whenever the line grows too long: so it loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from hub.core.bus import ANY, Subscription, matcher
from hub.core.error import HubError, InvalidInput, TimedOut, Unavailable
from hub.core.event import Event
from hub.core.journal import Put, Query
from hub.core.pipeline import Pipeline
from hub.host.inbox import SIZE, Inbox
from hub.host.scope import Chain, Tasks, hub_side, plugin_side
from hub.sdk.context import Handler

TABLE = "cursors"
MAX_SUBSCRIPTIONS = 1_000
HANDLE_WITHIN_S = 60.0
SAVE_EVERY_S = 1.0
PAGE = 250

Spawn = Callable[[Coroutine[Any, Any, None], str], object]
OnFault = Callable[[str, BaseException], None]


@dataclass(slots=True, eq=False)
class _Durable:
    """Where a durable subscription stands. ``queued``/``seen``: last event put in line, last one handled."""

    key: str
    query: Query
    queued: int
    seen: int
    live: bool = False
    saved: int = field(default=-1)


class Listening:
    """The subscriptions of one instance."""

    def __init__(
        self, pipeline: Pipeline, instance: str, reads: frozenset[str], tasks: Tasks, spawn: Spawn, on_fault: OnFault,
        on_overflow: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._pipeline, self._instance, self._reads, self._tasks = pipeline, instance, reads, tasks
        self._spawn, self._on_fault = spawn, on_fault
        self._inbox = Inbox(pipeline.types, lambda: on_overflow(self._inbox.dropped))
        self._subscriptions: list[Subscription] = []
        self._durables: list[_Durable] = []
        self._serving = False

    async def add(
        self, type: str, handler: Handler, match: Mapping[str, Any], entity: str | None, durable: bool
    ) -> None:
        """Listen. ``NotFound`` for an unknown event type."""
        if type != ANY:
            self._pipeline.types.need(type)
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            raise InvalidInput(f"more than {MAX_SUBSCRIPTIONS} subscriptions", where=self._instance)
        wanted = dict(match)
        mark = await self._mark(type, wanted, entity) if durable else None
        accepts = matcher(wanted)

        def listen(event: Event, _: object) -> None:
            if (entity is None or event.entity == entity) and accepts(event):
                self._hear(handler, event, mark)

        key = next((name for name, value in wanted.items() if isinstance(value, Hashable)), None)
        indexed = {"key": key, "value": wanted[key]} if key is not None and type != ANY else {}
        self._subscriptions.append(self._pipeline.committed.add(Subscription(listen, type, **indexed)))
        if not self._serving:
            self._serving = True
            self._spawn(self._serve(), "handlers")
        if mark is not None:
            if not self._durables:
                self._spawn(self._save_often(), "cursors")
            self._durables.append(mark)
            self._spawn(self._catch_up(handler, mark), "catch up")

    def close(self) -> None:
        """Listen no more."""
        for subscription in self._subscriptions:
            self._pipeline.committed.remove(subscription)
        self._subscriptions.clear()
        self._save()

    def visible(self, event: Event) -> Event:
        """The event without the personal fields that ``reads`` of plugin.toml does not name (they are ``None``)."""
        kind = self._pipeline.types.get(event.type)
        if kind is None or not kind.personal or event.source == f"instance:{self._instance}":
            return event
        hidden = {name for name, personal in kind.personal.items() if personal.value not in self._reads}
        if not hidden & event.data.keys():
            return event
        return event._replace(data={k: None if k in hidden else v for k, v in event.data.items()})

    # --- the line

    def _hear(self, handler: Handler, event: Event, mark: _Durable | None) -> None:
        if mark is None:
            self._inbox.put(handler, self.visible(event))
        elif mark.live and event.seq > mark.queued:
            if len(self._inbox) >= SIZE // 2:  # the rest is read from the journal when there is room again
                mark.live = False
                self._spawn(self._catch_up(handler, mark), "catch up")
                return
            self._queue(handler, event, mark)

    def _queue(self, handler: Handler, event: Event, mark: _Durable) -> None:
        mark.queued = event.seq

        async def handle_and_mark(seen: Event) -> None:
            try:
                await self._patiently(handler, seen)
            finally:
                if not asyncio.current_task().cancelling():  # type: ignore[union-attr]
                    mark.seen = seen.seq

        self._inbox.put(handle_and_mark, self.visible(event))

    @staticmethod
    async def _patiently(handler: Handler, event: Event) -> None:
        """Hand on again while what the handler needs is away for a moment (a commit that failed, a device): an event
        of a durable subscription is given up only when the handler's time is over."""
        wait = 0.1
        while True:
            try:
                return await handler(event)
            except Unavailable:
                await asyncio.sleep(wait)
                wait = min(2 * wait, 5.0)

    async def _serve(self) -> None:
        while True:
            handler, event = await self._inbox.take()
            await self._pipeline.armed.wait()
            try:
                with plugin_side(self._tasks, Chain.of_event(event)):
                    async with asyncio.timeout(HANDLE_WITHIN_S):
                        await handler(event)
            except TimeoutError:
                late = TimedOut(f"no end within {HANDLE_WITHIN_S:g} s", where=self._instance)
                self._on_fault(f"the handler of {event.type}", late)
            except Exception as fault:  # one event's fault must not cost the next its turn
                self._on_fault(f"the handler of {event.type}", fault)

    # --- durable ones

    async def _mark(self, type: str, match: dict[str, Any], entity: str | None) -> _Durable:
        wanted = orjson.dumps(match, option=orjson.OPT_SORT_KEYS).decode()
        key = f"{self._instance} {type} {entity or '*'} {wanted}"
        with hub_side():
            rows = dict(await asyncio.to_thread(self._pipeline.journal.records, TABLE))
        since = int(rows.get(key, self._pipeline.committed_seq))
        query = Query(type=None if type == ANY else type, entity=entity, match=match, limit=PAGE)
        return _Durable(key, query, since, since)

    async def _catch_up(self, handler: Handler, mark: _Durable) -> None:
        """Put in line what the journal has after ``queued``; then go on live."""
        while True:
            before = self._pipeline.committed_seq
            query = replace(mark.query, after=mark.queued)
            try:
                with hub_side():
                    page = await asyncio.to_thread(self._pipeline.journal.read, query)
            except HubError as fault:  # what it missed is still in the journal: ask again
                self._on_fault("reading what was missed", fault)
                await asyncio.sleep(SAVE_EVERY_S)
                continue
            for event in page:
                await self._inbox.room(SIZE // 2)
                self._queue(handler, event, mark)
            if not page and before == self._pipeline.committed_seq:
                mark.live = True
                return

    async def _save_often(self) -> None:
        while True:
            with contextlib.suppress(HubError):  # the journal is away: the mark is written when it is back
                self._save()
            await asyncio.sleep(SAVE_EVERY_S)

    def _save(self) -> None:
        with hub_side():
            for mark in self._durables:
                if mark.saved != mark.seen:
                    mark.saved = mark.seen
                    self._pipeline.put(Put(TABLE, mark.key, mark.seen))
