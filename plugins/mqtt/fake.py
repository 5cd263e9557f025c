"""A small broker made by hand from MQTT 3.1.1, for one client at a time, that can also behave badly.

As a program: ``python plugins/mqtt/fake.py --port 1883``. It shares no code with paho, aiomqtt or amqtt.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.sdk.program import end_asked, say_ready

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP = (
    1, 2, 3, 4, 8, 9, 10, 11, 12, 13,
)  # fmt: skip


def length(size: int) -> bytes:
    """Remaining length (2.2.3)."""
    made = bytearray()
    while True:
        size, digit = divmod(size, 128)
        made.append(digit | (128 if size else 0))
        if not size:
            return bytes(made)


def text(value: str) -> bytes:
    """A UTF-8 string (1.5.3)."""
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def publish(topic: str, payload: bytes, mid: int = 0, qos: int = 0, retain: bool = False) -> bytes:
    """A PUBLISH packet (3.3)."""
    body = text(topic) + (struct.pack(">H", mid) if qos else b"") + payload
    return bytes([PUBLISH << 4 | qos << 1 | retain]) + length(len(body)) + body


@dataclass
class Bench:
    """The broker. ``answer``: CONNACK's return code, or ``None`` for none at all; ``grants``: SUBACK's code."""

    answer: int | None = 0
    grants: int | None = None
    pings: bool = True
    acked: list[int] = field(default_factory=list)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    connected: int = 0

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port or self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Cut all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def send(self, raw: bytes) -> None:
        """Bytes to each client, good or bad."""
        for writer in self._writers:
            writer.write(raw)

    async def until(self, what: Callable[[], bool], within: float = 15.0) -> None:
        """Wait until ``what()`` is true, asked after each packet."""
        async with asyncio.timeout(within):
            while not what():
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readexactly(1))[0]
                body = await reader.readexactly(await _size(reader))
                self._take(head, body, writer)
                self._changed.set()
        self._writers.discard(writer)
        writer.close()

    def _take(self, head: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        kind, mid = head >> 4, body[:2]
        if kind == CONNECT:
            self.connected += 1
            if self.answer is not None:
                writer.write(bytes([CONNACK << 4, 2, 0, self.answer]))
        elif kind == SUBSCRIBE:
            codes = bytearray()
            rest = body[2:]
            while rest:
                size = struct.unpack(">H", rest[:2])[0]
                self.subscribed.append(rest[2 : 2 + size].decode())
                codes.append(rest[2 + size] if self.grants is None else self.grants)
                rest = rest[3 + size :]
            writer.write(bytes([SUBACK << 4]) + length(2 + len(codes)) + mid + codes)
        elif kind == UNSUBSCRIBE:
            writer.write(bytes([UNSUBACK << 4, 2]) + mid)
        elif kind == PUBLISH:
            size = struct.unpack(">H", mid)[0]
            topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
            if head >> 1 & 3:
                writer.write(bytes([PUBACK << 4, 2]) + rest[:2])
                rest = rest[2:]
            self.published.append((topic, rest))
        elif kind == PUBACK:
            self.acked.append(struct.unpack(">H", mid)[0])
        elif kind == PINGREQ and self.pings:
            writer.write(bytes([PINGRESP << 4, 0]))


async def _size(reader: asyncio.StreamReader) -> int:
    size = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 127) << shift
        shift += 7
        if not digit & 128:
            return size


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a broker for one client (simulated)")
    parser.add_argument("--port", type=int, default=0)
    bench = Bench()
    port = await bench.start(parser.parse_args(arguments).port)
    told = end_asked()
    say_ready(port=port)
    await told.wait()
    await bench.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
