"""A small TAK server on loopback: keeps what clients send, sends what it is told, and passes events between clients.

As a program: ``python plugins/units/fake_tak.py --port 8087 --tracks 3`` walks foreign tracks through the demo zone.
It shares no code with the client. Everything it sends is invented.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from hub.sdk.program import end_asked, say_ready

CENTRE = (17.0079, 99.8228)


def event(uid: str, lat: float, lon: float, *, callsign: str = "", kind: str = "a-f-G-U-C", at: float | None = None,
          stale_s: float = 60.0) -> bytes:  # fmt: skip
    """A CoT event as ATAK writes it; letters that are not ASCII as character references, as taky does."""
    begin = time.time() if at is None else at
    now, end = (datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for t in (begin, begin + stale_s))
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><event version="2.0" uid="{uid}" type="{kind}" how="m-g" time="{now}" '
        f'start="{now}" stale="{end}"><point lat="{lat}" lon="{lon}" hae="50" ce="5" le="9999999"/><detail>'
        f'<contact callsign="{callsign}"/><track speed="1.5" course="90"/><remarks>x</remarks></detail></event>'
    )
    return text.encode("ascii", "xmlcharrefreplace")


class TakServer:
    """Serves until ``stop``. ``received``: all that clients sent, as text; ``uids``: the uids in it."""

    def __init__(self) -> None:
        self.received = ""
        self.changed = asyncio.Event()
        self.joined = asyncio.Event()
        self._clients: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listen on loopback; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close everything."""
        self.drop()
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 2)

    def drop(self) -> None:
        """Cut all connections."""
        for client in list(self._clients):
            client.close()
        self.joined.clear()

    async def send(self, raw: bytes) -> None:
        """Send to all clients."""
        for client in list(self._clients):
            client.write(raw)
            with contextlib.suppress(ConnectionError):
                await client.drain()

    def events(self, kind: str) -> list[str]:
        """Events of that type that came, as text."""
        return [one for one in re.findall(r"<event .*?</event>", self.received, re.S)
                if f'type="{kind}"' in one.partition(">")[0]]  # fmt: skip

    async def until(self, kind: str, count: int = 1) -> list[str]:
        """The events of that type, as soon as there are so many; ``TimeoutError`` after 10 s."""
        async with asyncio.timeout(10):
            while len(found := self.events(kind)) < count:
                self.changed.clear()
                await self.changed.wait()
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        self.joined.set()
        try:
            while data := await reader.read(1 << 16):
                self.received = (self.received + data.decode("utf-8", "replace"))[-(1 << 20) :]
                self.changed.set()
        except ConnectionError:
            pass
        finally:
            self._clients.discard(writer)
            writer.close()


async def walk(server: TakServer, tracks: int, interval_s: float) -> None:
    """Let foreign tracks walk in circles."""
    names = ("กู้ภัย 1", "รถพยาบาล 2", "ตำรวจภูธรจังหวัด", "เทศกิจ 4", "อาสา 5")
    while True:
        for number in range(tracks):
            angle = time.time() / 60 + number * 2 * math.pi / max(1, tracks)
            lat, lon = CENTRE[0] + 0.002 * math.sin(angle), CENTRE[1] + 0.002 * math.cos(angle)
            await server.send(event(f"DEMO-{number}", lat, lon, callsign=names[number % len(names)]))
        await asyncio.sleep(interval_s)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a TAK server with foreign tracks (simulated)")
    parser.add_argument("--port", type=int, default=8087)
    parser.add_argument("--tracks", type=int, default=2)
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between positions")
    given = parser.parse_args(arguments)
    server, told = TakServer(), end_asked()
    port = await server.start(given.port)
    walking = asyncio.create_task(walk(server, given.tracks, given.interval))
    say_ready(port=port)
    await told.wait()
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
