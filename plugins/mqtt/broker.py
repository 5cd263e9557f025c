"""The embedded broker, a program of its own: MQTT 3.1.1 on 127.0.0.1 for anybody on this machine.

``python broker.py --port 1883``. It keeps nothing over its end. Its own reader bounds the size of a packet, which amqtt
does not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import resource
import sys
from collections.abc import Sequence

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

from hub.sdk.program import end_asked, say_ready

LOOPBACK = "127.0.0.1"
MAX_PACKET = 512 << 10
MAX_MEMORY = 1 << 30
SETTINGS = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}


class BoundedReader(StreamReaderAdapter):  # type: ignore[misc] # amqtt ships no types
    """Ends the connection of who announces a packet that is too large."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader)
        self._stream, self._writer = reader, writer

    async def read(self, n: int = -1) -> bytes:
        if n > MAX_PACKET:
            sys.stderr.write(f"a packet of {n} bytes was refused; at most {MAX_PACKET}\n")
            self._writer.close()
            raise asyncio.IncompleteReadError(b"", n)
        return bytes(await super().read(n))


class Door:
    """The listening socket. A connection over ``most`` is closed at once."""

    def __init__(self, broker: Broker, most: int) -> None:
        self._broker, self._most, self._open = broker, most, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= self._most:
            sys.stderr.write(f"a connection was refused: {self._most} are open\n")
            writer.close()
            return
        self._open += 1
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.IncompleteReadError):
                await self._broker.external_connected(
                    BoundedReader(reader, writer), StreamWriterAdapter(writer), "default"
                )
        finally:
            self._open -= 1
            writer.close()


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a small MQTT broker on loopback")
    parser.add_argument("--port", type=int, default=1883, help="0: any free one")
    parser.add_argument("--connections", type=int, default=200)
    given = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    listeners = {"default": ListenerConfig(type=ListenerType.EXTERNAL, bind=LOOPBACK)}
    broker = Broker(BrokerConfig(listeners=listeners, plugins=dict(SETTINGS)))
    door = Door(broker, given.connections)
    try:
        server = await asyncio.start_server(door.serve, LOOPBACK, given.port, start_serving=False)
    except OSError as taken:
        sys.stderr.write(f"port {given.port} of {LOOPBACK} cannot be had: {taken.strerror}\n")
        raise SystemExit(1) from None
    await broker.start()
    told = end_asked()
    await server.start_serving()
    say_ready(port=server.sockets[0].getsockname()[1])
    await told.wait()
    server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
