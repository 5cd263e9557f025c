"""How many connections a listener holds, how many of one sender, and how long a request may take to begin.

A connection costs a descriptor before anything is known of it. So each is counted when it is accepted, before TLS.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Collection

from aiohttp import web

from hub.core.clock import SystemClock
from hub.host.rate import Buckets, Rate, network

log = logging.getLogger(__name__)

HEAD_S = 10.0  # from the connection, after TLS, to a whole head of a request, and to the next one's; and for TLS itself
PROXY_IDLE_S = 3630.0  # longer than a proxy keeps a connection of its own, so that it is who closes
EACH_STAFF = 256  # of one address: an office behind one router, each screen with its live pictures
EACH_PUBLIC = 128  # phones behind one router or one operator's address
MOST = 4096
PAUSE_S = 1.0
_TOLD = Rate(1 / 60, 1)


def room() -> int:
    """How many connections all listeners may hold: three quarters of the descriptors that the process may open; the
    rest is for files, children and what the plugins call."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, soft * 3 // 4)


class Counted(web.RequestHandler):
    """A connection that says when it is gone. Its time limit is aiohttp's own for connections that are kept alive: it
    runs from the beginning, and only a whole head of a request ends it."""

    __slots__ = ("_lost",)

    def __init__(self, server: web.Server, idle_s: float, lost: Callable[[Counted], None]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(server, loop=loop, access_log=None, keepalive_timeout=idle_s)  # type: ignore[arg-type] # as AppRunner
        self._lost = lost

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by the transport, once."""
        super().connection_lost(exc)
        self._lost(self)


class Entrance:
    """Takes the connections of one listener: ``most`` at once, ``each`` of one sender (of IPv6, a /64). ``proxies`` are
    counted, but not limited apart: who they speak for is limited per request."""

    def __init__(
        self, server: web.Server, held: socket.socket, tls: ssl.SSLContext | None, most: int, each: int,
        proxies: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._server, self._held, self._tls, self._proxies = server, held, tls, proxies
        self._most, self._each = most, max(1, min(each, most // 2))
        self._open: dict[Counted, str] = {}
        self._by: Counter[str] = Counter()
        self._beginning: set[asyncio.Task[None]] = set()
        self._told = Buckets(SystemClock(), _TOLD)

    async def run(self) -> None:
        """Accept, until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    connection, peer = await loop.sock_accept(self._held)
                except ConnectionAbortedError:  # it went before it was taken
                    continue
                except OSError as refused:  # no descriptor is left: others close theirs meanwhile
                    self._tell(f"no connection can be accepted: {refused.strerror}")
                    await asyncio.sleep(PAUSE_S)
                    continue
                self._admit(connection, str(peer[0]))
        finally:
            for task in self._beginning:
                task.cancel()

    def _admit(self, connection: socket.socket, peer: str) -> None:
        sender = network(peer)
        proxy = peer in self._proxies or sender in self._proxies
        if len(self._open) >= self._most or (self._by[sender] >= self._each and not proxy):
            connection.close()
            self._tell(f"{sender} is refused: it holds {self._by[sender]} of {len(self._open)} connections")
            return
        handler = Counted(self._server, PROXY_IDLE_S if proxy else HEAD_S, self._gone)
        self._open[handler] = sender
        self._by[sender] += 1
        task = asyncio.get_running_loop().create_task(self._begin(handler, connection), name="a connection")
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _begin(self, handler: Counted, connection: socket.socket) -> None:
        within = HEAD_S if self._tls is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: handler, connection, ssl=self._tls, ssl_handshake_timeout=within
            )
        except OSError:  # no TLS was agreed on, or not in time
            pass
        finally:
            if handler.transport is None:
                self._gone(handler)

    def _gone(self, handler: Counted) -> None:
        sender = self._open.pop(handler, None)
        if sender is not None:
            self._by[sender] -= 1
            if not self._by[sender]:
                del self._by[sender]

    def _tell(self, words: str) -> None:
        if self._told.take(""):
            log.warning("%s", words)
