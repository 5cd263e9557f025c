"""A network that can be cut: a port that leads to another one until ``cut``. A browser's own "offline" does not reach
the service workers that it starts anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 65_536


class Wire:
    """Made by ``wire``. ``port``: of this side, on loopback."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        """Connections are taken, on the same port as before."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Nothing passes any more; what was open is lost."""
        if self._server is not None:
            self._server.close()
        for end in list(self._ends):
            end.transport.abort()

    async def _carry(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            there, forth = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            back.transport.abort()
            return
        self._ends |= {back, forth}
        with suppress(OSError):
            await asyncio.gather(_pump(here, forth), _pump(there, back))
        self._ends -= {back, forth}


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
    finally:
        sink.close()


@asynccontextmanager
async def wire(to: int) -> AsyncIterator[Wire]:
    """A wire to a port of this machine, cut at the end."""
    made = Wire(to)
    await made.mend()
    try:
        yield made
    finally:
        await made.cut()
