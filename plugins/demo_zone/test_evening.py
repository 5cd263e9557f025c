"""The simulated evening: people's steps through the staff API of the real hub, once a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.testing import Harness, harness

HERE = Path(__file__).parent
STEPS: list[dict[str, Any]] = [
    {"after_s": 0, "action": "incident.open", "params": {"kind": "test", "title": "หนึ่ง"}, "keep": "case"},
    {"after_s": 0, "action": "incident.note", "target": "{case}", "params": {"text": "ดู {case}"}},
]


@asynccontextmanager
async def zone(steps: list[dict[str, Any]]) -> AsyncIterator[Harness]:
    beside = [{"plugin": "incident_desk"}, {"plugin": "watchlist"}]
    async with harness(HERE, {"evening": steps}, beside=beside) as hub:
        hub.app.accounts.add("demo", "sukhothai-demo", ("ccoc",), title="demo")
        yield hub


async def test_steps_are_done_in_order_with_the_results_of_those_before() -> None:
    async with zone(STEPS) as hub:
        opened = await hub.wait_event("incident_opened", timeout=30)
        noted = await hub.wait_event("incident_noted", timeout=30)
        assert (opened.data["title"], opened.data["opened_by"]) == ("หนึ่ง", "user:demo")
        assert (noted.entity, noted.data["text"]) == (opened.entity, f"ดู {opened.entity}")


async def test_a_restart_on_the_same_day_repeats_nothing() -> None:
    second = {"after_s": 0, "action": "incident.open", "params": {"kind": "test", "title": "สอง"}}
    async with zone([STEPS[0], second]) as hub:
        await hub.wait_event("incident_opened", match={"title": "สอง"}, timeout=30)
        await hub.restart()

        def signed_in() -> int:
            rows = [row for _, row in hub.app.journal.records("audit")]
            return len([row for row in rows if row["what"] == "session.open"])

        async with asyncio.timeout(30):
            while signed_in() < 2:  # signing in is no event: the ledger alone has it
                await hub.app.clock.sleep(0.02)
        later = await hub.call("incident.open", None, {"kind": "test", "title": "สาม"})
        assert later.status == "done"
        assert [event.data["title"] for event in hub.events("incident_opened")] == ["หนึ่ง", "สอง", "สาม"]
