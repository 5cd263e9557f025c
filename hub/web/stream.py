"""The one stream to browsers: ``state at N``, then what was committed after N, and a beat each second.

A slow client gets the newest states instead of every event, but never loses what an officer must hear of. The
format stands in ``docs/reference/api.md``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from hub.core.access import Actor
from hub.core.bus import Subscription
from hub.core.error import StorageFailed
from hub.core.event import Event, Lane
from hub.core.pipeline import Pipeline
from hub.core.state import Change, EntityState
from hub.web.encode import encoded
from hub.web.mask import Mask
from hub.web.route import Ask, NoBody, Route

log = logging.getLogger(__name__)

BEAT_S = 1.0
BATCH_S = 0.1  # ordinary events go out ten times a second; emergencies at once
MAX_CLIENTS = 64
MAX_EACH = 16  # one account cannot take every place
SLOW_AFTER = 1_000  # unsent ordinary events after which a client gets states instead
MAX_CRITICAL = 5_000
MAX_MESSAGE = 4_096
# What an officer must hear of, whatever the link: these are never coalesced.
NEVER_COALESCED = frozenset({"alarm", "hit", "incident", "confirmation"})
FAILED = 1011  # close code: the server met something it did not expect (RFC 6455, 7.4.1); the board connects anew
SIGNED_OUT = 4401  # close code: 4000 to 4999 are an application's own (RFC 6455, 7.4.2)

Present = Callable[[], Actor | None]  # who a connection belongs to at this moment; None when its session has ended


@dataclass(slots=True, eq=False)
class _Client:
    present: Present
    actor: Actor
    cleared: bool
    socket: web.WebSocketResponse
    sent_to: int = 0
    waiting: deque[tuple[Event, Change | None]] = field(default_factory=deque)
    newest: dict[str, EntityState | None] = field(default_factory=dict)
    slow: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    resync: bool = True


class Stream:
    """All connected browsers. ``watch`` says who a request's connection belongs to, as long as it lasts."""

    def __init__(self, pipeline: Pipeline, mask: Mask, watch: Callable[[web.Request], Present]) -> None:
        self._pipeline, self._mask, self._watch = pipeline, mask, watch
        self._clients: set[_Client] = set()
        self._subscription = pipeline.committed.add(Subscription(self._committed))

    def routes(self) -> list[Route]:
        """Its part of the table."""
        return [Route("GET", "/api/stream", "state.read", "What is committed, as it is", self.connect, filtered=True)]

    async def close(self) -> None:
        """Close every connection."""
        self._pipeline.committed.remove(self._subscription)
        for client in list(self._clients):
            await client.socket.close(code=1001, message=b"the hub stops")

    async def connect(self, ask: Ask[NoBody]) -> web.StreamResponse:
        """Serve one browser until it goes."""
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, heartbeat=30, compress=False)
        own = sum(client.actor.id == ask.actor.id for client in self._clients)
        if len(self._clients) >= MAX_CLIENTS or own >= MAX_EACH:
            return web.Response(status=503, text="too many connections")
        await socket.prepare(ask.request)
        client = _Client(self._watch(ask.request), ask.actor, self._mask.cleared(ask.actor), socket)
        self._clients.add(client)
        sender = asyncio.create_task(self._send_forever(client), name="stream sender")
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._heard(client, message.data)
        finally:
            self._clients.discard(client)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return socket

    @staticmethod
    def _heard(client: _Client, text: str) -> None:
        try:
            kind = orjson.loads(text).get("type")
        except (orjson.JSONDecodeError, AttributeError):
            return
        if kind == "resync":
            client.resync = True
            client.wake.set()
            client.hurry.set()

    def _committed(self, event: Event, change: Change | None) -> None:
        for client in self._clients:
            if client.resync or not self._mask.may_follow(client.actor, event.entity, change):
                continue
            if self._mask.may_see(client.actor, "event.read", event.entity, change):
                self._queue(client, event, change)
            elif change is not None:  # who may not read events sees the state that comes of them
                client.newest[change.entity] = change.new
                client.wake.set()

    def _queue(self, client: _Client, event: Event, change: Change | None) -> None:
        kind = self._pipeline.types.get(event.type)
        domain = (event.entity or "").partition(".")[0]
        must_hear = domain in NEVER_COALESCED or (kind is not None and kind.lane is Lane.EMERGENCY)
        if not must_hear and (client.slow or len(client.waiting) >= SLOW_AFTER):
            client.slow = True
            if change is not None:
                client.newest[change.entity] = change.new
        elif len(client.waiting) >= MAX_CRITICAL:
            client.resync = True  # even the alarms do not get through: begin anew with the whole state
            client.waiting.clear()
        else:
            client.waiting.append((event, change))
        client.wake.set()
        if must_hear:
            client.hurry.set()

    async def _send_forever(self, client: _Client) -> None:
        try:
            while not client.socket.closed and self._still(client):
                try:
                    if client.resync:
                        await self._send_state(client)
                    await self._send_waiting(client)
                except StorageFailed:  # what was about to be told is void: begin anew from what is durable
                    client.resync = True
                await self._send({"type": "beat", "seq": client.sent_to, "now": self._pipeline.clock.now()}, client)
                await self._pause(client)
            await client.socket.close(code=SIGNED_OUT, message=b"signed out")
        except (ConnectionError, RuntimeError):
            await client.socket.close()
        except Exception:  # a board that hears nothing more must know it, and who cannot be asked about sees nothing
            log.exception("the stream to %s failed and is cut", client.actor.id)
            await client.socket.close(code=FAILED, message=b"the hub failed")

    def _still(self, client: _Client) -> bool:
        """Is it still signed in? Asked at each beat, so that revocation cuts the stream; with other rights than
        before it begins anew."""
        now = client.present()
        if now is not None and now != client.actor:
            client.actor, client.cleared, client.resync = now, self._mask.cleared(now), True
        return now is not None

    async def _pause(self, client: _Client) -> None:
        """Until something is to be said: at once for an emergency, else collected for 0.1 s, or the next beat."""
        client.hurry.clear()
        client.wake.clear()
        if client.waiting or client.newest or client.resync:
            return
        try:
            async with asyncio.timeout(BEAT_S):
                await client.wake.wait()
        except TimeoutError:
            return
        try:
            async with asyncio.timeout(BATCH_S):
                await client.hurry.wait()
        except TimeoutError:
            return

    async def _send_state(self, client: _Client) -> None:
        # from this line on the client is queued for; what is in the state now may not be committed yet
        client.resync, client.slow = False, False
        client.waiting.clear()
        client.newest.clear()
        seq, states = self._pipeline.state.seq, list(self._pipeline.state)
        await self._pipeline.settled()
        shown = [
            self._mask.state(entity, client.cleared)
            for entity in states
            if self._mask.may_read(client.actor, entity)
        ]
        client.sent_to = seq
        await self._send({"type": "state", "seq": seq, "states": shown, "now": self._pipeline.clock.now()}, client)

    async def _send_waiting(self, client: _Client) -> None:
        # all is taken out before the first wait: what is queued while a slow client reads belongs to the next turn
        upto = self._pipeline.committed_seq
        events = [pair for pair in client.waiting if pair[0].seq > client.sent_to]
        client.waiting.clear()
        newest, client.newest, client.slow = client.newest, {}, False
        if events:
            first, client.sent_to = client.sent_to + 1, events[-1][0].seq
            shown = [self._shown(event, change, client) for event, change in events]
            await self._send({"type": "events", "from": first, "to": client.sent_to, "events": shown}, client)
        if newest:
            client.sent_to = max(client.sent_to, upto)
            await self._send(
                {
                    "type": "coalesced", "seq": client.sent_to,
                    "states": [self._mask.state(state, client.cleared) for state in newest.values() if state],
                    "removed": [entity for entity, state in newest.items() if state is None],
                },
                client,
            )  # fmt: skip

    def _shown(self, event: Event, change: Change | None, client: _Client) -> dict[str, Any]:
        new = change.new if change else None
        return {
            "event": self._mask.event(event, client.cleared),
            "state": self._mask.state(new, client.cleared) if new else None,
            "removed": change is not None and new is None,
        }

    @staticmethod
    async def _send(frame: dict[str, Any], client: _Client) -> None:
        await client.socket.send_str(encoded(frame).decode())
