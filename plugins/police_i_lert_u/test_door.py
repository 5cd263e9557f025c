"""The door in the real hub: signed reports once each, files with their wrong lines named, the status back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.capabilities import ReportAnswered, ReportStatusChanged
from hub.sdk import receipt_of
from hub.testing import Harness, contract, harness
from plugins.police_i_lert_u import fake
from plugins.police_i_lert_u.device import BadReport, parse_file

HERE = Path(__file__).parent
SECRET = "demo-ilertu-secret"
REPORT = {"id": "A-1", "at": "2026-11-22T21:04:00+07:00", "text": "รถล้ม", "phone": "0812345678", "lat": 17.0,
          "lon": 99.8, "kind": "accident"}  # fmt: skip


@asynccontextmanager
async def app_there() -> AsyncIterator[Mapping[str, Any]]:
    app = fake.App()
    yield {"secret": SECRET, "status_url": f"http://127.0.0.1:{await app.start()}/status"}
    await app.stop()


test_contract = contract(HERE, app_there, dead_config={"secret": SECRET, "status_url": "http://127.0.0.1:9/"})


@pytest.fixture
async def pair() -> AsyncIterator[tuple[fake.App, Harness]]:
    app = fake.App()
    url = f"http://127.0.0.1:{await app.start()}/status"
    async with harness(HERE, {"secret": SECRET, "status_url": url}) as hub:
        yield app, hub
    await app.stop()


def reports(hub: Harness) -> list[dict[str, Any]]:
    return [dict(event.data) for event in hub.events("report_received")]


async def heard(app: fake.App, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(app.told) < count:
            app.arrived.clear()
            await app.arrived.wait()
    return app.told


async def test_a_signed_report_is_taken_once_and_answered_with_its_receipt(pair: tuple[fake.App, Harness]) -> None:
    app, hub = pair
    first = await app.send(hub.hook("report"), REPORT)
    again = await app.send(hub.hook("report"), REPORT)
    (report,) = reports(hub)
    assert first == again == (200, {"receipt": report["receipt"]})
    assert [report[name] for name in ("channel", "text", "reporter", "lat", "reference", "priority")] == [
        "ilertu", "[accident] รถล้ม", "0812345678", 17.0, "A-1", "high",
    ]  # fmt: skip
    assert hub.events("report_received")[0].at == 1_795_356_240.0  # 14:04 UTC of that day
    await hub.restart()
    assert (await app.send(hub.hook("report"), REPORT))[1] == {"receipt": report["receipt"]}
    assert len(reports(hub)) == 1


async def test_forged_old_and_broken_requests_are_named_and_change_nothing(pair: tuple[fake.App, Harness]) -> None:
    app, hub = pair
    body = json.dumps(REPORT).encode()
    hook = hub.hook("report")

    async def said(raw: bytes, signature: str) -> tuple[int, str]:
        status, answer = await app.send_raw(hook, raw, signature)
        return status, answer["error"] if isinstance(answer["error"], str) else answer["error"]["code"]

    assert await said(body, "") == (401, "X-Signature is not t=SECONDS,v1=HEX")
    assert await said(body + b" ", app.signed(body)) == (401, "the signature does not fit; look at secret")
    status, words = await said(body, app.signed(body, app.now() - 1_000))
    assert status == 401 and words.startswith("signed 100") and words.endswith("look at both clocks")
    for wrong, told in (
        (b"{", "not JSON"), (b"[]", "a report is an object"), (b'{"id": "1", "text": 5}', "text: a text is needed"),
        (b'{"id": "1", "text": "x", "lat": 100, "lon": 1}', "lat: not between -90 and 90 degrees"),
        (b'{"id": "1", "text": "x", "colour": "red"}', "colour: no field of a report"),
    ):  # fmt: skip
        status, words = await said(wrong, app.signed(wrong))
        assert status == 400 and words.startswith(told)
    huge = b'"' + b"x" * (1 << 20) + b'"'
    assert (await said(huge, app.signed(huge)))[0] == 413
    assert reports(hub) == []
    assert (await app.send(hook, REPORT))[0] == 200
    state = hub.state("ilertu.police_i_lert_u")
    assert state is not None and (state.attributes["refused"], state.attributes["received"]) == (8, 1)


async def test_a_stranger_s_requests_do_not_fill_the_journal(pair: tuple[fake.App, Harness]) -> None:
    app, hub = pair
    stranger = fake.App(secret="another-secret-16")
    statuses = [(await stranger.send(hub.hook("report"), REPORT))[0] for _ in range(40)]
    assert statuses == [401] * 40
    entity = "ilertu.police_i_lert_u"
    shown = await hub.until(lambda: hub.state(entity).attributes.get("last_error"))  # type: ignore[union-attr]
    assert shown == "the signature does not fit; look at secret"
    assert (await app.send(hub.hook("report"), REPORT))[0] == 200
    assert hub.state(entity).attributes["refused"] == 40  # type: ignore[union-attr]
    assert len(hub.events("state_changed", entity=entity)) <= 3


def colliding() -> tuple[str, str]:
    """Two ids of the app that draw the same receipt."""
    seen: dict[str, str] = {}
    for number in range(1_000_000):
        receipt = receipt_of(f"police_i_lert_u:C-{number}")
        if receipt in seen:
            return seen[receipt], f"C-{number}"
        seen[receipt] = f"C-{number}"
    raise AssertionError("no two are the same")


async def test_two_reports_that_draw_the_same_receipt_are_two(pair: tuple[fake.App, Harness]) -> None:
    app, hub = pair
    one, other = await asyncio.to_thread(colliding)
    told = [await app.send(hub.hook("report"), {**REPORT, "id": name}) for name in (one, other, other)]
    answers = [answer["receipt"] for _, answer in told]
    assert (answers[0] != answers[1], answers[1] == answers[2]) == (True, True)
    assert [report["reference"] for report in reports(hub)] == [one, other]
    await hub.restart()
    assert (await app.send(hub.hook("report"), {**REPORT, "id": other}))[1]["receipt"] == answers[1]


async def test_a_request_that_stops_in_the_middle_harms_nobody(pair: tuple[fake.App, Harness]) -> None:
    app, hub = pair
    _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(b"POST /hook/police_i_lert_u/report HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
    await writer.drain()
    assert (await app.send(hub.hook("report"), REPORT))[0] == 200
    writer.close()
    assert len(reports(hub)) == 1


async def test_a_flood_is_slowed_and_nothing_acknowledged_is_lost(pair: tuple[fake.App, Harness]) -> None:
    app, hub = pair
    sent = [app.send(hub.hook("report"), {**REPORT, "id": f"F-{n}"}) for n in range(90)]
    answers = [status for status, _ in await asyncio.gather(*sent)]
    assert set(answers) == {200, 429}
    assert len(reports(hub)) == answers.count(200) >= 60


async def test_answers_and_the_end_go_back_signed_also_after_the_app_was_away(pair: tuple[fake.App, Harness]) -> None:
    app, hub = pair
    _, answer = await app.send(hub.hook("report"), REPORT)
    receipt = answer["receipt"]
    app.answers = [500]
    mine = {"receipt": receipt, "door": "police_i_lert_u", "by": "user:noi"}
    await hub.emit(ReportAnswered(text="กำลังไป", **mine), entity="report.x")
    await hub.emit(ReportStatusChanged(status="closed", result="เรียบร้อย", **mine), entity="report.x")
    told = await heard(app, 2)
    assert {(one["id"], one.get("answer"), one.get("status")) for one in told} == {
        ("A-1", "กำลังไป", None), ("A-1", None, "closed"),
    }  # fmt: skip


async def test_a_file_is_imported_once_and_its_wrong_lines_are_named(pair: tuple[fake.App, Harness]) -> None:
    _, hub = pair
    content = "id,at,text,lat,lon\n1,1795356240,ไฟไหม้,17.0,99.8\n2,yesterday,x,,\n3,,,,\n4,,ดี,17.0,\n5,,ดีแล้ว,,\n"
    outcome = await hub.call("ilertu.import_file", None, {"content": content}, roles=["ccoc"])
    assert outcome.result == {"new": 2, "known": 0, "wrong": 3, "lines": [
        "line 3, at: a time with its zone, as 2026-11-22T21:04:00+07:00, or seconds since 1970",
        "line 4, text: is missing", "line 5, lat and lon: both or none",
    ]}  # fmt: skip
    again = await hub.call("ilertu.import_file", None, {"content": content}, roles=["ccoc"])
    assert (again.result["new"], again.result["known"], len(reports(hub))) == (0, 2, 2)
    broken = await hub.call("ilertu.import_file", None, {"content": "a,b\n1,2\n"})
    assert broken.error is not None and "missing: id, text" in broken.error["message"]


async def test_a_report_typed_in_gets_its_receipt(pair: tuple[fake.App, Harness]) -> None:
    _, hub = pair
    outcome = await hub.call("ilertu.enter", None, {"text": "เสียงดัง", "kind": "fight"}, roles=["ccoc"], key="k")
    (report,) = reports(hub)
    assert (outcome.result, report["text"]) == (report["receipt"], "[fight] เสียงดัง")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "a JSON file is a list"), ("[", "not JSON"), ("id\n1\n", "missing: text"),
        ('id,text\n1,"x', "line 2"), ("id,text\n" + "1,x\n" * 5_001, "5001 reports; a file has at most 5000"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_named(text: str, words: str) -> None:
    with pytest.raises(BadReport, match=words):
        parse_file(text, 0.0)


async def test_the_fake_is_refused_without_the_secret(pair: tuple[fake.App, Harness]) -> None:
    _, hub = pair
    stranger = fake.App(secret="another-secret-16")
    assert (await stranger.send(hub.hook("report"), REPORT))[0] == 401
    assert reports(hub) == []
