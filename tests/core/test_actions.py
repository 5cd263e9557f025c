"""The one way out: what is asked is authorised, owed, done once and told, also when journal or hub fail."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

import pytest
from pydantic import create_model

from hub.core.access import Actor
from hub.core.action import ActionSpec, Call, action, actions_of
from hub.core.actions import DONE, OWED, Actions, Request
from hub.core.bus import Subscription
from hub.core.clock import ManualClock
from hub.core.error import Denied, Expired, InvalidInput, NotFound, StorageFailed, Unavailable
from hub.core.event import Draft, Event, EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal, Query, Record
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import SYSTEM_TYPES
from hub.core.text import Text

OFFICER = Actor("user:noi", frozenset({"ccoc"}), person=True)
RULE = Actor("automation:night", frozenset({"ccoc"}))


class Gate(Protocol):
    """A gate for the tests."""

    @action("เปิด", "Open", right="gate.control")
    async def open(self, width: int = 1) -> str:
        """Not idempotent."""

    @action("ปิด", "Close", right="gate.control", idempotent=True)
    async def close(self) -> None:
        """Idempotent."""

    @action("ระเบิด", "Blast", right="gate.blast", dangerous=True)
    async def blast(self) -> None:
        """Dangerous."""


class Rights:
    def check(self, actor: Actor, right: str, entity: EntityState | None = None) -> None:
        if "ccoc" not in actor.roles:
            raise Denied(f"{right} is missing", where=right)


class FailingJournal(MemoryJournal):
    """Fails the next commits that hold an event of a type named in ``fail``."""

    def __init__(self) -> None:
        super().__init__()
        self.fail: list[str] = []

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        for event in events:
            if event.type in self.fail:
                self.fail.remove(event.type)
                raise StorageFailed("the disk is full")
        super().commit(events, records)


class Zone:
    """A pipeline with one gate, ``gate.a``, whose device notes each call."""

    def __init__(self, journal: FailingJournal | None = None, clock: ManualClock | None = None) -> None:
        self.journal, self.clock = journal or FailingJournal(), clock or ManualClock()
        self.pipeline = Pipeline(self.journal, EventTypes(SYSTEM_TYPES), self.clock, Ids(self.clock, Random(1)))
        self.actions = Actions(self.pipeline, Rights())
        self.actions.declare(actions_of(Gate, "gate"))
        self.calls: list[tuple[str, str]] = []

    async def start(self, *, attach: bool = True) -> Zone:
        await self.pipeline.start()
        if self.pipeline.state.get("gate.a") is None:
            data = {"description": {"capabilities": ["gate"]}}
            self.pipeline.emit(Draft("entity_added", data, "hub", "gate.a"))
        self.actions.resume()
        if attach:
            self.actions.attach("gate.a", self.device)
        return self

    async def device(self, call: Call) -> str:
        self.calls.append((call.action, call.key))
        return "wide"

    async def ask(self, verb: str, key: str | None = None, actor: Actor = RULE, **params: Any) -> Any:
        return await self.actions.call(Request(f"gate.{verb}", params, actor, "gate.a", key=key))

    async def heard(self, kind: str) -> None:
        """Wait until an event of that type is committed."""
        there = asyncio.Event()
        self.pipeline.committed.add(Subscription(lambda event, change: there.set(), kind))
        async with asyncio.timeout(5):
            while not self.events(kind):
                await there.wait()

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in self.journal.read(Query(type=kind, limit=1000))]


@pytest.fixture
async def zone() -> Zone:
    return await Zone().start()


async def test_what_is_private_is_told_to_the_caller_and_written_down_nowhere(zone: Zone) -> None:
    async def look_up(call: Call) -> str:
        return f"found {call.params['name']}"

    params = create_model("params", name=(str, ...))
    spec = ActionSpec("register.look_up", Text("ค้น", "Look up"), "gate.control", params, private=True)
    zone.actions.provide(spec, look_up)
    outcome = await zone.actions.call(Request("register.look_up", {"name": "Somchai"}, RULE, key="k1"))
    assert (outcome.status, outcome.result) == ("done", "found Somchai")
    again = await zone.actions.call(Request("register.look_up", {"name": "Somchai"}, RULE, key="k1"))
    assert (again.status, again.result) == ("done", None)
    written = str([event.as_data() for event in zone.journal.read(Query(limit=1000))]) + str(zone.journal.records(DONE))
    assert "register.look_up" in written and "Somchai" not in written


async def test_a_file_stands_in_the_record_of_a_call_by_its_size_and_hash(zone: Zone) -> None:
    async def take(call: Call) -> int:
        return len(call.params["content"])

    params = create_model("params", content=(str, ...))
    zone.actions.provide(ActionSpec("register.take", Text("รับ", "Take"), "gate.control", params), take)
    outcome = await zone.actions.call(Request("register.take", {"content": "ก" * 3000}, RULE))
    (asked,) = zone.events("action_requested")
    digest = hashlib.sha256(("ก" * 3000).encode()).hexdigest()
    assert (outcome.result, asked["params"]) == (3000, {"content": f"(3000 characters, sha256 {digest})"})


async def test_a_call_is_recorded_done_and_told(zone: Zone) -> None:
    outcome = await zone.ask("open", "k1", width=2)
    assert (outcome.status, outcome.result, zone.calls) == ("done", "wide", [("gate.open", "k1")])
    assert [e["params"] for e in zone.events("action_requested")] == [{"width": 2}]
    assert [(e["key"], e["status"]) for e in zone.events("action_finished")] == [("k1", "done")]
    assert zone.journal.records(OWED) == []


async def test_the_same_key_is_done_once(zone: Zone) -> None:
    first, again = await zone.ask("open", "k1"), await zone.ask("open", "k1")
    assert first == again and zone.calls == [("gate.open", "k1")]


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        (Request("gate.jump", {}, RULE, "gate.a"), NotFound, "no action 'gate.jump'"),
        (Request("gate.open", {}, RULE, "gate.b"), NotFound, "no entity 'gate.b'"),
        (Request("gate.open", {}, RULE), InvalidInput, "no target was given"),
        (Request("gate.open", {"width": "x"}, RULE, "gate.a"), InvalidInput, "width"),
        (Request("gate.open", {"wide": 1}, RULE, "gate.a"), InvalidInput, "wide"),
        (Request("gate.open", {}, Actor("user:x"), "gate.a"), Denied, "gate.control is missing"),
    ],
)
async def test_what_is_refused_is_not_kept(zone: Zone, request_: Request, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        await zone.actions.call(request_)
    assert zone.events("action_requested") == [] and zone.calls == []


async def test_a_device_that_refuses_is_an_outcome(zone: Zone) -> None:
    async def refuse(call: Call) -> None:
        raise Unavailable("the gate is stuck")

    zone.actions.attach("gate.a", refuse)
    outcome = await zone.ask("open")
    assert (outcome.status, outcome.error["message"]) == ("failed", "the gate is stuck")


async def test_a_dangerous_action_waits_for_a_person(zone: Zone) -> None:
    asked = await zone.ask("blast")
    assert asked.status == "confirming" and zone.calls == []
    with pytest.raises(Denied, match="only a person"):
        await zone.actions.answer(asked.confirmation, RULE, True)
    done = await zone.actions.answer(asked.confirmation, OFFICER, True)
    assert (done.status, [name for name, _ in zone.calls]) == ("done", ["gate.blast"])
    with pytest.raises(Expired):
        await zone.actions.answer(asked.confirmation, OFFICER, True)


async def test_no_and_nobody(zone: Zone) -> None:
    refused = await zone.actions.answer((await zone.ask("blast")).confirmation, OFFICER, False)
    assert refused.status == "refused"
    await zone.ask("blast", "late")
    zone.clock.advance(60)
    await zone.pipeline.settled()
    assert [(e["key"], e["status"]) for e in zone.events("action_finished")][-1] == ("late", "expired")
    assert [e["answer"] for e in zone.events("confirmation_answered")] == ["no", "expired"] and zone.calls == []


@pytest.mark.parametrize(("verb", "status", "times"), [("open", "unknown", 0), ("close", "done", 1)])
async def test_after_a_restart_only_what_is_idempotent_is_sent_again(verb: str, status: str, times: int) -> None:
    before = await Zone().start(attach=False)
    before.actions.attach("gate.a", lambda call: asyncio.get_running_loop().create_future())  # the hub dies in it
    asking = asyncio.create_task(before.ask(verb, "k1"))
    await before.heard("action_requested")
    await before.actions.stop()
    asking.cancel()
    after = await Zone(before.journal, before.clock).start()
    await after.heard("action_finished")
    finished = after.events("action_finished")
    assert [(e["key"], e["status"]) for e in finished] == [("k1", status)] and len(after.calls) == times


async def test_a_confirmation_whose_answer_was_lost_can_be_answered_again(zone: Zone) -> None:
    asked = await zone.ask("blast", "k1")
    zone.journal.fail = ["confirmation_answered"]
    lost = await zone.actions.answer(asked.confirmation, OFFICER, True)
    assert lost.status == "failed" and "nothing was done" in str(lost.error) and zone.calls == []
    again = await zone.actions.answer(asked.confirmation, OFFICER, True)
    assert again.status == "done" and zone.calls == [("gate.blast", "k1")]


async def test_an_outcome_whose_commit_failed_is_written_again_and_the_device_is_not_called_twice(zone: Zone) -> None:
    zone.journal.fail = ["action_finished"]
    outcome = await zone.ask("open", "k1")
    assert outcome.status == "done" and zone.calls == [("gate.open", "k1")]
    assert [(e["key"], e["status"]) for e in zone.events("action_finished")] == [("k1", "done")]
    assert zone.journal.records(OWED) == []


async def test_a_call_whose_asking_was_lost_was_not_made(zone: Zone) -> None:
    zone.journal.fail = ["action_requested"]
    outcome = await zone.ask("open", "k1")
    assert outcome.status == "failed" and zone.calls == []
    assert (await zone.ask("open", "k1")).status == "done"
