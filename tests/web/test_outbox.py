"""The outbox over HTTP: who sees what of it, who may send a dead letter again, and what the ledger says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

import pytest

from hub.access.audit import entries
from hub.core import outbox
from hub.core.action import Call
from hub.core.actions import Request
from hub.core.bus import Subscription
from hub.core.error import HubError, NotFound, Unavailable
from hub.core.journal import Query
from tests.web.conftest import WITHIN_S, Door, Start

KEY = "run:actions/0/1:0:light.own"
RULE = """
- id: lamps
  alias: lamps
  triggers: {trigger: event, event_type: light_fault}
  actions:
    - {action: light.turn_on, target: {entity_id: light.own}, data: {brightness_pct: 30}}
    - {action: light.turn_off, target: {entity_id: light.other}}
"""


class Lamps:
    """Two lamps, ``light.own`` of the partner; ``says``: what they answer, one a call."""

    def __init__(self, door: Door) -> None:
        self.door, self.calls, self.says = door, list[Call](), list[HubError]()
        for name, owner in (("light.own", "gold_shop_1"), ("light.other", None)):
            about = {"capabilities": ["light"], "owner": owner}
            door.emit("entity_added", {"description": about}, name)
            door.app.actions.attach(name, self.device)

    async def device(self, call: Call) -> str:
        self.calls.append(call)
        if self.says:
            raise self.says.pop(0)
        return "lit"

    async def dead(self, key: str = KEY, target: str = "light.own") -> None:
        """A dead letter."""
        self.says = [Unavailable("the lamp is away")] * 5
        actions = self.door.app.actions
        publisher = self.door.folks.accounts.need("is_ccoc").actor()
        assert actions.owe(Request("light.turn_on", {"brightness_pct": 30}, publisher, target, key=key)) == key
        await until(self.door, lambda: any(one.due is None and one.call.key == key for one in actions.outbox()))


async def until(door: Door, so: Callable[[], bool]) -> None:
    """Looked at after each commit."""
    heard = asyncio.Event()
    door.app.pipeline.committed.add(Subscription(lambda event, change: heard.set()))
    async with asyncio.timeout(WITHIN_S):
        while not so():
            heard.clear()
            await heard.wait()
    await door.app.pipeline.settled()


@pytest.fixture
async def lamps(door: Door, monkeypatch: pytest.MonkeyPatch) -> Lamps:
    monkeypatch.setattr(outbox, "FIRST_DELAY_S", 0.0001)
    return Lamps(door)


def audited(door: Door, verb: str) -> list[tuple[str, str]]:
    return [(one["who"], one["subject"]) for one in entries(door.app.journal) if one["what"] == verb]


async def test_the_list_is_masked_and_narrowed_as_action_events_are(door: Door, lamps: Lamps) -> None:
    await lamps.dead()
    await lamps.dead("run:2", "light.other")
    status, seen = await door.ask("GET", "/api/outbox", "ccoc")
    assert (status, seen["waiting"], seen["dead"]) == (200, 0, 2)
    newest, older = seen["entries"]
    assert (newest["key"], older["key"]) == ("run:2", KEY)
    assert older | {
        "state": "dead", "action": "light.turn_on", "target": "light.own", "right": "light.control",
        "params": {"brightness_pct": 30}, "tries": 5, "due": None, "whole": True,
    } == older  # fmt: skip
    assert older["error"]["message"] == "the lamp is away" and older["title"]["en"]
    token = door.folks.tokens["ccoc"].split("_")[1]
    assert audited(door, "outbox.read") == [(f"token:{token}", "outbox")]
    _, brief = await door.ask("GET", "/api/outbox?params=0&limit=1", "ccoc")
    assert len(brief["entries"]) == 1 and brief["dead"] == 2 and "params" not in brief["entries"][0]
    _, masked = await door.ask("GET", "/api/outbox", "display")
    assert [one["params"] for one in masked["entries"]] == ["•••", "•••"]
    assert len(audited(door, "outbox.read")) == 1
    _, own = await door.ask("GET", "/api/outbox", "partner")
    assert (own["dead"], [one["target"] for one in own["entries"]]) == (1, ["light.own"])
    assert (await door.ask("GET", "/api/outbox", "nothing"))[0] == 403


async def test_a_person_with_the_right_sends_it_again_and_the_ledger_says_so(door: Door, lamps: Lamps) -> None:
    await lamps.dead()
    path = f"/api/outbox/{quote(KEY, safe='')}"
    for method, end in (("POST", "/retry"), ("DELETE", "")):
        refused, answer = await door.ask(method, path + end, "display")
        assert (refused, answer["error"]["code"]) == (403, "denied")
    assert len(lamps.calls) == 5 and audited(door, "outbox.retry") == []
    signed = await door.signed_in("ccoc")
    status, outcome = await door.ask("POST", f"{path}/retry", headers=signed)
    assert (status, outcome["status"], outcome["key"]) == (200, "done", KEY)
    assert [(call.key, call.actor) for call in lamps.calls[-1:]] == [(KEY, "user:is_ccoc")]
    assert audited(door, "outbox.retry") == [("user:is_ccoc", KEY)]
    assert (await door.ask("GET", "/api/outbox", "ccoc"))[1]["entries"] == []
    assert (await door.ask("POST", f"{path}/retry", headers=signed))[0] == 404


async def test_a_letter_is_removed(door: Door, lamps: Lamps) -> None:
    await lamps.dead()
    signed = await door.signed_in("ccoc")
    status, gone = await door.ask("DELETE", f"/api/outbox/{quote(KEY, safe='')}", headers=signed)
    assert (status, gone) == (200, {"key": KEY, "action": "light.turn_on", "target": "light.own"})
    assert audited(door, "outbox.remove") == [("user:is_ccoc", KEY)]
    assert (await door.ask("GET", "/api/outbox", "ccoc"))[1]["dead"] == 0


async def test_a_rule_that_waits_hears_only_the_final_outcome(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "FIRST_DELAY_S", 0.0001)
    door = await start(automations=RULE, memory=False)
    lamps = Lamps(door)
    lamps.says = [Unavailable("away"), Unavailable("away")]
    door.emit("light_fault", {"kind": "disobeys", "detail": "dark"}, "light.other")
    await until(door, lambda: len(lamps.calls) == 4)
    assert [call.action for call in lamps.calls] == ["light.turn_on"] * 3 + ["light.turn_off"]
    assert len({call.key for call in lamps.calls[:3]}) == 1
    await until(door, lambda: len(finished(door)) == 2)
    assert finished(door) == ["done", "done"]
    lamps.says = [NotFound("no such lamp")]
    door.emit("light_fault", {"kind": "disobeys", "detail": "dark"}, "light.other")
    await until(door, lambda: len(finished(door)) == 3)
    assert finished(door)[2] == "failed" and len(lamps.calls) == 5  # the rule stops at its failed step


def finished(door: Door) -> list[str]:
    return [event.data["status"] for event in door.app.journal.read(Query(type="action_finished", limit=1000))]
