"""A small RTSP server: the rendered street as one H.264 stream, RTP inside the RTSP connection.

RTSP 1.0 (RFC 2326) with interleaved transport only; H.264 in RTP by RFC 6184 (single NAL units and FU-A). The loop is
encoded once, so that serving it costs next to nothing.

As a program: ``python plugins/demo_zone/rtsp_server.py --port 18554 --seed 7``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import random
import re
import signal
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # run as a program: the scene lies beside it
from scene import FPS, HEIGHT, LOOP_S, WIDTH, FontMissing, Scene  # type: ignore[import-not-found]

CLOCK = 90_000  # Hz, RTP's clock for video
MTU = 1_400
GOP = FPS * 2
MAX_CLIENTS = 8
MAX_REQUEST = 8_192
MAX_BUFFERED = 4 << 20  # bytes waiting for a slow client; beyond it the client goes
START = re.compile(b"\x00\x00\x00?\x01")


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded picture."""

    nals: tuple[bytes, ...]
    key: bool


def encode(seed: int) -> list[Frame]:
    """The whole loop, encoded once."""
    scene, codec = Scene(seed), av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FPS), Fraction(FPS, 1)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23", "g": str(GOP), "keyint_min": str(GOP)}
    frames: list[Frame] = []
    for number in range(int(LOOP_S * FPS)):
        picture = av.VideoFrame.from_ndarray(np.asarray(scene.at(number / FPS)), format="rgb24")
        picture.pts = number
        frames += [_frame(packet) for packet in codec.encode(picture)]
    return frames + [_frame(packet) for packet in codec.encode(None)]


def _frame(packet: Any) -> Frame:
    nals = tuple(nal for nal in START.split(bytes(packet)) if nal)
    return Frame(nals, bool(packet.is_keyframe))


def payloads(nal: bytes) -> Iterator[bytes]:
    """A NAL unit as RTP payloads (RFC 6184, 5.6 and 5.8)."""
    if len(nal) <= MTU:
        yield nal
        return
    indicator, kind, rest = (nal[0] & 0xE0) | 28, nal[0] & 0x1F, nal[1:]
    for start in range(0, len(rest), MTU):
        part = rest[start : start + MTU]
        first, last = start == 0, start + MTU >= len(rest)
        yield bytes((indicator, first << 7 | last << 6 | kind)) + part


class Street:
    """The loop and the moment in it, the same for every client."""

    def __init__(self, seed: int) -> None:
        self.frames = encode(seed)
        self.begun = time.monotonic()

    def index(self) -> int:
        """The number of the picture that is due now, counted on through all loops."""
        return int((time.monotonic() - self.begun) * FPS)

    def sdp(self, host: str) -> str:
        """The description (RFC 4566) with the stream's parameter sets."""
        sets = [nal for nal in self.frames[0].nals if nal[0] & 0x1F in (7, 8)]
        profile = sets[0][1:4].hex()
        words = ",".join(base64.b64encode(nal).decode() for nal in sets)
        return (
            f"v=0\r\no=- 0 0 IN IP4 {host}\r\ns=simulated street\r\nc=IN IP4 {host}\r\nt=0 0\r\na=control:*\r\n"
            f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/{CLOCK}\r\na=framerate:{FPS}\r\n"
            f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={words}\r\n"
            "a=control:trackID=0\r\n"
        )


class Client:
    """One RTSP connection."""

    def __init__(self, street: Street, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._street, self._reader, self._writer = street, reader, writer
        self._session = f"{random.getrandbits(48):012x}"
        self._playing: asyncio.Task[None] | None = None
        self._channel = 0

    async def serve(self) -> None:
        """Answer until the client goes."""
        try:
            while (request := await self._request()) is not None:
                if not self._answer(*request):
                    break
                await self._writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass
        finally:
            if self._playing is not None:
                self._playing.cancel()
            self._writer.close()

    async def _request(self) -> tuple[str, str, dict[str, str]] | None:
        """Method, address and headers; frames that the client sends (RTCP) are passed over."""
        while True:
            first = await self._reader.read(1)
            if not first:
                return None
            if first != b"$":
                break
            _, size = struct.unpack(">BH", await self._reader.readexactly(3))
            await self._reader.readexactly(size)
        text = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        head, *lines = text.strip().split("\r\n")
        method, url, _ = head.split(" ", 2)
        headers = dict(line.split(":", 1) for line in lines if ":" in line)
        headers = {name.strip().lower(): value.strip() for name, value in headers.items()}
        if int(headers.get("content-length", "0")) > 0:
            await self._reader.readexactly(min(int(headers["content-length"]), MAX_REQUEST))
        return method, url, headers

    def _answer(self, method: str, url: str, headers: dict[str, str]) -> bool:
        status, extra, body = "200 OK", [f"Session: {self._session}"], ""
        if method == "OPTIONS":
            extra = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"]
        elif method == "DESCRIBE":
            body = self._street.sdp(self._writer.get_extra_info("sockname")[0])
            extra = [f"Content-Base: {url}/", "Content-Type: application/sdp"]
        elif method == "SETUP":
            status, extra = self._set_up(headers.get("transport", ""))
        elif method == "PLAY":
            extra.append("Range: npt=now-")
        elif method not in ("GET_PARAMETER", "TEARDOWN"):
            status = "501 Not Implemented"
        lines = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}", *extra]
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        if method == "PLAY" and self._playing is None:
            self._playing = asyncio.get_running_loop().create_task(self._play())
        return method != "TEARDOWN"

    def _set_up(self, transport: str) -> tuple[str, list[str]]:
        if "RTP/AVP/TCP" not in transport:
            return "461 Unsupported Transport", []
        found = re.search(r"interleaved=(\d{1,3})", transport)
        self._channel = min(int(found.group(1)), 254) if found else 0
        channels = f"{self._channel}-{self._channel + 1}"
        return "200 OK", [f"Transport: RTP/AVP/TCP;unicast;interleaved={channels}", f"Session: {self._session}"]

    async def _play(self) -> None:
        street, sequence, source = self._street, random.getrandbits(16), random.getrandbits(32)
        index = street.index()
        while not street.frames[index % len(street.frames)].key:  # a picture that stands alone comes first
            index -= 1
        while self._writer.transport.get_write_buffer_size() < MAX_BUFFERED and not self._writer.is_closing():
            await asyncio.sleep(max(0.0, street.begun + index / FPS - time.monotonic()))
            sequence = self._send(street.frames[index % len(street.frames)], index, sequence, source)
            index += 1
        self._writer.close()

    def _send(self, frame: Frame, index: int, sequence: int, source: int) -> int:
        stamp = index * CLOCK // FPS & 0xFFFFFFFF
        parts = [part for nal in frame.nals for part in payloads(nal)]
        for number, part in enumerate(parts):
            marker = 0x80 if number == len(parts) - 1 else 0
            header = struct.pack(">BBHII", 0x80, marker | 96, sequence, stamp, source)
            self._writer.write(struct.pack(">BBH", 0x24, self._channel, len(header) + len(part)) + header + part)
            sequence = sequence + 1 & 0xFFFF
        return sequence


async def serve(port: int, seed: int, host: str = "127.0.0.1") -> asyncio.Server:
    """Listen; every address on the port shows the street."""
    street = await asyncio.to_thread(Street, seed)
    clients: set[object] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(clients) >= MAX_CLIENTS:
            writer.close()
            return
        client = Client(street, reader, writer)
        clients.add(client)
        try:
            await client.serve()
        finally:
            clients.discard(client)

    return await asyncio.start_server(meet, host, port, limit=MAX_REQUEST)


async def main(port: int, seed: int) -> None:
    """Serve until standard input closes or SIGTERM."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    with contextlib.suppress(ValueError, OSError):  # no standard input to watch
        await loop.connect_read_pipe(lambda: _Watch(ended), sys.stdin)
    server = await serve(port, seed)
    sys.stdout.write(json.dumps({"ready": True, "port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await ended.wait()
    server.close()


class _Watch(asyncio.Protocol):
    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=18554)
    arguments.add_argument("--seed", type=int, default=7)
    chosen = arguments.parse_args()
    try:
        asyncio.run(main(chosen.port, chosen.seed))
    except FontMissing as missing:
        sys.exit(str(missing))
