"""Nobody scans a red box in its window: the board has an alarm, the unit a task, and a scan keeps both away."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from pathlib import Path

import aiohttp

from hub.app import App, Options
from hub.core.clock import ManualClock
from hub.core.event import Event
from hub.core.journal import Query
from tests.scenarios.kit import unit_secret, write_zone

RULE = """\
id: missed_red_box
use_blueprint:
  path: missed_red_box.yaml
  input: {unit: unit.s1, priority: high}
"""
BOXES = """\
  - plugin: red_box
    config:
      windows: ["22:00-06:00/120"]
      boxes:
        - {id: rb1, name: {th: ตู้ ๑, en: Box 1}, position: [17.0079, 99.8228], secret: AAAAAAAA}
        - {id: rb2, name: {th: ตู้ ๒, en: Box 2}, position: [17.0090, 99.8240], secret: BBBBBBBB}
"""
NIGHT = datetime(2026, 11, 23, 22, 30, tzinfo=timezone(timedelta(hours=7))).timestamp()


async def scan(http: aiohttp.ClientSession, url: str, now: float) -> None:
    login = {"device": "s1", "secret": unit_secret("s1")}
    await http.post(f"{url}/hook/red_box/scan/sign_in", data=login, allow_redirects=False)
    item = {"id": "a", "code": "RB1-AAAAAAAA", "at": now, "lat": 17.0079, "lon": 99.8228, "accuracy_m": 5}
    async with http.post(f"{url}/hook/red_box/scan/sync", json={"sent_at": now, "items": [item]}) as answer:
        assert (await answer.json())["items"][0]["result"] == "new"


async def events(app: App, clock: ManualClock, kind: str) -> list[Event]:
    """The events of that type, as soon as there is one; the clock goes on meanwhile."""
    async with asyncio.timeout(20):
        while not (found := app.journal.read(Query(type=kind, limit=100))):
            clock.advance(15)
            await asyncio.sleep(0.02)
    return found


async def test_a_missed_box_is_an_alarm_and_a_task(tmp_path: Path) -> None:
    clock = ManualClock(NIGHT)
    app = App(Options(write_zone(tmp_path, plugins=BOXES, automations=RULE), tmp_path / "data", port=0), clock=clock)
    await app.start()
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            await scan(http, app.url, clock.now())
        clock.advance_to(NIGHT + 100 * 60)  # the window ended at midnight, and so did the ten minutes of grace
        (task,) = await events(app, clock, "unit_alerted")
        (missed,) = await events(app, clock, "checkpoint_missed")
        (alarm,) = await events(app, clock, "alarm_raised")
        assert (missed.entity, missed.data["window_end"] - NIGHT) == ("checkpoint.rb2", 90 * 60)
        assert (alarm.data["title"], alarm.data["priority"], alarm.data["subject"]) == (
            "ตู้แดงขาดตรวจ ตู้ ๒", "high", "checkpoint.rb2",
        )  # fmt: skip
        assert (alarm.data["lat"], alarm.data["lon"]) == (17.009, 99.824)
        assert (task.entity, task.data["text"], task.data["lat"]) == ("unit.s1", "ตรวจตู้แดง ตู้ ๒", 17.009)
    finally:
        await app.stop()
