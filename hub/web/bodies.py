"""Bodies of requests: how large, how long, and how much of them the hub holds at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from hub.core.error import LimitExceeded, TimedOut, Unavailable
from hub.host.rate import network

MAX_HELD = 64 << 20  # bytes of all bodies that strangers send, until they are answered
MAX_HELD_EACH = 16 << 20  # of one sender: the largest body a plugin may declare
WITHIN_S = 30.0


async def body_of(request: web.Request, most: int) -> bytes:
    """The body of a staff request; ``LimitExceeded`` when it is larger than ``most`` bytes."""
    try:
        return await request.clone(client_max_size=most).read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(most) from None


class Bodies:
    """What strangers send. One for all public addresses."""

    def __init__(self, held: int = MAX_HELD, each: int = MAX_HELD_EACH, within_s: float = WITHIN_S) -> None:
        self._most, self._each, self._within = held, each, within_s
        self._held: Counter[str] = Counter()

    @asynccontextmanager
    async def read(self, request: web.Request, most: int) -> AsyncIterator[bytes]:
        """The body, counted until the block ends. ``LimitExceeded`` when it is larger than ``most`` bytes,
        ``Unavailable`` when the hub holds too much already, ``TimedOut`` when it does not come within the time."""
        if (request.content_length or 0) > most:
            raise _too_large(most)
        sender, parts, size = network(request.remote or ""), list[bytes](), 0
        try:
            try:
                async with asyncio.timeout(self._within):
                    async for part in request.content.iter_any():
                        size += len(part)
                        self._held[sender] += len(part)
                        parts.append(part)
                        if size > most:
                            raise _too_large(most)
                        if self._held[sender] > self._each or self._held.total() > self._most:
                            raise Unavailable("too much is being sent at once; try again in a minute", where="body")
            except TimeoutError:
                raise TimedOut(f"the body did not come within {self._within:g} s", where="body") from None
            body = b"".join(parts)
            parts.clear()
            yield body
        finally:
            self._held[sender] -= size
            if not self._held[sender]:
                del self._held[sender]


def _too_large(most: int) -> LimitExceeded:
    return LimitExceeded(f"the body is larger than {most >> 20} MiB", where="body")
