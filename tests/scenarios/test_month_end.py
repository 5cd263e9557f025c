"""The end of a month: the poll closes with its verdict, LINE is told, the next round opens, and the report is made."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.app import App, Options
from hub.core.bus import Subscription
from hub.core.clock import ManualClock
from hub.core.event import Event
from hub.core.journal import Query
from plugins.line_oa.fake import LinePlatform
from plugins.survey import fake
from tests.scenarios.serve import ROOT

BANGKOK = datetime.timezone(datetime.timedelta(hours=7))
EVENING = datetime.datetime(2026, 10, 30, 23, 29, 20, tzinfo=BANGKOK).timestamp()
DAY = 86_400.0
CONFIG = """\
zone: {{name: test, center: [17.0, 99.8]}}
web: {{host: 127.0.0.1, port: 0}}
plugins:
  - plugin: survey
    config: {{forms: [!include {form}]}}
  - plugin: report
  - plugin: line_oa
    config: {{base_url: "{line}", channel_token: demo-line-token, channel_secret: demo-line-secret}}
automations: !include_dir_list automations
"""
POLL = """\
id: poll_month_end
use_blueprint: {path: poll_month_end.yaml, input: {form: form.fear_trust, line_group: test-group}}
"""
REPORT = """\
id: monthly_report
use_blueprint: {path: monthly_report.yaml}
"""


class Month:
    """A hub whose clock stands in the last nights of October."""

    def __init__(self, app: App, clock: ManualClock, line: LinePlatform) -> None:
        self.app, self.clock, self.line = app, clock, line
        self._changed = asyncio.Event()
        app.pipeline.committed.add(Subscription(lambda *_: self._changed.set()))

    def events(self, kind: str) -> list[Event]:
        return self.app.journal.read(Query(type=kind, limit=10_000))

    def jump(self, when: float) -> None:
        """To a moment without making the looks of the time between one by one."""
        vars(self.clock)["_now"] = when
        self.clock.advance(0)

    async def first(self, kind: str) -> Event:
        return await self.until(lambda: self.events(kind)[-1:])

    async def until(self, what: Callable[[], list[Event]]) -> Event:
        """The event that is looked for after each commit."""
        async with asyncio.timeout(30):
            while not (found := what()):
                self._changed.clear()
                await self._changed.wait()
        return found[0]

    async def answered(self, people: int, seed: int, lean: str) -> None:
        """As many as one address may send at once; then the clock lets more of them in."""
        url = f"{self.app.url}/hook/survey"
        thanked = await fake.crowd(url, "fear_trust", people, seed, 0.001, fake.leanings(lean), asyncio.Event())
        assert thanked == people
        self.clock.advance(10)


@asynccontextmanager
async def month(folder: Path) -> AsyncIterator[Month]:
    line, clock = LinePlatform(), ManualClock(EVENING)
    port = await line.start()
    (folder / "form.yaml").write_text((ROOT / "plugins/survey/examples/fear_trust.yaml").read_text())
    (folder / "automations").mkdir()
    (folder / "automations" / "poll.yaml").write_text(POLL)
    (folder / "automations" / "report.yaml").write_text(REPORT)
    (folder / "config.yaml").write_text(CONFIG.format(form="form.yaml", line=f"http://127.0.0.1:{port}"))
    app = App(Options(folder / "config.yaml", folder / "data", port=0), clock=clock)
    await app.start()
    try:
        yield Month(app, clock, line)
    finally:
        await app.stop()
        await line.stop()


def texts(line: LinePlatform) -> list[Any]:
    return [message["text"] for sent in line.sent for message in sent["messages"]]


async def test_the_last_night_closes_the_poll_and_the_first_morning_brings_the_report(tmp_path: Path) -> None:
    async with month(tmp_path) as hub:
        for seed in (7, 8):  # nobody is afraid, all trust
            await hub.answered(20, seed, "fear=1:0:0:0:0,trust=0:0:0:0:1")
        hub.clock.advance(20)  # 23:30 of the 30th is not the last night
        await hub.app.pipeline.settled()
        assert (hub.events("survey_closed"), texts(hub.line)) == ([], [])
        hub.jump(EVENING + DAY)
        hub.clock.advance(60)
        again = await hub.until(lambda: [event for event in hub.events("survey_opened") if event.data["round"] == 2])
        assert again.data["by"] == "automation:poll_month_end"
        (closed,) = hub.events("survey_closed")
        assert (closed.data["answers"], closed.data["by"]) == (40, "automation:poll_month_end")
        whole = [event for event in hub.events("survey_result") if not event.data["group"]]
        results = {event.entity: event.data["verdict"] for event in whole}
        assert results == {"poll.fear_trust_fear": "met", "poll.fear_trust_trust": "met"}
        (text,) = texts(hub.line)
        assert "หวาดกลัวภัยอาชญากรรม: ถึงเป้า 0.0%" in text and "รอบที่ 1: 40 คำตอบ" in text
        hub.jump(EVENING + DAY + 6.5 * 3600 + 60)  # 06:00 of the first of November
        made = await hub.first("report_made")
        assert (made.entity, made.data["by"]) == ("monthly_report.m2026_10", "automation:monthly_report")
