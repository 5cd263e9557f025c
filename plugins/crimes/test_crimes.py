"""Looking up through the real hub and a gateway on loopback: what is asked and found stands nowhere afterwards."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.sdk import Denied, InvalidInput, ManualClock, Query
from hub.testing import Harness, contract, harness
from plugins.crimes import Settings, fake

HERE = Path(__file__).parent
PERSON = "1-6400-00000-00-0"
ASK = {"kind": "person", "value": PERSON, "purpose": "ตรวจสอบผู้ต้องสงสัยหน้าร้านทอง"}
TABLES = ("owed", "done", "audit", "audit_detail")


@asynccontextmanager
async def gateway() -> AsyncIterator[Mapping[str, Any]]:
    register = fake.FakeRegister()
    port = await register.start()
    yield {"url": f"http://127.0.0.1:{port}/crimes", "token": "demo-crimes-token", "answer_within_s": 1}
    await register.stop()


test_contract = contract(HERE, gateway, dead_config={"url": "http://127.0.0.1:9/crimes", "token": "t"})


class Station:
    """A hub with one open incident."""

    def __init__(self, hub: Harness, register: fake.FakeRegister) -> None:
        self.hub, self.register, self.incident = hub, register, ""

    async def ask(self, **more: Any) -> Any:
        params = {**ASK, "incident": self.incident, **more}
        return await self.hub.call("crimes.look_up", None, params, roles=["ccoc"])

    def written(self) -> str:
        """Everything that is written down: events, records of calls, the ledger."""
        journal = self.hub.app.journal
        events = [event.as_data() for event in journal.read(Query(limit=10_000))]
        return str(events) + "".join(str(journal.records(table)) for table in TABLES)

    def outcomes(self) -> list[str]:
        return [event.data["outcome"] for event in self.hub.events("looked_up")]


@asynccontextmanager
async def station(**more: Any) -> AsyncIterator[Station]:
    register = fake.FakeRegister()
    port = await register.start()
    config = {"url": f"http://127.0.0.1:{port}/crimes", "token": "demo-crimes-token", "answer_within_s": 1, **more}
    try:
        async with harness(HERE, config, beside=[{"plugin": "incident_desk"}]) as hub:
            made = Station(hub, register)
            opened = await hub.call("incident.open", None, {"kind": "test", "title": "เหตุทดสอบ"})
            made.incident = opened.result
            yield made
    finally:
        await register.stop()


async def test_a_hit_is_told_to_who_asked_and_written_down_nowhere() -> None:
    async with station() as at:
        outcome = await at.ask()
        assert (outcome.status, outcome.result["outcome"]) == ("done", "hit")
        assert "จำลอง: หมายจับ" in outcome.result["lines"][0]
        assert at.register.asked[0]["value"] == PERSON and at.register.asked[0]["officer"] == "user:test"
        miss = await at.ask(value="ไม่มีคนนี้")
        assert (miss.result["outcome"], miss.result["lines"]) == ("no_hit", [])
        written = at.written()
        assert "crimes.look_up" in written and at.incident in written
        assert PERSON not in written and "หมายจับ" not in written and "ไม่มีคนนี้" not in written


async def test_who_when_why_and_hit_or_not_stand_in_the_journal_and_the_audit_ledger() -> None:
    async with station() as at:
        await at.ask()
        (event,) = at.hub.events("looked_up")
        assert {key: event.data[key] for key in ("registry", "by", "subject_kind", "incident", "outcome")} == {
            "registry": "crimes", "by": "user:test", "subject_kind": "person", "incident": at.incident,
            "outcome": "hit",
        }  # fmt: skip
        entries = [row for _, row in at.hub.app.journal.records("audit")]
        (entry,) = [row for row in entries if row["what"] == "register.look_up"]
        assert (entry["who"], entry["purpose"], entry["detail"]["outcome"]) == ("user:test", at.incident, "hit")
        details = [row["personal"] for _, row in at.hub.app.journal.records("audit_detail")]
        assert {"purpose": ASK["purpose"]} in details


async def test_no_look_up_without_an_open_incident_a_reason_and_the_right() -> None:
    async with station() as at:
        for wrong in ({"purpose": "x"}, {"kind": "face"}, {"value": "x" * 101}, {"value": 5}, {"colour": "red"}):
            with pytest.raises(InvalidInput):
                await at.ask(**wrong)
        none = await at.ask(incident="incident.nothing")
        assert none.error["where"] == "incident" and "is no incident" in none.error["message"]
        with pytest.raises(Denied):
            await at.hub.call("crimes.look_up", None, {**ASK, "incident": at.incident}, roles=["patrol"])
        await at.hub.call("incident.close", at.incident, {"result": "resolved"})
        closed = await at.ask()
        assert "is closed" in closed.error["message"]
        assert (at.register.asked, at.outcomes()) == ([], [])


async def test_an_officer_cannot_ask_without_end() -> None:
    async with station(per_hour=2) as at:
        statuses = [(await at.ask()).status for _ in range(3)]
        assert statuses == ["done", "done", "failed"] and len(at.register.asked) == 2


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("garbage", "the answer is no JSON"), ("huge", "the answer is over 256 KB"),
        ("types", "no field hit that is true or false"), ("500", "it answered HTTP 500"),
        ("silent", "no answer in 1 s"),
    ],
)  # fmt: skip
async def test_a_broken_answer_is_named_and_the_next_works(how: str, words: str) -> None:
    async with station() as at:
        at.register.spoilt = how
        outcome = await at.ask()
        assert outcome.status == "failed" and words in outcome.error["message"] and PERSON not in str(outcome.error)
        assert words in at.hub.supervised.reason
        assert (await at.ask()).status == "done"
        assert (at.outcomes(), at.hub.supervised.reason) == (["failed", "hit"], "")


async def test_by_hand_only_who_asked_enters_hit_or_not() -> None:
    async with harness(HERE, {}, beside=[{"plugin": "incident_desk"}]) as hub:
        incident = (await hub.call("incident.open", None, {"kind": "test", "title": "เหตุ"})).result
        asked = await hub.call("crimes.look_up", None, {**ASK, "incident": incident})
        assert asked.result["outcome"] == "waiting"
        await hub.restart()
        params = {"request": asked.result["request"], "hit": True}
        assert (await hub.call("crimes.enter_result", None, params)).status == "done"
        again = await hub.call("crimes.enter_result", None, params)
        assert again.error is not None and "waits for a result" in again.error["message"]
        assert [event.data["outcome"] for event in hub.events("looked_up")] == ["waiting", "hit"]


async def test_a_look_up_by_hand_that_nobody_closes_ends_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    async with harness(HERE, {}, beside=[{"plugin": "incident_desk"}], clock=clock) as hub:
        monkeypatch.setattr(sys.modules["hub_plugins.crimes.desk"], "MAX_WAITING", 1)
        incident = (await hub.call("incident.open", None, {"kind": "test", "title": "เหตุ"})).result
        asked = await hub.call("crimes.look_up", None, {**ASK, "incident": incident})
        full = await hub.call("crimes.look_up", None, {**ASK, "incident": incident})
        assert full.error is not None and "wait for a result" in full.error["message"]
        clock.advance(86_300)
        await hub.restart()  # the time is kept with the question
        clock.advance(200)
        late = await hub.wait_event("looked_up", match={"outcome": "failed"})
        assert (late.data["request"], late.data["by"]) == (asked.result["request"], "user:test")
        await hub.until(lambda: hub.state("register.crimes").attributes["waiting"] == 0)  # type: ignore[union-attr]
        again = await hub.call("crimes.look_up", None, {**ASK, "incident": incident})
        assert again.result["outcome"] == "waiting"


@pytest.mark.parametrize(
    ("url", "words"), [("ftp://x", "an address such as"), ("http://10.0.0.5/crimes", "https:// only")]
)
def test_wrong_addresses_are_named(url: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(url=url)
