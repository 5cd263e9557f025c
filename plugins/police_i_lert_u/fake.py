"""An app on loopback that sends signed reports and takes their status.
``python plugins/police_i_lert_u/fake.py --port 18084 --hook http://127.0.0.1:8123/hook/police_i_lert_u/report``.

It shares no code with the plugin, so that both are held to the contract in README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
from aiohttp import web

from hub.sdk.program import end_asked, say_ready

STORY = (
    {"kind": "accident", "text": "จำลอง: รถจักรยานยนต์ล้มหน้าตลาด มีคนเจ็บ", "lat": 17.0071, "lon": 99.8239},
    {"kind": "suspicious", "text": "จำลอง: มีคนปีนรั้วโรงเรียน", "lat": 17.0093, "lon": 99.8216},
)


class App:
    """``told``: what came back; ``status``: what the next ones are answered with."""

    def __init__(self, secret: str = "demo-ilertu-secret", now: Callable[[], float] = time.time) -> None:
        self.secret, self.now = secret, now
        self.told: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen for the status; the port."""
        app = web.Application()
        app.router.add_post("/status", self._status)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    def signed(self, body: bytes, at: float | None = None) -> str:
        """The header for a body."""
        stamp = int(self.now() if at is None else at)
        return f"t={stamp},v1={hmac.new(self.secret.encode(), f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"

    async def send(self, hook: str, report: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one report; status and answer."""
        body = json.dumps(report, ensure_ascii=False).encode()
        return await self.send_raw(hook, body, self.signed(body))

    async def send_raw(self, hook: str, body: bytes, signature: str) -> tuple[int, dict[str, Any]]:
        """Send any bytes."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.post(hook, data=body, headers={"X-Signature": signature}) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def _status(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers.get("X-Signature", "").partition(",")[0].removeprefix("t=")
        if not stamp.isdigit() or request.headers["X-Signature"] != self.signed(body, float(stamp)):
            return web.Response(status=401)
        if self.answers:
            return web.Response(status=self.answers.pop(0))
        self.told.append(json.loads(body))
        self.arrived.set()
        return web.Response(status=204)


async def main(arguments: Sequence[str]) -> None:
    """The program: one report of the story now and one every ``--every`` seconds, then only listens."""
    parser = argparse.ArgumentParser(description="Police I Lert U on loopback (simulated)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--hook", required=True)
    parser.add_argument("--secret", default="demo-ilertu-secret")
    parser.add_argument("--every", type=float, default=180.0)
    given = parser.parse_args(arguments)
    app = App(given.secret)
    port = await app.start(port=given.port)
    told = end_asked()
    say_ready(port=port)
    sender = asyncio.create_task(_tell(app, given.hook, given.every))
    await told.wait()
    sender.cancel()
    await app.stop()


async def _tell(app: App, hook: str, every: float) -> None:
    for number, report in enumerate(STORY):
        status = 0
        while status != 200:
            await asyncio.sleep(every if number else 5.0)
            try:
                status, _ = await app.send(hook, {"id": f"demo-{int(app.now())}", "at": app.now(), **report})
            except aiohttp.ClientError:
                status = 0


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
