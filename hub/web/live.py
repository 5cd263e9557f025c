"""Live pictures of cameras to browsers. What travels stands in ``docs/reference/api.md``."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

import orjson
from aiohttp import WSMsgType, web

from hub.core.access import Actor, View, ViewGate
from hub.core.error import InvalidInput, LimitExceeded, NotFound
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.host.feed import Header, Piece, Viewer
from hub.web.route import Ask, NoBody, Route
from hub.web.sockets import drop
from hub.web.stream import SIGNED_OUT, Present

log = logging.getLogger(__name__)

MAX_VIEWS = 256
MAX_EACH = 48  # one account: two walls of 16 tiles and what is being opened while others close
MAX_MESSAGE = 1024
LOOK_S = 0.5  # how often it is asked whether the view may go on
BEAT_S = 1.0
STUCK_S = 15.0  # a viewer that takes nothing for so long is gone
ENDED, CHANGED = 4403, 4409  # close codes: the view was ended; who asks has other rights now: ask again
KEY_FRAME, INIT = 1, 2
_FRAME = struct.Struct(">dB")


class Feeds(Protocol):
    """Where live pictures come from: ``hub.host.vision.Vision``."""

    async def join(self, entity: str) -> Viewer:
        """A place at a camera's pictures; ``NotFound`` for an entity without any."""


class LiveApi:
    """``gate`` decides who may look; ``watch`` says who a request's connection belongs to, as long as it lasts."""

    def __init__(
        self, pipeline: Pipeline, feeds: Feeds, gate: ViewGate, watch: Callable[[web.Request], Present]
    ) -> None:
        self._pipeline, self._feeds, self._gate, self._watch = pipeline, feeds, gate, watch
        self._open: set[web.WebSocketResponse] = set()
        self._places: Counter[str] = Counter()  # by account, from before the gate is asked until all is over

    def routes(self) -> list[Route]:
        """Its part of the table."""
        words = "A camera's live pictures"
        return [Route("GET", "/api/live/{entity}", "camera.watch", words, self.connect, filtered=True)]

    async def close(self) -> None:
        """Close every view."""
        for socket in list(self._open):
            await socket.close(code=1001, message=b"the hub stops")

    async def connect(self, ask: Ask[NoBody]) -> web.StreamResponse:
        """Show one camera to one browser until one of them goes. Whoever may not is told before the socket opens."""
        entity = self._pipeline.state.get(ask.path["entity"])
        if entity is None:
            raise NotFound(f"no entity {ask.path['entity']!r}", where="entity")
        who = ask.actor.id
        if self._places.total() >= MAX_VIEWS or self._places[who] >= MAX_EACH:
            raise LimitExceeded("too many live pictures are open", where=entity.entity, hint="close some")
        self._places[who] += 1
        try:
            return await self._look(ask, entity)
        finally:
            self._places[who] -= 1
            if not self._places[who]:
                del self._places[who]

    async def _look(self, ask: Ask[NoBody], entity: EntityState) -> web.WebSocketResponse:
        view = await self._gate.open(ask.actor, entity, "live", ask.actor.purpose)
        try:
            if ask.request.headers.get("Upgrade", "").lower() != "websocket":
                raise InvalidInput("live pictures come over a WebSocket", where="Upgrade")
            return await self._serve(ask, entity, view)
        finally:
            await asyncio.shield(asyncio.ensure_future(view.close()))

    async def _serve(self, ask: Ask[NoBody], entity: EntityState, view: View) -> web.WebSocketResponse:
        viewer = await self._feeds.join(entity.entity)
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, heartbeat=30, compress=False, timeout=2.0)
        self._open.add(socket)
        tasks: list[asyncio.Task[Any]] = []
        try:
            await socket.prepare(ask.request)
            since = self._pipeline.clock.now()
            begin = {"view": {"entity": entity.entity, "purpose": ask.actor.purpose, "since": since}}
            await socket.send_str(orjson.dumps(begin).decode())
            jobs = (self._send(socket, viewer), self._guard(socket, view, self._watch(ask.request), ask.actor))
            tasks = [asyncio.create_task(job, name=f"live {entity.entity}") for job in jobs]
            async for message in socket:
                if message.type is not WSMsgType.TEXT:  # nothing is expected; a text is passed over
                    break
        except ConnectionError:  # it went while the socket was being opened
            pass
        finally:
            self._open.discard(socket)
            viewer.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return socket

    async def _send(self, socket: web.WebSocketResponse, viewer: Viewer) -> None:
        """Pass on what comes; whoever takes nothing any more is cut off."""
        try:
            while not socket.closed:
                item = await viewer.next()
                async with asyncio.timeout(STUCK_S):
                    if isinstance(item, Piece):
                        await socket.send_bytes(_FRAME.pack(item.at, KEY_FRAME if item.key else 0) + item.data)
                    else:
                        await self._send_header(socket, item)
        except (ConnectionError, RuntimeError, TimeoutError):
            drop(socket)
        except Exception:
            log.exception("live pictures of %s failed and are cut", viewer)
            drop(socket)

    @staticmethod
    async def _send_header(socket: web.WebSocketResponse, header: Header) -> None:
        await socket.send_str(orjson.dumps(header.data).decode())
        if header.init:
            await socket.send_bytes(_FRAME.pack(0.0, INIT) + header.init)

    async def _guard(self, socket: web.WebSocketResponse, view: View, present: Present, actor: Actor) -> None:
        """End it when it was cut, when the right or the session is gone, and when neither can be asked about; beat
        meanwhile."""
        code, words, beat = 0, "", 0.0
        try:
            while not code:
                try:
                    async with asyncio.timeout(LOOK_S):
                        await view.cut.wait()
                except TimeoutError:
                    pass
                code, words = _verdict(view, present(), actor)
                if not code and self._pipeline.clock.monotonic() - beat >= BEAT_S:
                    beat = self._pipeline.clock.monotonic()
                    await self._beat(socket)
        except Exception:
            log.exception("a view of live pictures is cut: whether it may go on cannot be told")
            code, words = ENDED, "the hub could not check the right to see this camera"
        message = words.encode(errors="replace")[:120].decode("utf-8", "ignore").encode()
        try:
            async with asyncio.timeout(BEAT_S):
                await socket.close(code=code, message=message)
        except Exception:  # it does not even take the farewell: no more pictures all the same
            drop(socket)

    async def _beat(self, socket: web.WebSocketResponse) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await socket.send_str(orjson.dumps({"beat": self._pipeline.clock.now()}).decode())
        except (TimeoutError, ConnectionError, RuntimeError):
            return


def _verdict(view: View, now: Actor | None, actor: Actor) -> tuple[int, str]:
    """The close code and words when the view must end; 0 while it may go on. ``now``: whose connection it is."""
    if view.cut.is_set() or not view.allowed():
        return ENDED, view.reason or "the right to see this camera has ended"
    if now is None:
        return SIGNED_OUT, "signed out"
    return (CHANGED, "ask again") if now != actor else (0, "")
