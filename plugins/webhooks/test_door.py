"""Hooks in the real hub: what is taken, once and durable; what is refused, and that it harms nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.sdk import ManualClock, Query
from hub.testing import Harness, contract, harness
from plugins.webhooks.fake import JSON, Sender

HERE = Path(__file__).parent
NAME = {"th": "ก", "en": "A"}
OPEN, SIGNED, READ = "an-open-hooks-secret", "a signed hook's secret", "a-secret-of-a-gauge"
CONFIG: dict[str, Any] = {"hooks": [
    {"id": "alarm", "name": NAME, "secret": OPEN, "per_minute": 20},
    {"id": "button", "name": NAME, "secret": SIGNED, "sign": True, "per_minute": 20},
    {"id": "gauge", "name": NAME, "secret": READ, "methods": ["GET"]},
]}  # fmt: skip
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOTHING = {"error": {"code": "not_found", "message": "there is nothing here", "where": "", "hint": ""}}

test_contract = contract(HERE, CONFIG)


@pytest.fixture
async def hub() -> AsyncIterator[Harness]:
    async with harness(HERE, CONFIG) as made:
        yield made


def sender(hub: Harness, hook: str = "alarm", secret: str = "", **more: Any) -> Sender:
    known = {"alarm": OPEN, "button": SIGNED, "gauge": READ}
    return Sender(hub.hook(""), hook, secret or known.get(hook, "x" * 20), sign=hook == "button", **more)


def received(hub: Harness) -> list[dict[str, Any]]:
    return [dict(event.data) for event in hub.events("webhook_received")]


async def counts(hub: Harness, hook: str, refused: int) -> dict[str, Any]:
    """What the page says when that many were refused."""
    def shown() -> dict[str, Any] | None:
        state = hub.state(hook)
        return dict(state.attributes) if state is not None and state.attributes.get("refused") == refused else None

    return await hub.until(shown)


async def test_json_a_form_and_a_query_are_events(hub: Harness) -> None:
    alarm, gauge = sender(hub), sender(hub, "gauge")
    assert await alarm.send({"text": "ไฟดับ", "n": [1, {"a": None}]}) == (200, {"status": "taken"})
    assert (await alarm.send_raw("text=น้ำ&n=2".encode(), FORM, method="PUT", query="?from=a"))[0] == 200
    assert (await gauge.send_raw(b"", {}, method="GET", query="?level=71&unit=cm"))[0] == 200
    first, second, third = received(hub)
    shown = {"webhook_id": "alarm", "local": True, "delivery": "", "query": {}, "data": {}}
    assert first == shown | {
        "method": "POST", "content_type": "application/json", "json": {"text": "ไฟดับ", "n": [1, {"a": None}]},
    }  # fmt: skip
    assert (second["method"], second["json"], second["data"]) == ("PUT", None, {"text": "น้ำ", "n": "2"})
    assert second["query"] == {"from": "a"}
    assert (third["webhook_id"], third["method"], third["query"]) == ("gauge", "GET", {"level": "71", "unit": "cm"})
    assert [event.entity for event in hub.events("webhook_received")] == ["webhook.alarm"] * 2 + ["webhook.gauge"]
    assert {event.source for event in hub.events("webhook_received")} == {"instance:webhooks"}


async def test_what_people_wrote_is_personal(hub: Harness) -> None:
    kind = hub.app.pipeline.types.need("webhook_received")
    assert dict(kind.personal) == {"json": "text", "data": "text", "query": "text"}


async def test_a_signed_request_is_taken_once_also_after_a_restart(hub: Harness) -> None:
    button = sender(hub, "button")
    body = json.dumps({"text": "กดปุ่ม"}).encode()
    headers = JSON | button.signed(body)
    answers = await asyncio.gather(*(button.send_raw(body, headers) for _ in range(4)))
    assert sorted(answer["status"] for _, answer in answers) == ["known"] * 3 + ["taken"]
    await hub.restart()
    assert await button.send_raw(body, headers) == (200, {"status": "known"})
    (event,) = received(hub)
    assert headers["X-Signature"].endswith(f"v1={event['delivery']}")
    other = JSON | button.signed(body, button.now() - 60)
    assert await button.send_raw(body, other) == (200, {"status": "taken"})


async def test_a_signature_is_good_for_five_minutes_and_a_replay_never() -> None:
    clock = ManualClock(1_800_000_000.0)
    async with harness(HERE, CONFIG, clock=clock) as hub:
        button = sender(hub, "button", now=clock.now)
        body = b'{"n": 1}'
        early = JSON | button.signed(body, clock.now() + 300)
        assert (await button.send_raw(body, early))[1] == {"status": "taken"}
        clock.advance(600)
        assert (await button.send_raw(body, early))[1] == {"status": "known"}
        clock.advance(1)
        status, answer = await button.send_raw(body, early)
        assert (status, answer["error"]["message"]) == (401, "signed 301 s away from this clock; look at both clocks")
        assert len(received(hub)) == 1


async def test_who_is_not_meant_hears_the_same_of_every_address(hub: Harness) -> None:
    alarm, body = sender(hub), b'{"a": 1}'
    wrong = [
        sender(hub, "nothere"), sender(hub, "alarm", "x" * 20), sender(hub, "alarm", OPEN + "x"),
        sender(hub, "alarm", "ก" * 20), sender(hub, "alarm", f"{OPEN}/more"),
    ]  # fmt: skip
    for one in wrong:
        assert await one.send_raw(body, JSON) == (404, NOTHING)
    for method in ("GET", "DELETE", "OPTIONS"):
        assert await alarm.send_raw(body, JSON, method=method) == (404, NOTHING)
        assert await wrong[0].send_raw(body, JSON, method=method) == (404, NOTHING)
    assert await alarm.send_raw(body, JSON, address=hub.hook("")) == (404, NOTHING)
    assert await alarm.send_raw(body, JSON, address=hub.hook("alarm")) == (404, NOTHING)
    assert await alarm.send_raw(b"x" * 70_000, JSON, address=hub.hook("alarm/guess")) == (404, NOTHING)
    button, stranger = sender(hub, "button"), sender(hub, "button", "another signed secret")
    for headers in ({}, stranger.signed(body), button.signed(b"other"), {"X-Signature": "t=1,v1=x"}):
        assert await button.send_raw(body, JSON | headers) == (404, NOTHING)
    assert await button.send_raw(body, JSON | button.signed(body), address=hub.hook("button/x")) == (404, NOTHING)
    named = hub.hook("button/a%20signed%20hook's%20secret")
    assert await button.send_raw(body, JSON, address=named) == (404, NOTHING)
    assert received(hub) == []
    # an unlisted method is the hub's own 405, whether there is a hook or not
    assert {(await one.send_raw(body, JSON, method="PATCH"))[0] for one in (alarm, *wrong)} == {405}


async def test_the_page_names_what_is_wrong() -> None:
    clock = ManualClock()
    async with harness(HERE, CONFIG, clock=clock) as hub:
        said = []
        for wanted, (one, method, body, headers) in enumerate([
            (sender(hub, secret="x" * 20), "POST", b"{}", JSON), (sender(hub), "DELETE", b"{}", JSON),
            (sender(hub), "POST", b"{", JSON), (sender(hub), "POST", b"x" * 65_537, JSON),
            (sender(hub), "POST", b"{}", {"Content-Type": "text/xml"}),
        ], 1):  # fmt: skip
            await one.send_raw(body, headers, method=method)
            clock.advance(10)
            said.append((await counts(hub, "webhook.alarm", wanted))["last_error"])
        assert said[:2] == ["the last part of the address is not the secret", "DELETE is not one of methods"]
        assert said[2].startswith("not JSON in UTF-8: ")
        assert said[3] == "the body has 65537 bytes; at most 65536 are taken"
        assert said[4].startswith("the content type 'text/xml' is not taken")
        await sender(hub, "nothere").send({})
        clock.advance(10)
        assert (await counts(hub, "webhook_door.webhooks", 1))["last_error"] == "the address names no hook"
        assert (await sender(hub).send({}))[0] == 200
        clock.advance(10)
        await hub.until(lambda: (state := hub.state("webhook.alarm")) and state.attributes["received"] == 1)


async def test_bad_input_is_refused_by_name_and_the_next_good_one_is_taken(hub: Harness) -> None:
    alarm, button = sender(hub), sender(hub, "button")
    for body, status in (
        (b"{", 400), (b"\xff\xfe\xfd", 400), (b"\x00" * 9, 400), (b"[" * 50_000, 400), (b'"' + b"x" * 70_000, 413),
        (b"x" * (2 << 20), 413), (b'{"a": 1e999}', 400),
    ):  # fmt: skip
        got, answer = await alarm.send_raw(body, JSON)
        assert (got, set(answer)) == (status, {"error"})
    assert (await alarm.send_raw(b"a=%FF", FORM))[0] == 400
    assert (await alarm.send_raw(b"{}", {"Content-Type": "image/png"}))[0] == 415
    status, answer = await button.send_raw(b"{}", JSON | button.signed(b"{}"), query="?a=1")
    assert (status, answer["error"]["message"].partition(":")[0]) == (
        400, "the signature does not cover what stands behind the ?"
    )  # fmt: skip
    assert received(hub) == []
    assert await alarm.send({"good": True}) == (200, {"status": "taken"})
    assert [one["json"] for one in received(hub)] == [{"good": True}]
    assert hub.events("fault") == []


async def test_a_request_that_stops_in_the_middle_harms_nobody(hub: Harness) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    head = f"POST /hook/webhooks/alarm/{OPEN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(head.encode() + b'Content-Length: 500\r\n\r\n{"a":')
    await writer.drain()
    assert (await sender(hub).send({"b": 1}))[0] == 200
    writer.close()
    assert [one["json"] for one in received(hub)] == [{"b": 1}]


async def test_a_flood_is_limited_and_others_go_on(hub: Harness) -> None:
    answers = await asyncio.gather(*(sender(hub).send({"n": n}) for n in range(50)))
    statuses = [status for status, _ in answers]
    assert (statuses.count(200), statuses.count(429)) == (20, 30)
    kept = [one["json"]["n"] for one in received(hub)]
    assert sorted(kept) == [n for n, status in enumerate(statuses) if status == 200]
    neighbour = sender(hub, local="127.0.0.2")
    assert (await neighbour.send({"n": "neighbour"}))[0] == 200
    assert (await sender(hub, "button", local="127.0.0.2").send({"n": "button"}))[0] == 200
    assert len(received(hub)) == 22


async def test_strangers_do_not_use_up_a_hook(hub: Harness) -> None:
    guesser = sender(hub, secret="a-guess-of-a-secret", local="127.0.0.3")
    assert {status for status, _ in await asyncio.gather(*(guesser.send({}) for _ in range(40)))} == {404}
    answers = await asyncio.gather(*(sender(hub).send({"n": n}) for n in range(20)))
    assert {status for status, _ in answers} == {200}


async def test_what_strangers_send_is_one_line_of_the_journal_in_ten_seconds() -> None:
    clock = ManualClock()
    async with harness(HERE, CONFIG, clock=clock) as hub:
        guesser = sender(hub, secret="a-guess-of-a-secret")
        await guesser.send({})
        clock.advance(0.5)
        await counts(hub, "webhook.alarm", 1)
        for _ in range(2):
            await guesser.send({})
            clock.advance(5)
        await counts(hub, "webhook.alarm", 3)
        shown = hub.events("state_changed", entity="webhook.alarm")
        assert [event.data["attributes"]["refused"] for event in shown] == [0, 1, 3]


async def test_counts_go_on_after_a_restart(hub: Harness) -> None:
    await sender(hub, secret="x" * 20).send({})
    await counts(hub, "webhook.alarm", 1)
    await hub.restart()
    assert (await counts(hub, "webhook.alarm", 1))["last_error"] == "the last part of the address is not the secret"


async def test_what_was_answered_is_on_the_disk() -> None:
    async with harness(HERE, CONFIG, memory=False) as hub:
        assert (await sender(hub).send({"n": 1}))[0] == 200
        (kept,) = hub.app.journal.read(Query("webhook_received"))
        assert kept.data["json"] == {"n": 1}
