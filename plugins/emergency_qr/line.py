"""One side of a call: a WebSocket that carries JSON objects ``{"t": KIND, …}``, with limits and its own writer, so that
a side which takes nothing holds up nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from hub.sdk import Clock, InvalidInput, LimitExceeded, Socket, TimedOut, Unavailable

from .flood import sender

MAX_MESSAGE = 64 << 10
MAX_QUEUED = 256
A_SECOND, AT_ONCE = 30.0, 120.0  # messages; a browser sends some dozens of candidates at once

Heard = Callable[[dict[str, Any]], Awaitable[None]]


class Line:
    """``tell`` never waits. ``run`` ends when either side closes, or with what was wrong."""

    def __init__(self, socket: Socket, clock: Clock, first_word_s: float) -> None:
        self._socket, self._clock, self._first_word_s = socket, clock, first_word_s
        self._out: asyncio.Queue[str | None] = asyncio.Queue(MAX_QUEUED)
        self._budget, self._counted_at = AT_ONCE, clock.monotonic()
        self._bye = ""
        self.heard_at = clock.monotonic()

    @property
    def actor(self) -> str:
        """Who is signed in at the other end; "" for a citizen."""
        return self._socket.request.actor or ""

    @property
    def sender(self) -> str:
        """Whose phone is at the other end, as ``flood.sender`` counts them."""
        return sender(self._socket.request.remote)

    def tell(self, kind: str, **fields: Any) -> None:
        """Send when it can be sent. Who does not take the queue of 256 is closed."""
        try:
            self._out.put_nowait(orjson.dumps({"t": kind, **fields}).decode())
        except asyncio.QueueFull:
            self.close("too slow")

    def close(self, reason: str = "") -> None:
        """Close after what was told before."""
        self._bye = self._bye or reason
        if self._out.full():
            self._out.get_nowait()
        self._out.put_nowait(None)

    async def run(self, heard: Heard) -> None:
        """Serve: each message goes to ``heard``."""
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._read(heard))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            if task.cancelled():  # the instance ends
                raise asyncio.CancelledError
            if (fault := task.exception()) is not None and not isinstance(fault, Unavailable):
                raise fault

    async def _write(self) -> None:
        while (message := await self._out.get()) is not None:
            await self._socket.send(message)
        await self._socket.close(self._bye)

    async def _read(self, heard: Heard) -> None:
        try:
            async with asyncio.timeout(self._first_word_s):
                first = await self._socket.receive()
        except TimeoutError:
            words = f"nothing was said within {self._first_word_s:g} s"
            raise TimedOut(words, where=self._socket.request.path) from None
        message: str | bytes | None = first
        while message is not None:
            self._count()
            await heard(parsed(message))
            message = await self._socket.receive()

    def _count(self) -> None:
        now = self._clock.monotonic()
        self._budget = min(AT_ONCE, self._budget + (now - self._counted_at) * A_SECOND) - 1
        self._counted_at = self.heard_at = now
        if self._budget < 0:
            raise LimitExceeded(f"more than {A_SECOND:g} messages a second", where=self._socket.request.path)


def parsed(message: str | bytes) -> dict[str, Any]:
    """The message; ``InvalidInput`` when it is none."""
    if isinstance(message, bytes) or len(message) > MAX_MESSAGE:
        raise InvalidInput(f"a message is text of at most {MAX_MESSAGE} characters", where="message")
    try:
        data = orjson.loads(message)
    except orjson.JSONDecodeError as wrong:
        raise InvalidInput(f"not JSON: {wrong}", where="message") from None
    if not isinstance(data, dict) or not isinstance(data.get("t"), str):
        raise InvalidInput('a message is an object with a "t"', where="message")
    return data
