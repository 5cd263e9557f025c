"""What is silent for longer than it declared is said once, with its last sign of life, and again when it is back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from hub.capabilities import EVENT_TYPES
from hub.core.clock import ManualClock
from hub.core.entity import Entity
from hub.core.event import Draft, EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal, Query
from hub.core.pipeline import Pipeline
from hub.core.system import SYSTEM_TYPES
from hub.core.text import Text
from hub.host.config import InstanceConfig
from hub.host.heartbeat import Heartbeat
from hub.host.instance import Instance

START = 1_800_000_000.0


class Zone:
    """One instance with a limit of 30 s and one lamp of its with a limit of 60 s."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.journal = MemoryJournal()
        types = EventTypes([*SYSTEM_TYPES, *EVENT_TYPES])
        self.pipeline = Pipeline(self.journal, types, self.clock, Ids(self.clock, Random(1)))
        config = InstanceConfig("lamps", "lamps", silent_after_s=30)
        self.instance = Instance(self.pipeline, config, None, None, lambda *_: None)
        self.heartbeat = Heartbeat(self.pipeline, {"lamps": self.instance})

    def said(self) -> list[tuple[str, Any]]:
        """Types of silence in order, with what they say was the last sign of life."""
        found = self.journal.read(Query(limit=1000))
        return [(e.type, e.data.get("last_sign")) for e in found if e.type.endswith(("_silent", "_heard"))]

    async def later(self, seconds: float) -> None:
        await self.pipeline.settled()
        self.clock.advance(seconds)
        await self.pipeline.settled()


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    made = Zone()
    await made.pipeline.start()
    made.heartbeat.start()
    yield made
    made.heartbeat.stop()
    await made.pipeline.stop()


async def test_an_instance_is_said_to_be_silent_once_and_heard_again(zone: Zone) -> None:
    zone.instance.alive()
    await zone.later(29)
    assert zone.said() == []
    await zone.later(10)
    await zone.later(100)
    assert zone.said() == [("instance_silent", START)]
    assert zone.pipeline.state.get("plugin.lamps").attributes["silent"] is True  # type: ignore[union-attr]
    zone.instance.alive()
    zone.instance.alive()
    await zone.later(1)
    assert zone.said() == [("instance_silent", START), ("instance_heard", None)]
    assert zone.pipeline.state.get("plugin.lamps").attributes["silent"] is False  # type: ignore[union-attr]


async def test_one_that_was_never_heard_has_its_limit_from_the_start(zone: Zone) -> None:
    await zone.later(29)
    assert zone.said() == []
    await zone.later(4)
    assert zone.said() == [("instance_silent", None)]


async def test_a_silent_lamp_is_said_unless_its_plugin_explains_it(zone: Zone) -> None:
    lamp = Entity("light.a", Text("ไฟ", "Lamp"), silent_after=60)
    zone.pipeline.emit(Draft("entity_added", {"description": lamp.describe("lamps")}, "hub", "light.a"))
    for _ in range(8):
        zone.instance.alive()
        await zone.later(10)
    assert zone.said() == [("entity_silent", START)]
    zone.instance.alive("light.a")
    await zone.later(3)
    assert zone.said()[-1] == ("entity_heard", None)
    await zone.later(100)  # now the whole plugin is silent: one word, not one a lamp
    assert [kind for kind, _ in zone.said()] == ["entity_silent", "entity_heard", "instance_silent"]
