"""Bodies of requests: how large, how long, and how much of them the hub holds at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from hub.core.error import LimitExceeded, TimedOut, Unavailable
from hub.host.rate import network

SMALL = 64 << 10  # bytes: every report in words
WITHIN_S = 30.0
STAFF_WITHIN_S = 60.0


@dataclass(slots=True)
class Pool:
    """``most`` bytes at once and ``each`` of one sender, counted as they arrive, until they are answered; at most
    ``bodies`` of one sender are on their way."""

    most: int
    each: int
    bodies: int
    held: Counter[str] = field(default_factory=Counter)
    coming: Counter[str] = field(default_factory=Counter)

    def add(self, sender: str, size: int, bodies: int = 0) -> None:
        """So much more, or less."""
        self.held[sender] += size
        self.coming[sender] += bodies
        for counter in (self.held, self.coming):
            if not counter[sender]:
                del counter[sender]

    def full(self, sender: str) -> bool:
        """Is there more now than may be?"""
        mine = self.held[sender] > self.each or self.coming[sender] > self.bodies
        return mine or self.held.total() > self.most


# Nobody who sends much can stop who sends little. One sender has an eighth of what is for large bodies, which is the
# largest that a plugin may declare (`public_body_mib`), and a sixteenth of what is for small ones.
def small_pool() -> Pool:
    return Pool(64 << 20, 4 << 20, 64)


def large_pool() -> Pool:
    return Pool(128 << 20, 16 << 20, 4)


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """``TimedOut`` when a body does not come within the time."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimedOut(f"the body did not come within {seconds:g} s", where="body") from None


async def body_of(request: web.Request, most: int) -> bytes:
    """The body of a staff request; ``LimitExceeded`` when it is larger than ``most`` bytes, ``TimedOut`` when it does
    not come within a minute."""
    try:
        async with in_time(STAFF_WITHIN_S):
            return await request.clone(client_max_size=most).read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(most) from None


class Bodies:
    """What strangers send. One for all public addresses."""

    def __init__(self, small: Pool | None = None, large: Pool | None = None, within_s: float = WITHIN_S) -> None:
        self.small, self.large, self._within = small or small_pool(), large or large_pool(), within_s

    @asynccontextmanager
    async def read(self, request: web.Request, most: int) -> AsyncIterator[bytes]:
        """The body, counted until the block ends. ``LimitExceeded`` when it is larger than ``most`` bytes,
        ``Unavailable`` when the hub holds too much already, ``TimedOut`` when it does not come within the time."""
        if (request.content_length or 0) > most:
            raise _too_large(most)
        kept = _Kept(self, network(request.remote or ""))
        parts: list[bytes] = []
        try:
            async with in_time(self._within):
                async for part in request.content.iter_any():
                    if part:
                        kept.grow(len(part))
                        parts.append(part)
                    if kept.size > most:
                        raise _too_large(most)
            kept.arrived()
            body = b"".join(parts)
            parts.clear()
            yield body
        finally:
            kept.free()


class _Kept:
    """What has come of one body: among the small ones, until it is none any more."""

    def __init__(self, bodies: Bodies, sender: str) -> None:
        self._bodies, self._sender = bodies, sender
        self._pool: Pool | None = None
        self.size, self._coming = 0, 1

    def grow(self, more: int) -> None:
        """``Unavailable`` when that is too much."""
        size = self.size + more
        pool = self._bodies.small if size <= SMALL else self._bodies.large
        if pool is self._pool:
            pool.add(self._sender, more)
        else:
            self.free()
            pool.add(self._sender, size, self._coming)
        self._pool, self.size = pool, size
        if pool.full(self._sender):
            raise Unavailable("too much is being sent at once; try again in a minute", where="body")

    def arrived(self) -> None:
        """It is whole: only its bytes count now."""
        if self._pool is not None:
            self._pool.add(self._sender, 0, -self._coming)
        self._coming = 0

    def free(self) -> None:
        """Give back what it holds."""
        if self._pool is not None:
            self._pool.add(self._sender, -self.size, -self._coming)
            self._pool = None


def _too_large(most: int) -> LimitExceeded:
    return LimitExceeded(f"the body is larger than {most >> 20} MiB", where="body")
