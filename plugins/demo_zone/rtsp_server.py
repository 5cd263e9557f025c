"""A camera on loopback: RTSP 1.0 (RFC 2326) with RTP in the same connection, serving the scene in real time.

As a program: ``python plugins/demo_zone/rtsp_server.py --port 18554 --seed 7``; the stream stands at ``/scene``.
The round begins with the first viewer, so that the watched car comes about six seconds after somebody looks.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

if not __package__:  # started as a program: its folder is a package of its own, without the plugin's entry
    __package__ = "demo_zone_program"
    sys.modules[__package__] = types.ModuleType(__package__)
    sys.modules[__package__].__path__ = [str(Path(__file__).resolve().parent)]

from hub.sdk.program import end_asked, say_ready

from .encode import GROUP, EncodedRound
from .fonts import FontMissing
from .plates import watched_plate
from .rtp import CLOCK, Sender, sdp
from .scene import FPS, FRAMES, Scene

PATH = "/scene"
MAX_CLIENTS = 16
MAX_REQUEST = 8 << 10
MAX_BACKLOG = 4 << 20
"""Bytes that a slow viewer may be behind before it is cut off."""
_IDLE_S = 60.0
_STATUS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Request Too Large",
           453: "Not Enough Bandwidth", 454: "Session Not Found", 455: "Method Not Valid in This State",
           461: "Unsupported Transport"}  # fmt: skip
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"


class Refused(Exception):
    """A request is answered with this status and the connection ends for 400 and 413."""

    def __init__(self, status: int) -> None:
        super().__init__(_STATUS[status])
        self.status = status


class Request:
    """One request: method, address and headers (names in small letters)."""

    def __init__(self, head: bytes) -> None:
        first, *rows = head.decode("utf-8", "replace").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("RTSP/1."):
            raise Refused(400)
        self.method, self.url = words[0], words[1]
        split = (row.partition(":") for row in rows if row)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in split}


class Viewer:
    """One connection."""

    def __init__(self, server: RtspServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._sender: Sender | None = None
        self._session = ""
        self.playing = False

    async def serve(self) -> None:
        """Answer requests until the viewer leaves, breaks the rules or says nothing for a minute without a stream."""
        while True:
            async with asyncio.timeout(None if self.playing else _IDLE_S):
                request, sequence = await self._request(), "0"
            if request is None:
                continue
            try:
                parsed = Request(request)
                sequence = parsed.headers.get("cseq", "0")[:20]
                await self._skip_body(parsed)
                self._answer(200, sequence, *self._handle(parsed))
            except Refused as refused:
                self._answer(refused.status, sequence)
                if refused.status in (400, 413):
                    return
                continue
            await self._writer.drain()
            if parsed.method == "PLAY":
                self._server.join(self)
            elif parsed.method == "TEARDOWN":
                return

    def show(self, units: Sequence[bytes], timestamp: int) -> None:
        """Send one picture, or cut a viewer off that does not take them."""
        if self._sender is None or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MAX_BACKLOG:
            self._writer.transport.abort()
            return
        self._writer.write(self._sender.packets(units, timestamp))

    async def _request(self) -> bytes | None:
        """The next request's head; ``None`` for what a viewer sends beside requests (RTCP, stray line ends)."""
        first = await self._reader.readexactly(1)
        if first == b"$":
            size = int.from_bytes((await self._reader.readexactly(3))[1:])
            await self._reader.readexactly(size)
            return None
        if first in (b"\r", b"\n"):
            return None
        try:
            return first + (await self._reader.readuntil(b"\r\n\r\n"))[:-4]
        except asyncio.LimitOverrunError:
            self._answer(413, "0")
            raise ConnectionError("the request is too large") from None

    async def _skip_body(self, request: Request) -> None:
        size = request.headers.get("content-length", "0")
        if not size.isdecimal() or len(size) > 6:
            raise Refused(400)
        if int(size) > MAX_REQUEST:
            raise Refused(413)
        await self._reader.readexactly(int(size))

    def _handle(self, request: Request) -> tuple[dict[str, str], bytes]:
        """Headers and body of the answer."""
        if request.method == "OPTIONS":
            return {"Public": _METHODS}, b""
        path = urlsplit(request.url).path.rstrip("/")
        if path not in (PATH, f"{PATH}/track1"):
            raise Refused(404)
        if request.method == "DESCRIBE":
            body = sdp("127.0.0.1", self._server.round.headers, FPS)
            base = request.url.rstrip("/") + "/"
            return {"Content-Type": "application/sdp", "Content-Base": base}, body
        if request.method == "SETUP":
            return self._set_up(request.headers.get("transport", ""))
        if request.method not in ("PLAY", "TEARDOWN", "GET_PARAMETER"):
            raise Refused(405)
        if self._sender is None:
            raise Refused(455)
        if request.headers.get("session", "").partition(";")[0] != self._session:
            raise Refused(454)
        if request.method != "PLAY":
            return {"Session": self._session}, b""
        start = f"seq={self._sender.sequence};rtptime={self._server.first_shown() * CLOCK // FPS % 2**32}"
        track = request.url.rstrip("/").removesuffix("/track1") + "/track1"
        return {"Session": self._session, "Range": "npt=now-", "RTP-Info": f"url={track};{start}"}, b""

    def _set_up(self, transport: str) -> tuple[dict[str, str], bytes]:
        """Only interleaved: a viewer asks again with it after 461."""
        for offer in transport.split(",")[:8]:
            fields = dict(part.strip().partition("=")[::2] for part in offer.split(";"))
            channels = fields.get("interleaved", "0-1").split("-")
            if "RTP/AVP/TCP" in fields and channels[0].isdecimal() and int(channels[0]) < 255:
                channel = int(channels[0])
                self._session = self._session or os.urandom(8).hex()
                self._sender = Sender(channel, int.from_bytes(os.urandom(4)))
                chosen = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1};ssrc={self._sender.ssrc:08X}"
                return {"Transport": chosen, "Session": f"{self._session};timeout=60"}, b""
        raise Refused(461)

    def _answer(self, status: int, sequence: str, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        rows = [f"RTSP/1.0 {status} {_STATUS[status]}", f"CSeq: {sequence}"]
        rows += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            rows.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*rows, "", ""]).encode() + body)


class RtspServer:
    """Serves one seed's scene. ``start`` → port; ``stop``. ``shown``: pictures since the first viewer."""

    def __init__(self, seed: int, *, max_clients: int = MAX_CLIENTS) -> None:
        self.round = EncodedRound(Scene(seed))
        self._max, self._viewers = max_clients, set[Viewer]()
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._showing: asyncio.Task[None] | None = None
        self.shown = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen as soon as the first second is encoded; the port. Errors: ``OSError``, ``RuntimeError``."""
        if not await asyncio.to_thread(self.round.wait, GROUP, 60.0):
            raise RuntimeError(self.round.fault or "the scene was not encoded in 60 s")
        self._server = await asyncio.start_server(self._connected, host, port, limit=MAX_REQUEST)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is not None:
            self._server.close()
        if self._showing is not None:
            self._showing.cancel()
        for writer in self._connections.values():
            writer.transport.abort()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await asyncio.to_thread(self.round.stop)

    def join(self, viewer: Viewer) -> None:
        """Let a viewer in: at once with the pictures since the last key picture, so that it need not wait."""
        if viewer.playing:
            return
        viewer.playing = True
        if self._showing is None:
            self._showing = asyncio.create_task(self._show())
        else:
            for number in range(self.first_shown(), self.shown):
                viewer.show(self.round.picture(number % FRAMES) or [], number * CLOCK // FPS)
        self._viewers.add(viewer)

    def first_shown(self) -> int:
        """The picture that a viewer who joins now gets first: the last key picture."""
        return max(0, self.shown - 1) // GROUP * GROUP

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= self._max:
            writer.write(b"RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: 1\r\n\r\n")
            writer.close()
            return
        self._connections[task] = writer
        viewer = Viewer(self, reader, writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await viewer.serve()
        finally:
            del self._connections[task]
            self._viewers.discard(viewer)
            writer.close()

    async def _show(self) -> None:
        """Each picture at its time, to all viewers; the round goes on while nobody looks."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            picture = self.round.picture(self.shown % FRAMES)
            if picture is None:  # the encoder fell behind: the time of showing waits for it
                await asyncio.sleep(1 / FPS)
                began += 1 / FPS
                continue
            for viewer in list(self._viewers):
                viewer.show(picture, self.shown * CLOCK // FPS)
            self.shown += 1
            await asyncio.sleep(max(0.0, began + self.shown / FPS - loop.time()))


async def main(arguments: Sequence[str]) -> int:
    """The program; its exit status."""
    parser = argparse.ArgumentParser(description="a camera on loopback (simulated)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    told = end_asked()
    try:
        server = RtspServer(given.seed)
        port = await server.start(port=given.port)
    except (FontMissing, OSError, RuntimeError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    say_ready(port=port, url=f"rtsp://127.0.0.1:{port}{PATH}", watched=watched_plate(given.seed).text)
    await told.wait()
    await server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
