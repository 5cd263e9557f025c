"""WebSockets of plugins (RFC 6455), as ``hub.sdk.Socket``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, web

from hub.core.error import Denied, Unavailable
from hub.sdk.context import MAX_BODY, WebRequest

SEND_WITHIN_S = 10.0
CLOSE_WITHIN_S = 2.0  # then it is cut: nobody waits for a farewell that is not answered
BEAT_S = 20.0  # a telephone network forgets a quiet connection after half a minute
MAX_REASON = 120  # bytes of a close frame
DONE, FAILED = 1000, 1008


def is_socket(request: web.Request) -> bool:
    """Does it ask for a WebSocket?"""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def drop(socket: web.WebSocketResponse) -> None:
    """Cut the connection without waiting for anybody."""
    transport = socket._req.transport if socket._req is not None else None
    if transport is not None:
        transport.abort()


def same_origin(request: web.Request) -> None:
    """``Denied`` unless a page of this listener opens it: browsers send cookies with sockets of any page."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise Denied("a page of another origin may not open this", where="Origin")


class PluginSocket:
    """One open socket."""

    def __init__(self, socket: web.WebSocketResponse, request: WebRequest, lasts: Callable[[], bool]) -> None:
        self._socket, self.request, self._lasts = socket, request, lasts

    @classmethod
    async def open(
        cls, request: web.Request, told: WebRequest, lasts: Callable[[], bool] = lambda: True
    ) -> PluginSocket:
        """Accept it. ``lasts``: is its session still there? ``Denied`` for a page of another origin."""
        same_origin(request)
        socket = web.WebSocketResponse(max_msg_size=MAX_BODY, heartbeat=BEAT_S, compress=False, timeout=CLOSE_WITHIN_S)
        await socket.prepare(request)
        return cls(socket, told, lasts)

    async def receive(self) -> str | bytes | None:
        """The next message; ``None`` when it is closed."""
        message = await self._socket.receive()
        if not self._lasts():
            await self.close("signed out")
            return None
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            data: str | bytes = message.data
            return data
        return None

    async def send(self, message: str | bytes) -> None:
        """Send; ``Unavailable`` when the other side is gone, is signed out, or does not take it."""
        if not self._lasts():
            await self.close("signed out")
            raise Unavailable("the session of this connection has ended", where=self.request.path)
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                if isinstance(message, str):
                    await self._socket.send_str(message)
                else:
                    await self._socket.send_bytes(message)
        except (TimeoutError, ConnectionError, RuntimeError) as gone:
            raise Unavailable("the other side of the connection is gone", where=self.request.path) from gone

    async def close(self, reason: str = "") -> None:
        """Close it; harmless when it is closed."""
        words = reason.encode(errors="replace")[:MAX_REASON].decode(errors="ignore").encode()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._socket.close(code=FAILED if reason else DONE, message=words)
        except (TimeoutError, ConnectionError, RuntimeError):
            drop(self._socket)

    async def end(self) -> web.WebSocketResponse:
        """Close it if the plugin did not; the finished response."""
        await self.close()
        return self._socket
