"""A citizen on LINE and the control centre, through the real hub: receipt, pictures, answers, once each."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from linebot.v3.messaging import models as sdk  # type: ignore[import-untyped]
from linebot.v3.webhooks import CallbackRequest  # type: ignore[import-untyped]

from hub.capabilities import ReportAnswered, ReportStatusChanged
from hub.sdk import InvalidInput
from hub.testing import Harness, harness
from plugins.line_oa import fake

HERE = Path(__file__).parent
USER, OTHER = "U" + "1" * 32, "U" + "2" * 32


class Talk:
    """The platform and the hub."""

    def __init__(self, line: fake.LinePlatform, hub: Harness) -> None:
        self.line, self.hub = line, hub

    async def write(self, *events: dict[str, Any]) -> None:
        raw, _ = self.line.body(events)
        assert CallbackRequest.from_json(raw.decode()).events  # LINE's own models take it
        assert await self.line.deliver(self.hub.hook("webhook"), events) == 200

    async def sent(self, count: int) -> list[dict[str, Any]]:
        """The first ``count`` messages that LINE took."""
        async with asyncio.timeout(10):
            while len(self.line.sent) < count:
                self.line.arrived.clear()
                await self.line.arrived.wait()
        for one in self.line.sent:
            judged = sdk.PushMessageRequest.from_dict({"to": one["to"][0], "messages": one["messages"]})
            assert judged.messages[0].text
        return list(self.line.sent)

    def tell(self, name: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in self.hub.events(name)]


@asynccontextmanager
async def talking(**more: Any) -> AsyncIterator[Talk]:
    line = fake.LinePlatform()
    url = f"http://127.0.0.1:{await line.start()}"
    config = {"channel_token": "demo-line-token", "channel_secret": "demo-line-secret", "answer_within_s": 2,
              "base_url": url, "data_url": url, **more}  # fmt: skip
    try:
        async with harness(HERE, config) as hub:
            yield Talk(line, hub)
    finally:
        await line.stop()


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with talking() as made:
        yield made


async def test_who_writes_gets_a_receipt_for_free_and_more_belongs_to_it(talk: Talk) -> None:
    await talk.write(talk.line.text_event("ไฟไหม้ตลาด", user=USER))
    (reply,) = await talk.sent(1)
    (report,) = talk.tell("report_received")
    assert (report["channel"], report["door"], report["text"], report["reporter"]) == (
        "line", "line_oa", "ไฟไหม้ตลาด", USER,
    )  # fmt: skip
    assert (reply["kind"], reply["to"]) == ("reply", [USER])
    assert report["receipt"] in reply["messages"][0]["text"]
    await talk.write(talk.line.location_event(17.01, 99.82, user=USER))
    await talk.write(talk.line.text_event("คนละคน", user=OTHER))
    (added,) = talk.tell("report_added")
    assert (added["receipt"], added["lat"], added["lon"]) == (report["receipt"], 17.01, 99.82)
    assert len({one["receipt"] for one in talk.tell("report_received")}) == 2


async def test_the_same_event_delivered_again_is_one_report(talk: Talk) -> None:
    event = talk.line.text_event("ครั้งเดียว", user=USER)
    await talk.write(event)
    await talk.write(event | {"deliveryContext": {"isRedelivery": True}})
    await talk.write(talk.line.text_event("อีกเรื่อง", user=OTHER))
    assert [one["text"] for one in talk.tell("report_received")] == ["ครั้งเดียว", "อีกเรื่อง"]


async def test_a_picture_is_fetched_and_kept(talk: Talk) -> None:
    await talk.write(talk.line.image_event(b"\xff\xd8picture", user=USER))
    added = await talk.hub.wait_event("report_added")
    (report,) = talk.tell("report_received")
    assert (added.data["receipt"], report["text"]) == (report["receipt"], "[ภาพ]")
    assert await talk.hub.app.media.get(added.data["media"][0]) == (b"\xff\xd8picture", "image/jpeg")


async def test_answers_and_the_end_reach_the_reporter_once_even_when_line_was_away(talk: Talk) -> None:
    await talk.write(talk.line.text_event("ช่วยด้วย", user=USER))
    await talk.sent(1)
    receipt = talk.tell("report_received")[0]["receipt"]
    talk.line.failures.append(fake.Failure(500, 3))
    answered = ReportAnswered(receipt=receipt, door="line_oa", text="กำลังไป", by="user:noi")
    await talk.hub.emit(answered, entity="report.x")
    closed = ReportStatusChanged(receipt=receipt, door="line_oa", status="closed", by="user:noi", result="เรียบร้อย")
    await talk.hub.emit(closed, entity="report.x")
    other = ReportAnswered(receipt=receipt, door="qr", text="ไม่ใช่ของเรา", by="user:noi")
    await talk.hub.emit(other, entity="report.x")
    texts = [one["messages"][0]["text"] for one in await talk.sent(3)][1:]
    assert sorted(text.splitlines()[0] for text in texts) == sorted([
        "กำลังไป", "ปิดเรื่องแล้ว ขอบคุณที่แจ้ง / This report is closed. Thank you",
    ])  # fmt: skip
    assert {tuple(one["to"]) for one in talk.line.sent} == {(USER,)}
    await talk.write(talk.line.text_event("เรื่องใหม่", user=USER))  # the closed one is not gone on with
    assert len(talk.tell("report_received")) == 2


async def test_an_expired_token_loses_neither_receipt_nor_picture_and_is_named(talk: Talk) -> None:
    talk.line.token = "a newer one"
    await talk.write(talk.line.text_event("ช่วยด้วย", user=USER), talk.line.image_event(b"\xff\xd8p", user=USER))
    await talk.hub.until(lambda: [one for one in talk.tell("instance_changed") if "does not allow" in one["reason"]])
    talk.line.token = "demo-line-token"
    (reply,) = await talk.sent(1)
    assert talk.tell("report_received")[0]["receipt"] in reply["messages"][0]["text"]
    await talk.hub.until(lambda: [one for one in talk.tell("report_added") if one["media"]], 15)
    assert talk.tell("line_given_up") == []


async def test_a_picture_of_an_odd_kind_is_kept_and_holds_up_nothing(talk: Talk) -> None:
    await talk.write(talk.line.image_event(b"odd", "application/x_odd", user=USER))
    added = await talk.hub.wait_event("report_added")
    assert await talk.hub.app.media.get(added.data["media"][0]) == (b"odd", "application/octet-stream")


async def test_what_cannot_be_kept_holds_up_nothing_behind_it(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object, **__: object) -> str:
        raise InvalidInput("no such picture")

    monkeypatch.setattr(talk.hub.app.media, "put", refused)
    await talk.write(talk.line.image_event(b"\xff\xd8p", user=USER), talk.line.text_event("อีกคน", user=OTHER))
    given_up = await talk.hub.wait_event("line_given_up")
    receipt = talk.tell("report_received")[0]["receipt"]
    assert dict(given_up.data) == {"receipt": receipt, "what": "picture", "reason": "no such picture"}
    assert {one["to"][0] for one in await talk.sent(2)} == {USER, OTHER}


async def test_giving_up_is_an_event_that_an_officer_sees(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["hub_plugins.line_oa.door"], "MAX_TRIES", 1)
    talk.line.failures.append(fake.Failure(500, 9))
    await talk.write(talk.line.text_event("ช่วยด้วย", user=USER))
    given_up = await talk.hub.wait_event("line_given_up", timeout=15)
    assert given_up.data["what"] == "message"
    assert given_up.data["reason"].startswith("not done in 1 tries: LINE has trouble")

    def shown() -> bool:
        state = talk.hub.state("line.line_oa")
        return state is not None and "not done in 1 tries" in str(state.attributes.get("last_error"))

    await talk.hub.until(shown)


async def test_half_a_letter_costs_no_other_word(talk: Talk) -> None:
    event = talk.line.text_event("ช่วย\ud83d", user=USER)
    raw = json.dumps({"destination": "U", "events": [event]}).encode()
    signature = base64.b64encode(hmac.digest(talk.line.secret.encode(), raw, hashlib.sha256)).decode()
    headers, hook = {"X-Line-Signature": signature}, talk.hub.hook("webhook")
    async with aiohttp.ClientSession() as http, http.post(hook, data=raw, headers=headers) as answer:
        assert answer.status == 200
    assert [one["text"] for one in talk.tell("report_received")] == ["ช่วย?"]


async def test_what_is_owed_survives_a_restart_of_the_plugin() -> None:
    async with talking() as talk:
        await talk.write(talk.line.text_event("ช่วยด้วย", user=USER))
        await talk.sent(1)
        receipt = talk.tell("report_received")[0]["receipt"]
        talk.line.failures.append(fake.Failure(500, 3))
        await talk.hub.unload()
        await talk.hub.emit(ReportAnswered(receipt=receipt, door="line_oa", text="กำลังไป", by="u"), entity="report.x")
        talk.line.failures.clear()
        assert await talk.hub.restart() == "running"
        assert (await talk.sent(2))[1]["messages"][0]["text"].startswith("กำลังไป")
