"""After a start rules may name what plugins bring in late; only what is still not there then is told, and once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hub.app import NAMES_WITHIN_S, App, Options
from hub.core.bus import Subscription
from hub.core.clock import ManualClock
from hub.core.event import Draft
from hub.core.journal import Query
from tests.scenarios.kit import write_zone

RULE = """\
- id: late
  triggers: [{trigger: state, entity_id: [light.late, light.never]}]
  actions: [{stop: x}]
- id: wrong
  triggers: [{trigger: state, entity_id: light.late, froom: x}]
  actions: [{stop: x}]
"""


def told(app: App) -> list[str]:
    faults = app.pipeline.journal.read(Query(type="fault", limit=100))
    return [event.data["message"] for event in faults if event.data["where"].startswith(str(app.options.config.parent))]


async def test_a_name_that_comes_late_is_no_fault(tmp_path: Path) -> None:
    clock = ManualClock(1_800_000_000.0)
    app = App(Options(write_zone(tmp_path, automations=RULE), tmp_path / "data", port=0), clock=clock)
    await app.start()
    try:
        await app.pipeline.settled()
        assert told(app) == ["a state trigger has no field 'froom'; did you mean 'from'?"]
        assert [row["id"] for row in app.engine.list()] == ["late"]
        app.pipeline.emit(Draft("entity_added", {"description": {"capabilities": ["light"]}}, "hub", "light.late"))
        fault = asyncio.Event()
        app.pipeline.committed.add(Subscription(lambda *_: fault.set(), "fault"))
        clock.advance(NAMES_WITHIN_S)
        async with asyncio.timeout(10):
            await fault.wait()
        clock.advance(NAMES_WITHIN_S)
        await app.pipeline.settled()
        assert told(app)[1:] == ["there is no entity 'light.never'; did you mean 'light.late'?"]
    finally:
        await app.stop()
