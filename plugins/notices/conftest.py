"""What the tests of the notices share: a board in the real hub, people, and the LINE platform's few addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from hub.sdk import ManualClock, WebRequest, WebResponse
from hub.testing import Harness, harness

HERE = Path(__file__).parent
START = 1_795_400_000.0  # 2026-11-23T02:13:20Z, 09:13:20 in Bangkok
AREA = {"id": "market", "name": {"th": "ตลาด", "en": "Market"}, "polygon": [[17.0, 99.8], [17.1, 99.8], [17.1, 99.9]]}
SETTINGS = {"sender": "safety.example", "areas": [AREA]}
WORDS = {
    "title_th": "น้ำท่วมถนนจรดวิถีถ่อง", "title_en": "Flood <on> the road & market", "severity": "severe",
    "text_th": "โปรดเลี่ยงเส้นทาง\nตั้งแต่บัดนี้", "text_en": "Please avoid the road.",
}  # fmt: skip


class Line:
    """The few addresses of LINE's Messaging API that a push needs. ``failing``: the status of the next answers."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.failing = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_post("/v2/bot/message/push", self._push)
        app.router.add_get("/v2/bot/message/quota", self._answer({"type": "limited", "value": 300}))
        app.router.add_get("/v2/bot/message/quota/consumption", self._used)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _push(self, request: web.Request) -> web.Response:
        if self.failing:
            return web.json_response({"message": "You have reached your monthly limit."}, status=self.failing)
        body = await request.json()
        self.sent.append((body["to"], body["messages"][0]["text"], request.headers["X-Line-Retry-Key"]))
        return web.json_response({"sentMessages": []})

    async def _used(self, request: web.Request) -> web.Response:
        return web.json_response({"totalUsage": len(self.sent)})

    @staticmethod
    def _answer(document: Mapping[str, Any]) -> Any:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response(document)

        return answer


@asynccontextmanager
async def board(clock: ManualClock | None = None, line: str = "", **changed: Any) -> AsyncIterator[Harness]:
    beside = []
    if line:
        secrets = {"channel_token": "t", "channel_secret": "s", "base_url": line}
        beside = [{"plugin": "line_oa", "config": secrets}]
        changed = {"line_to": ["C1", "C2"]} | changed
    async with harness(HERE, SETTINGS | changed, clock=clock or ManualClock(START), beside=beside) as hub:
        yield hub


def officer(hub: Harness, name: str) -> Harness:
    """The same hub, asked by a person of that name."""
    other, person = Harness(hub.app, hub.instance), replace(hub.person(), id=f"user:{name}")
    vars(other)["person"] = lambda roles=None: person
    return other


async def drafted(hub: Harness, **changed: Any) -> str:
    until = hub.app.clock.now() + 3600
    outcome = await officer(hub, "noi").call("notice.draft", params={**WORDS, "until": until, **changed})
    assert outcome.status == "done", outcome
    return str(outcome.result)


async def published(hub: Harness, **changed: Any) -> str:
    notice = await drafted(hub, **changed)
    outcome = await officer(hub, "lek").call("notice.approve", notice)
    assert outcome.status == "done", outcome
    return notice


async def get(hub: Harness, path: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(hub.hook(path)) as answer:
        return answer.status, await answer.read()


async def staff(hub: Harness, path: str) -> WebResponse:
    """A staff page; the hub itself checks who asks."""
    routes = hub.app.host.routes
    request = WebRequest("GET", path, {}, {}, b"", "127.0.0.1", "user:noi")
    return await routes.ask(routes.staff(hub.instance, "GET", path), request)


def state(hub: Harness, notice: str) -> str:
    found = hub.state(notice)
    assert found is not None
    return found.state


def facts(hub: Harness, notice: str) -> Mapping[str, Any]:
    found = hub.state(notice)
    assert found is not None
    return found.attributes
