"""What cannot be written as UTF-8 JSON enters by no door of a plugin; words of faults are told without it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hub.core.access import Actor
from hub.core.actions import Request
from hub.core.error import HubError, InvalidInput
from hub.core.journal import MemoryJournal
from hub.sdk import Entity, Text
from tests.host.conftest import Bench
from tests.host.test_grants import contexts

HALF = "\ud800 half a character"
ODD: dict[str, Any] = {"good": "ก", "list": [1, {"words": HALF}]}


async def refused(call: Any) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as wrong:
        await call
    str(wrong.value).encode()
    return wrong.value.where, wrong.value.message.partition(":")[0]


async def test_every_door_names_the_field(bench: Bench) -> None:
    (mine,) = await contexts(bench, "mine")
    await mine.add(Entity("camera.a", Text("ก", "A")))
    before = len(bench.events())
    words = "not JSON data in UTF-8"
    made = Entity("camera.b", Text("ก", "A"), attributes=ODD)
    assert await refused(mine.add(made)) == ("camera.b.list.1.words", words)
    named = Entity("camera.b", Text(HALF, "A"))
    assert (await refused(mine.add(named)))[0] == "camera.b.name.th"
    changed = mine.emit_named("state_changed", {"state": "on", "attributes": ODD}, entity="camera.a")
    assert await refused(changed) == ("state_changed.attributes.list.1.words", words)
    large = mine.emit_named("state_changed", {"attributes": {"n": 2**70}}, entity="camera.a")
    assert (await refused(large))[0] == "state_changed.attributes.n"
    caused = mine.emit_named("state_changed", {"state": "on"}, entity="camera.a", cause=HALF)
    assert (await refused(caused))[0] == "cause"
    assert (await refused(mine.call("camera.snapshot", "camera.a", ODD)))[0] == "camera.snapshot.params.list.1.words"
    assert (await refused(mine.call("camera.snapshot", "camera.a", key=HALF)))[0] == "camera.snapshot.key"
    rows = mine.records("rows")
    assert (await refused(rows.put("a", ODD)))[0] == "document.value.list.1.words"
    assert (await refused(rows.put(HALF, 1)))[0] == "document.key"
    assert (await refused(rows.delete(HALF)))[0] == "key"
    assert (await refused(mine.documents("boxes").put("a", ODD)))[0] == "document.value.list.1.words"
    await bench.pipeline.settled()
    assert len(bench.events()) == before and await rows.all() == {}


class Odd:
    """A device whose words cannot be written."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    async def snapshot(self) -> str:
        raise self.fault

    async def clip(self, before_s: float, after_s: float, incident: str | None) -> list[str]:
        raise self.fault


async def test_words_of_faults_are_told_with_a_mark_in_their_place(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # stderr escapes what UTF-8 cannot carry; the test runner's wire does not
    (mine,) = await contexts(bench, "mine")
    mine._watcher.fault("every 1 s", ValueError(HALF))
    await mine.health(False, HALF)
    await bench.pipeline.settled()
    assert bench.events("fault")[-1].data["message"].startswith("ValueError: ? half a character")
    assert bench.states_of("mine")[-1] == ("retrying", "? half a character")
    for n, fault in enumerate((HubError(HALF), ValueError(HALF))):
        await mine.add(Entity(f"camera.c{n}", Text("ก", "A"), ("camera",)), Odd(fault))
        outcome = await bench.actions.call(Request("camera.snapshot", {}, Actor("user:test"), f"camera.c{n}"))
        assert outcome.error is not None and outcome.error["message"].endswith("? half a character")
    assert isinstance(bench.journal, MemoryJournal)
    str([event.as_data() for event in bench.events()]).encode()
