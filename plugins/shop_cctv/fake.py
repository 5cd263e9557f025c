"""A shop's camera on loopback: pictures over HTTP behind Digest (RFC 7616) or Basic, and what can go wrong with it.

As a program: ``python plugins/shop_cctv/fake.py --port 18610 --login shop:pass --scene gold``; the picture stands at
``/picture``. The second picture after a start already shows that somebody walks in the shop.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web
from PIL import Image, ImageDraw

from hub.sdk.program import end_asked, say_ready

WIDTH, HEIGHT = 480, 270
SCENES = {"gold": ((74, 52, 20), (228, 186, 60)), "hotel": ((38, 48, 66), (150, 180, 214))}
_PAIR = re.compile(r'(\w+)="?([^",]*)"?')


@dataclass
class Camera:
    """The camera. ``auth``: digest or basic, when there is a ``login``; ``fault``: ``garbage``, ``huge``, ``half`` or
    ``hang`` instead of a picture; ``shown``: pictures sent."""

    login: tuple[str, str] | None = None
    auth: str = "digest"
    scene: str = "gold"
    fault: str = ""
    shown: int = 0
    tried: list[str] = field(default_factory=list)
    _runner: web.AppRunner | None = field(default=None, repr=False)

    async def start(self, port: int = 0) -> int:
        """Listen on loopback; the port."""
        app = web.Application()
        app.router.add_get("/picture", self._picture, allow_head=False)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Be off."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        header = request.headers.get("Authorization", "")
        self.tried.append(header.partition(" ")[0])
        if self.login is not None and not self._right(header):
            ask = 'Basic realm="shop"' if self.auth == "basic" else 'Digest realm="shop", nonce="n7", qop="auth"'
            return web.Response(status=401, headers={"WWW-Authenticate": ask})
        if self.fault:
            return await self._wrong(request)
        self.shown += 1
        return web.Response(body=picture(self.shown, self.scene), content_type="image/jpeg")

    async def _wrong(self, request: web.Request) -> web.StreamResponse:
        if self.fault == "garbage":
            return web.Response(body=b"<html>please log in</html>", content_type="text/html")
        if self.fault == "hang":
            await asyncio.sleep(60)
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        response.content_length = 64 << 20 if self.fault == "huge" else 50_000
        await response.prepare(request)
        await response.write(picture(1, self.scene)[:2_000])
        while self.fault == "huge":
            await response.write(bytes(1 << 20))
        await asyncio.sleep(60)
        return response

    def _right(self, header: str) -> bool:
        name, password = self.login or ("", "")
        scheme, _, rest = header.partition(" ")
        if self.auth == "basic":
            return scheme == "Basic" and base64.b64decode(rest) == f"{name}:{password}".encode()
        told = dict(_PAIR.findall(rest))

        def hashed(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        proof = hashed(
            f"{hashed(f'{name}:shop:{password}')}:n7:{told.get('nc')}:{told.get('cnonce')}:auth:"
            f"{hashed('GET:' + told.get('uri', ''))}"
        )
        return scheme == "Digest" and told.get("response") == proof


def picture(number: int, scene: str = "gold") -> bytes:
    """A shop as JPEG, with a counter and somebody who walks by it."""
    wall, counter = SCENES[scene]
    drawn = Image.new("RGB", (WIDTH, HEIGHT), wall)
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((40, 150, WIDTH - 40, 210), fill=counter)
    for shelf in range(6):
        pen.rectangle((60 + shelf * 64, 60, 110 + shelf * 64, 110), fill=tuple(min(255, part + 40) for part in counter))
    walker = number * 20 % (WIDTH + 40) - 20
    pen.ellipse((walker, 110, walker + 20, 130), fill=(224, 188, 150))
    pen.rectangle((walker - 3, 130, walker + 23, 250), fill=(60, 120, 200))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=80)
    return out.getvalue()


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a shop's camera (simulated)")
    parser.add_argument("--port", type=int, default=18610)
    parser.add_argument("--login", default="", help="NAME:PASSWORD")
    parser.add_argument("--auth", choices=("digest", "basic"), default="digest")
    parser.add_argument("--scene", choices=sorted(SCENES), default="gold")
    given = parser.parse_args(arguments)
    name, _, password = given.login.partition(":")
    camera = Camera((name, password) if given.login else None, given.auth, given.scene)
    port = await camera.start(given.port)
    told = end_asked()
    say_ready(port=port)
    await told.wait()
    await camera.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
