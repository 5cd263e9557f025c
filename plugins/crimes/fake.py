"""A register on loopback that speaks the gateway's contract. ``python plugins/crimes/fake.py --port 18083``.

It knows one person and one car, both invented. ``POST /_fail`` {"how": "silent" | "garbage" | "huge" | "types" | "500"}
spoils the next answer.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from hub.sdk.program import end_asked, say_ready

KNOWN = {
    ("person", "1-6400-00000-00-0"): ["จำลอง: หมายจับศาลจังหวัดสุโขทัย ที่ จ.000/2569", "simulated: one warrant"],
    ("vehicle", "1กข1234 สุโขทัย"): ["จำลอง: แจ้งหาย 2569-11-01", "simulated: reported stolen"],
}


class FakeRegister:
    """The server. ``asked`` keeps the questions for tests, in memory."""

    def __init__(self, token: str = "demo-crimes-token") -> None:
        self.token, self.asked, self.spoilt = token, list[dict[str, Any]](), ""
        self.held = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port."""
        app = web.Application(client_max_size=64 << 10)
        app.router.add_get("/crimes", self._well)
        app.router.add_post("/crimes", self._answer)
        app.router.add_post("/_fail", self._fail)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Listen no more."""
        self.held.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def _may(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.token}"

    async def _well(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self._may(request) else 401)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return web.Response(status=401)
        body = await request.json()
        self.asked.append(body)
        spoilt, self.spoilt = self.spoilt, ""
        if spoilt == "silent":  # begins to answer and says no more
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b'{"hit": tr')
            await self.held.wait()
            return response
        if spoilt:
            broken = {"garbage": b"<html>", "huge": b'"' + b"x" * (1 << 20), "types": b'{"hit": "yes"}'}
            return web.Response(body=broken.get(spoilt, b""), status=500 if spoilt == "500" else 200)
        lines = KNOWN.get((body["kind"], body["value"]))
        return web.json_response({"hit": lines is not None, "lines": lines or []})

    async def _fail(self, request: web.Request) -> web.Response:
        self.spoilt = str((await request.json())["how"])
        return web.json_response({"next": self.spoilt})


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a CRIMES gateway on loopback (simulated)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="demo-crimes-token")
    given = parser.parse_args(arguments)
    register = FakeRegister(given.token)
    port = await register.start(port=given.port)
    told = end_asked()
    say_ready(port=port)
    await told.wait()
    await register.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
