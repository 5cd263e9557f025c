"""The inbox in the real hub: every door's report once, answered, merged, followed to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.capabilities import ReportAdded, ReportReceived
from hub.sdk import Denied, InvalidInput, NotFound
from hub.testing import Harness, contract, harness

HERE = Path(__file__).parent
AT = (17.0079, 99.8228)

test_contract = contract(HERE, {})


@pytest.fixture
async def hub() -> AsyncIterator[Harness]:
    async with harness(HERE, {"repeated_count": 3}) as made:
        yield made


def report(receipt: str, **more: Any) -> ReportReceived:
    fields = {"door": "qr", "channel": "qr", "text": "ไฟไหม้ตลาด", "received_at": 1.0, "lat": AT[0], "lon": AT[1]}
    return ReportReceived(**{"receipt": receipt, **fields, **more})


async def filed(hub: Harness, receipt: str, **more: Any) -> str:
    now = hub.app.clock.now()
    await hub.emit(report(receipt, **{"received_at": now, **more}))
    event = await hub.wait_event("report_filed", match={"receipt": receipt})
    assert event.entity is not None
    await hub.wait_event("report_conversation", entity=event.entity)
    return event.entity


async def test_a_report_is_filed_once_however_often_it_is_told(hub: Harness) -> None:
    entity = await filed(hub, "K7M-2QX", reporter="0812345678", place="ตลาด")
    await hub.emit(report("K7M-2QX", text="อีกครั้ง"))
    await filed(hub, "AAA-AAA")
    assert entity == "report.k7m_2qx"
    state = hub.state(entity)
    assert state is not None and state.state == "received"
    assert [state.attributes[name] for name in ("receipt", "channel", "text", "place", "reporter")] == [
        "K7M-2QX", "qr", "ไฟไหม้ตลาด", "ตลาด", "0812345678",
    ]  # fmt: skip
    assert len([event for event in hub.events("report_filed") if event.entity == entity]) == 1


async def test_an_answer_goes_to_the_door_and_stands_in_the_conversation(hub: Harness) -> None:
    entity = await filed(hub, "K7M-2QX")
    await hub.emit(ReportAdded(receipt="K7M-2QX", text="ควันมากขึ้น", media=["abc"]))
    await hub.until(lambda: len(hub.events("report_conversation", entity=entity)) == 2)
    outcome = await hub.call("report.answer", entity, {"text": "รถดับเพลิงกำลังไป"}, roles=["ccoc"])
    assert outcome.status == "done"
    answered = hub.events("report_answered")[0]
    assert dict(answered.data) == {
        "receipt": "K7M-2QX", "door": "qr", "text": "รถดับเพลิงกำลังไป", "by": "user:test",
    }  # fmt: skip
    state = hub.state(entity)
    assert state is not None and state.state == "seen"
    assert [(row["by"], row["text"]) for row in state.attributes["messages"]] == [
        ("reporter", "ไฟไหม้ตลาด"), ("reporter", "ควันมากขึ้น"), ("user:test", "รถดับเพลิงกำลังไป"),
    ]  # fmt: skip
    assert state.attributes["media"] == ["abc"]


async def test_who_may_not_answer_is_refused(hub: Harness) -> None:
    entity = await filed(hub, "K7M-2QX")
    with pytest.raises(Denied):
        await hub.call("report.answer", entity, {"text": "x"}, roles=["municipality"])
    assert hub.events("report_answered") == []


async def test_merging_and_unmerging_keep_both_and_their_reasons(hub: Harness) -> None:
    one, two = await filed(hub, "AAA-AAA"), await filed(hub, "BBB-BBB", lat=17.1)
    assert (await hub.call("report.merge", two, {"into": one, "reason": "ที่เดียวกัน"})).status == "done"
    state = hub.state(two)
    assert state is not None and (state.attributes["merged_into"], state.state) == (one, "received")
    loop = await hub.call("report.merge", one, {"into": two, "reason": "x"})
    assert loop.error is not None and "itself merged" in loop.error["message"]
    alone = await hub.call("report.merge", one, {"into": one, "reason": "x"})
    assert alone.error is not None and "no other report" in alone.error["message"]
    assert (await hub.call("report.unmerge", two, {"reason": "คนละเรื่อง"})).status == "done"
    state = hub.state(two)
    assert state is not None and state.attributes["merged_into"] is None
    assert [event.data["reason"] for event in hub.events("report_merged")] == ["ที่เดียวกัน", "คนละเรื่อง"]


async def test_a_telephone_note_gets_a_receipt_and_is_one_however_often_it_is_sent(hub: Harness) -> None:
    first = await hub.call("inbox.note", None, {"text": "เสียงดัง", "place": "ซอย 3"}, roles=["ccoc"], key="k1")
    again = await hub.call("inbox.note", None, {"text": "เสียงดัง", "place": "ซอย 3"}, roles=["ccoc"], key="k1")
    assert (first.status, again.result) == ("done", first.result)
    event = await hub.wait_event("report_filed", match={"receipt": first.result})
    assert (event.data["channel"], event.data["door"], event.data["place"]) == ("phone", "inbox", "ซอย 3")
    assert len(hub.events("report_received")) == 1


async def test_three_reports_from_one_place_are_said_once(hub: Harness) -> None:
    await filed(hub, "AAA-AAA")
    await filed(hub, "BBB-BBB", lat=17.0081)  # 22 m away
    await filed(hub, "FAR-FAR", lat=17.02)  # 1.3 km away
    assert hub.events("reports_repeated") == []
    await filed(hub, "CCC-CCC")
    repeated = await hub.wait_event("reports_repeated")
    assert (repeated.data["count"], repeated.data["receipts"]) == (3, ["AAA-AAA", "BBB-BBB", "CCC-CCC"])
    await filed(hub, "DDD-DDD")
    assert len(hub.events("reports_repeated")) == 1


async def test_closing_tells_the_reporter_and_is_kept_after_a_restart_of_the_plugin(hub: Harness) -> None:
    entity = await filed(hub, "K7M-2QX")
    await hub.call("report.close", entity, {"result": "ดับไฟแล้ว"})
    changed = hub.events("report_status_changed")[-1]
    assert (changed.data["status"], changed.data["result"], changed.data["door"]) == ("closed", "ดับไฟแล้ว", "qr")
    await hub.restart()
    again = await hub.call("report.take", entity)
    assert again.error is not None and "closed" in again.error["message"]


async def test_five_kinds_of_bad_words_change_nothing(hub: Harness) -> None:
    entity = await filed(hub, "K7M-2QX")
    before = len(hub.events())
    for params in ({"text": ""}, {"text": "x" * 2_001}, {"text": 5}, {"words": "x"}):
        with pytest.raises(InvalidInput):
            await hub.call("report.answer", entity, params)
    with pytest.raises(NotFound):
        await hub.call("report.answer", "report.zzz_zzz", {"text": "x"})
    assert len(hub.events()) == before
    await hub.emit(ReportAdded(receipt="ZZZ-ZZZ", text="ไม่มีเรื่องนี้"))  # of a report nobody knows
    await filed(hub, "AAA-AAA")
    assert hub.supervised.state == "running"
