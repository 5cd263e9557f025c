"""A camera on loopback that answers with single pictures over HTTP, as many do beside their stream.

As a program: ``python plugins/rtsp_camera/fake.py --port 18555``, then ``url: http://127.0.0.1:18555/picture``.
A square walks through an empty grey room. A stream over RTSP with plates is ``plugins/demo_zone/rtsp_server.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web
from PIL import Image, ImageDraw

from hub.sdk.program import end_asked, say_ready

WIDTH, HEIGHT, SIDE, STEP = 320, 240, 60, 12


@dataclass
class Camera:
    """The camera. ``login``: name and password of who may see it; ``moving``: whether something walks there;
    ``shown``: pictures sent."""

    login: tuple[str, str] | None = None
    moving: bool = True
    shown: int = 0
    _runner: web.AppRunner | None = field(default=None, repr=False)

    async def start(self, port: int = 0) -> int:
        """Listen on loopback; the port."""
        app = web.Application()
        app.router.add_get("/picture", self._picture)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Be off: nobody listens any more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _picture(self, request: web.Request) -> web.Response:
        wanted = "Basic " + base64.b64encode(":".join(self.login).encode()).decode() if self.login else None
        if wanted is not None and request.headers.get("Authorization") != wanted:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="camera"'})
        self.shown += 1
        return web.Response(body=picture(self.shown if self.moving else None), content_type="image/jpeg")


def picture(number: int | None) -> bytes:
    """The room as JPEG, with the square at its place of picture ``number``, or empty."""
    room = Image.new("RGB", (WIDTH, HEIGHT), (110, 112, 116))
    if number is not None:
        left = number * STEP % (WIDTH - SIDE)
        ImageDraw.Draw(room).rectangle((left, 90, left + SIDE, 90 + SIDE), fill=(235, 235, 230))
    out = io.BytesIO()
    room.save(out, "JPEG", quality=90)
    return out.getvalue()


def parse_login(text: str) -> tuple[str, str]:
    """``name:password`` of the command line."""
    name, _, password = text.partition(":")
    return name, password


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a camera that answers with pictures (simulated)")
    parser.add_argument("--port", type=int, default=18555)
    parser.add_argument("--login", type=parse_login, metavar="NAME:PASSWORD")
    given = parser.parse_args(arguments)
    camera = Camera(given.login)
    port = await camera.start(given.port)
    told = end_asked()
    say_ready(port=port)
    await told.wait()
    await camera.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
