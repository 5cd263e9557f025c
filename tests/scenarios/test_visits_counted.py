"""The blueprint that counts visits, with the helpers that it is made for: scans of a real red box in the market's
hours, the same visit once, an alarm when the market closes with too few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import aiohttp

from hub.app import App, Options
from hub.core.actions import Request
from hub.core.clock import ManualClock
from hub.core.event import Event
from hub.core.journal import Query
from hub.testing import Harness
from tests.scenarios.kit import unit_secret, write_zone

ROOT = Path(__file__).parents[2]
PLUGINS = """\
  - plugin: red_box
    config:
      windows: ["00:00-24:00/120"]
      boxes: [{id: rb1, name: {th: ร้านทอง, en: Gold shop}, position: [17.0079, 99.8228], secret: AAAAAAAA}]
  - plugin: helpers
    config:
      input_boolean: {night_mode: null}
      input_number: {gold_shop_visits_wanted: {min: 0, max: 12, initial: 2}}
      timer: {quiet: {duration: "00:10:00"}}
      counter: {gold_shop_visits: null}
      schedule: {market: {monday: [{from: "16:00:00", to: "21:00:00"}], tuesday: [{from: "16:00", to: "21:00"}]}}
"""
BANGKOK = timezone(timedelta(hours=7))


def moment(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=BANGKOK).timestamp()


class Market:
    """The demo's two rules in a zone of the test's own."""

    def __init__(self, app: App, clock: ManualClock, http: aiohttp.ClientSession) -> None:
        self.app, self.clock, self.http = app, clock, http
        self.scans = 0

    def states(self, *names: str) -> list[str]:
        return [held.state if (held := self.app.pipeline.state.get(name)) else "none" for name in names]

    def alarms(self) -> list[Event]:
        return self.app.journal.read(Query(type="alarm_raised"))

    async def to(self, text: str) -> None:
        self.clock.advance_to(moment(text))

    async def until(self, what: Callable[[], object]) -> None:
        """The clock goes on a little with each look."""
        async with asyncio.timeout(20):
            while not what():
                self.clock.advance(0.1)
                await asyncio.sleep(0.005)

    async def counted(self, count: int, timer: str) -> None:
        await self.until(lambda: self.states("counter.gold_shop_visits", "timer.quiet") == [str(count), timer])

    async def scan(self) -> None:
        """A patrol scans the box; the rule has run when this returns."""
        self.scans += 1
        login = {"device": "s1", "secret": unit_secret("s1")}
        url, now, before = f"{self.app.url}/hook/red_box/scan", self.clock.now(), self.runs()
        await self.http.post(f"{url}/sign_in", data=login, allow_redirects=False)
        item = {"id": f"scan{self.scans}", "code": "RB1-AAAAAAAA", "at": now, "lat": 17.0079, "lon": 99.8228}
        async with self.http.post(f"{url}/sync", json={"sent_at": now, "items": [item]}) as answer:
            assert (await answer.json())["items"][0]["result"] == "new"
        await self.until(lambda: self.runs() > before)

    def runs(self) -> int:
        return len([row for row in self.app.engine.traces("gold_shop_visits") if row["status"] == "finished"])

    async def switch(self, verb: str) -> None:
        request = Request(f"input_boolean.{verb}", {}, Harness.person(), "input_boolean.night_mode")
        assert (await self.app.actions.call(request)).status == "done"


@asynccontextmanager
async def market(folder: Path, now: str) -> AsyncIterator[Market]:
    clock = ManualClock(moment(now))
    rules = "".join(
        f"- {text.replace(chr(10), chr(10) + '  ').rstrip()}\n"
        for text in ((ROOT / "automations" / f"{name}.yaml").read_text() for name in ("gold_shop_visits", "night_mode"))
    )
    app = App(Options(write_zone(folder, plugins=PLUGINS, automations=rules), folder / "data", port=0), clock=clock)
    await app.start()
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            yield Market(app, clock, http)
    finally:
        await app.stop()


async def test_too_few_visits_in_the_market_s_hours_are_an_alarm(tmp_path: Path) -> None:
    async with market(tmp_path, "23 15:50:00") as at:
        await at.scan()  # before the market opens: it does not count
        await at.counted(0, "idle")
        await at.to("23 16:05:00")
        await at.until(lambda: at.states("schedule.market") == ["on"])
        await at.scan()
        await at.counted(1, "active")
        await at.scan()  # the same visit
        await at.counted(1, "active")
        await at.to("23 16:20:00")
        await at.counted(1, "idle")
        await at.to("23 18:00:00")  # after sunset
        await at.until(lambda: at.states("input_boolean.night_mode") == ["on"])
        await at.to("23 21:00:01")
        await at.until(at.alarms)
        (alarm,) = at.alarms()
        assert (alarm.data["title"], alarm.data["priority"], alarm.data["subject"], alarm.data["detail"]) == (
            "ตรวจ ร้านทอง เพียง 1 ครั้ง", "high", "checkpoint.rb1", "1 visits to Gold shop in its hours",
        )  # fmt: skip


async def test_enough_visits_are_none_and_the_next_market_counts_anew(tmp_path: Path) -> None:
    async with market(tmp_path, "23 16:30:00") as at:
        for count, time in ((1, "23 17:00:00"), (2, "23 20:00:00")):
            await at.to(time)
            await at.counted(count - 1, "idle")
            await at.scan()
            await at.counted(count, "active")
        await at.to("23 21:00:01")
        await at.until(lambda: at.runs() == 3)
        assert at.alarms() == []
        await at.to("24 16:00:01")
        await at.counted(0, "idle")
        await at.switch("turn_off")
        await at.to("24 21:00:01")
        await at.until(at.alarms)
        assert [alarm.data["title"] for alarm in at.alarms()] == ["ตรวจ ร้านทอง เพียง 0 ครั้ง"]
