"""A hub with two boxes, the units' phones beside it, and a phone that has signed in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from hub.sdk import Event, ManualClock
from hub.testing import Harness, harness

HERE = Path(__file__).parent
BANGKOK = ZoneInfo("Asia/Bangkok")
RB1, RB2 = (17.0079, 99.8228), (17.0150, 99.8228)  # 790 m apart
CONFIG: dict[str, Any] = {
    "boxes": [
        {"id": "rb1", "name": {"th": "ร้านทอง 1", "en": "Gold shop 1"}, "position": RB1},
        {"id": "rb2", "name": {"th": "ตลาด", "en": "Market"}, "position": RB2},
    ],
}
UNITS = {
    "plugin": "units",
    "config": {"devices": [
        {"id": "s1", "name": {"th": "ส1", "en": "S1"}, "secret": "secret-of-s1"},
    ]},
}  # fmt: skip


def at(text: str) -> float:
    """A moment by the station's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=BANGKOK).timestamp()


class Patrol:
    """A phone at the real HTTP door."""

    def __init__(self, hub: Harness, http: aiohttp.ClientSession, clock: ManualClock | None) -> None:
        self.hub, self.http, self.clock = hub, http, clock

    async def sign_in(self, secret: str = "secret-of-s1") -> tuple[int, str]:
        data = {"device": "s1", "secret": secret}
        async with self.http.post(self.hub.hook("scan/sign_in"), data=data, allow_redirects=False) as answer:
            return answer.status, answer.headers["Location"]

    async def sync(self, *items: dict[str, Any], sent_at: float | None = None, body: bytes | None = None) -> Any:
        """Status and JSON of a batch of scans."""
        raw = json.dumps({"sent_at": sent_at, "items": items}).encode() if body is None else body
        async with self.http.post(self.hub.hook("scan/sync"), data=raw) as answer:
            return answer.status, json.loads(await answer.read())

    async def turns(self, count: int) -> None:
        """Let the plugin look that often, 15 s apart, and let each look end before the next begins."""
        assert self.clock is not None
        for _ in range(count):
            self.clock.advance(15)
            for _ in range(50):
                await asyncio.sleep(0)

    async def missed(self, count: int) -> list[Event]:
        """The missed windows, as soon as there are so many."""
        async with asyncio.timeout(10):
            while len(found := self.hub.events("checkpoint_missed")) < count:
                await self.turns(1)
        return found

    def code(self, box: str = "rb1") -> str:
        """What the box's QR holds, from its document."""
        folder = self.hub.app.options.data / "documents"
        documents = json.loads((folder / "red_box.boxes.json").read_text())["documents"]
        return f"{box.upper()}-{documents[box]['secret']}"

    def scan(self, scan_id: str, box: str = "rb1", **changes: Any) -> dict[str, Any]:
        """A scan at the box, now."""
        lat, lon = RB1 if box == "rb1" else RB2
        now = self.hub.app.clock.now()
        return {"id": scan_id, "code": self.code(box), "at": now, "lat": lat, "lon": lon, "accuracy_m": 8.0, **changes}


OpenPatrol = Callable[..., AbstractAsyncContextManager[Patrol]]


@pytest.fixture
def patrol() -> OpenPatrol:
    """``async with patrol("2026-11-23 22:30") as one``: the clock stands still at that moment."""

    @asynccontextmanager
    async def begin(moment: str | None = None, config: dict[str, Any] | None = None) -> AsyncIterator[Patrol]:
        clock = ManualClock(at(moment)) if moment else None
        jar = aiohttp.CookieJar(unsafe=True)
        async with (
            harness(HERE, config or CONFIG, beside=[UNITS], clock=clock) as hub,
            aiohttp.ClientSession(cookie_jar=jar) as http,
        ):
            one = Patrol(hub, http, clock)
            await one.sign_in()
            yield one

    return begin
