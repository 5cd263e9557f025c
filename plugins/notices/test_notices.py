"""Notices in the real hub: two people, LINE over HTTP, RSS, CAP 1.2 judged by a schema, the poster's QR code."""

from __future__ import annotations

import asyncio
import re
import subprocess
import xml.etree.ElementTree as ET
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.sdk import Denied, ManualClock
from hub.testing import contract
from plugins.notices import fake
from plugins.notices.conftest import (
    AREA,
    HERE,
    SETTINGS,
    START,
    WORDS,
    Line,
    board,
    drafted,
    facts,
    get,
    officer,
    published,
    staff,
    state,
)
from plugins.notices.feed import english_time, thai_time

test_contract = contract(HERE, SETTINGS, params={"notice.draft": WORDS | {"until": 4e9}})


# --- two people


async def test_who_drafts_never_approves_and_nothing_is_public_before() -> None:
    async with board() as hub:
        notice = await drafted(hub)
        name = notice.partition(".")[2]
        refused = await officer(hub, "noi").call("notice.approve", notice)
        assert (refused.error or {})["message"] == "who drafted a notice cannot approve it"
        assert [(await get(hub, path))[0] for path in (f"n/{name}", f"cap/{name}.xml")] == [404, 404]
        assert b"<item>" not in (await get(hub, "rss.xml"))[1]
        assert (await staff(hub, "poster/latest.pdf")).status == 404
        assert (await officer(hub, "lek").call("notice.approve", notice)).status == "done"
        assert (await officer(hub, "lek").call("notice.approve", notice)).status == "done"
        assert [event.data["by"] for event in hub.events("notice_approved")] == ["user:lek"]
        third = await officer(hub, "dao").call("notice.approve", notice)
        assert (third.error or {})["message"] == "this notice is published"


async def test_the_real_roles_decide() -> None:
    async with board() as hub:
        notice = await drafted(hub)
        for role in ("patrol", "operator", "auditor"):
            with pytest.raises(Denied, match=r"notice\.approve"):
                await hub.call("notice.approve", notice, roles=[role])
        assert (await hub.call("notice.approve", notice, roles=["ccoc"])).status == "done"


async def test_a_rejected_notice_stays_unpublished() -> None:
    async with board() as hub:
        notice = await drafted(hub)
        assert (await officer(hub, "lek").call("notice.reject", notice, {"reason": "ข้อความไม่ชัด"})).status == "done"
        late = await officer(hub, "lek").call("notice.approve", notice)
        assert (state(hub, notice), (late.error or {})["message"]) == ("rejected", "this notice is rejected")


async def test_the_same_draft_sent_twice_is_one() -> None:
    async with board() as hub:
        params = WORDS | {"until": START + 60}
        made = [(await hub.call("notice.draft", params=params, key="k")).result for _ in range(2)]
        assert (made[0] == made[1], len(hub.events("notice_drafted"))) == (True, 1)


# --- LINE


async def test_line_gets_it_once_and_the_quota_is_shown() -> None:
    line = Line()
    async with line as url, board(line=url) as hub:
        notice = await published(hub)
        assert [to for to, _, _ in line.sent] == ["C1", "C2"]
        assert line.sent[0][1].splitlines()[:3] == ["น้ำท่วมถนนจรดวิถีถ่อง", "โปรดเลี่ยงเส้นทาง", "ตั้งแต่บัดนี้"]
        assert "ถึง 23 พ.ย. 2569 10:13 น." in line.sent[0][1]
        shown = facts(hub, notice)
        assert (shown["line_reached"], shown["line_recipients"], shown["quota_left"]) == (2, 2, 298)
        assert await hub.restart() == "running"
        await officer(hub, "lek").call("notice.withdraw", notice, {"reason": "น้ำลดแล้ว"})
        assert [text.splitlines()[:2] for _, text, _ in line.sent[2:]] == [
            ["ถอนประกาศ: น้ำท่วมถนนจรดวิถีถ่อง", "น้ำลดแล้ว"]
        ] * 2
        assert len({key for _, _, key in line.sent}) == 4


async def test_without_line_it_is_published_all_the_same_and_says_what_failed() -> None:
    line = Line()
    async with line as url, board(line=url) as hub:
        line.failing = 429
        notice = await published(hub)
        shown = facts(hub, notice)
        assert (state(hub, notice), shown["line_reached"], shown["quota_left"]) == ("published", 0, 0)
        assert "quota is used up" in shown["line_detail"]
        assert b"<item>" in (await get(hub, "rss.xml"))[1]


async def test_what_a_stop_cut_off_is_sent_after_it() -> None:
    line, clock = Line(), ManualClock(START)
    async with line as url, board(clock, line=url) as hub:
        notice = await drafted(hub)
        # as if the hub had stopped between the approval's commit and the message
        await hub.emit("notice_approved", {"by": "user:lek", "at": START}, entity=notice)
        assert line.sent == []
        assert await hub.restart() == "running"
        clock.advance(10)
        await hub.wait_event("notice_delivered")
        clock.advance(10)
        assert [to for to, _, _ in line.sent] == ["C1", "C2"]


# --- RSS, CAP, page


def schema() -> Any:
    etree = pytest.importorskip("lxml.etree")
    return etree.XMLSchema(etree.parse(str(HERE / "cap12_test.xsd")))


def judged(document: bytes) -> list[str]:
    """What the schema finds wrong."""
    etree, rules = pytest.importorskip("lxml.etree"), schema()
    rules.validate(etree.fromstring(document))
    return [f"{one.line}: {one.message}" for one in rules.error_log]


def test_the_schema_sees_planted_mistakes() -> None:
    right = cap_of("published")
    assert judged(right) == []
    for wrong, plant in (
        (b"<status>Actual</status>", b"<status>actual</status>"), (b"+07:00</sent>", b"Z</sent>"),
        (b"<scope>Public</scope>", b""), (b"<certainty>Observed</certainty>", b"<certainty/>"),
        (b"<urgency>Immediate</urgency><severity>Severe</severity>", b"<severity>Severe</severity>"),
        (b"<msgType>Alert</msgType><scope>Public</scope>", b"<scope>Public</scope><msgType>Alert</msgType>"),
        (b"17.000000,99.800000</polygon>", b"</polygon>"), (b"emergency:cap:1.2", b"emergency:cap:1.1"),
    ):  # fmt: skip
        assert right.count(wrong) >= 1, wrong
        assert judged(right.replace(wrong, plant)) != [], plant


def cap_of(now: str) -> bytes:
    from plugins.notices.areas import Area
    from plugins.notices.feed import Published, Sender, cap

    given = WORDS | {"published_at": START, "until": START + 60, "withdrawn_at": START + 9, "place": "market"}
    sender = Sender("safety.example", "ศูนย์", "Centre", "191", "https://hub.example/hook/notices")
    return cap(Published("abc", now, given), sender, Area.model_validate(AREA))


async def test_cap_is_valid_in_both_languages_and_its_cancellation_too() -> None:
    async with board() as hub:
        notice = await published(hub)
        name = notice.partition(".")[2]
        status, document = await get(hub, f"cap/{name}.xml")
        assert (status, judged(document)) == (200, [])
        ns = {"c": "urn:oasis:names:tc:emergency:cap:1.2"}
        root = ET.fromstring(document)
        assert [one.text for one in root.iterfind("c:info/c:language", ns)] == ["th-TH", "en-US"]
        assert [one.text for one in root.iterfind("c:info/c:headline", ns)] == [WORDS["title_th"], WORDS["title_en"]]
        assert root.findtext("c:sent", "", ns) == "2026-11-23T09:13:20+07:00"
        assert root.findtext("c:info/c:expires", "", ns) == "2026-11-23T10:13:20+07:00"
        ring = (root.findtext("c:info/c:area/c:polygon", "", ns)).split()
        assert (len(ring), ring[0], ring[0] == ring[-1]) == (4, "17.000000,99.800000", True)
        await officer(hub, "lek").call("notice.withdraw", notice, {"reason": "น้ำลดแล้ว"})
        gone = (await get(hub, f"cap/{name}.xml"))[1]
        assert judged(gone) == []
        root = ET.fromstring(gone)
        assert root.findtext("c:msgType", "", ns) == "Cancel"
        assert root.findtext("c:references", "", ns) == f"safety.example,{name},2026-11-23T09:13:20+07:00"


async def test_simulated_notices_are_an_exercise() -> None:
    async with board(simulated=True) as hub:
        name = (await published(hub)).partition(".")[2]
        document = (await get(hub, f"cap/{name}.xml"))[1]
        assert (b"<status>Exercise</status>" in document, judged(document)) == (True, [])
        assert "(จำลอง)".encode() in (await get(hub, "rss.xml"))[1]
        assert "จำลอง".encode() in (await get(hub, f"n/{name}"))[1]


async def test_the_feed_lists_what_holds_and_a_partner_reads_it() -> None:
    clock = ManualClock(START)
    async with board(clock) as hub, aiohttp.ClientSession() as session:
        first = await published(hub)
        clock.advance(5)
        second = await published(hub, title_th="ฝนฟ้าคะนอง", until=START + 30)
        base = hub.hook("")
        alerts = await fake.read(session, base.rstrip("/"))
        assert [(one.identifier, one.headline, one.message) for one in alerts] == [
            (second.partition(".")[2], "ฝนฟ้าคะนอง", "Alert"), (first.partition(".")[2], WORDS["title_th"], "Alert"),
        ]  # fmt: skip
        feed = ET.fromstring((await get(hub, "rss.xml"))[1])
        dates = [parsedate_to_datetime(one.text or "").timestamp() for one in feed.iter("pubDate")]
        assert dates == [START + 5, START]
        clock.advance(30)  # past the end of the second, and a look
        await hub.wait_event("notice_expired", entity=second)
        assert [one.identifier for one in await fake.read(session, base.rstrip("/"))] == [first.partition(".")[2]]
        status, text = await get(hub, f"n/{second.partition('.')[2]}")
        assert (status, "สิ้นสุดแล้ว".encode() in text) == (200, True)
        refused = await officer(hub, "lek").call("notice.withdraw", second, {"reason": "x"})
        assert (refused.error or {})["message"] == "this notice is expired"


async def test_a_draft_that_nobody_approved_in_time_is_over() -> None:
    clock = ManualClock(START)
    async with board(clock, check_s=60) as hub:
        notice = await drafted(hub, until=START + 5)
        clock.advance(6)
        late = await officer(hub, "lek").call("notice.approve", notice)
        assert (late.error or {})["message"] == "this notice is over"
        clock.advance(60)
        await hub.wait_event("notice_expired", entity=notice)


async def test_words_of_people_are_text_and_never_markup() -> None:
    async with board() as hub:
        evil = "<script>alert(1)</script>\x00\x0b]]>"
        notice = await published(hub, title_th=evil, text_th=evil)
        name = notice.partition(".")[2]
        text = (await get(hub, f"n/{name}"))[1]
        assert b"<script" not in text
        document = (await get(hub, f"cap/{name}.xml"))[1]
        assert judged(document) == []
        assert fake.parse(document).headline == "<script>alert(1)</script>]]>"
        assert ET.fromstring((await get(hub, "rss.xml"))[1]).findtext("./channel/item/title", "").startswith("<script>")


# --- poster


def needs(*programs: str) -> None:
    for program in programs:
        try:
            subprocess.run([program, "--version"], capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip(f"needs {program}: apt-get install poppler-utils zbar-tools")


def rendered(pdf: bytes, folder: Path) -> tuple[str, str]:
    """What the QR code of a PDF's only page says, and its text."""
    (folder / "p.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "100", "-png", folder / "p.pdf", folder / "p"], check=True)
    (picture,) = folder.glob("p*.png")
    code = subprocess.run(["zbarimg", "--raw", "-q", picture], capture_output=True, text=True, check=True)
    text = subprocess.run(["pdftotext", folder / "p.pdf", "-"], capture_output=True, text=True, check=True)
    return code.stdout.strip(), text.stdout


async def test_the_poster_s_qr_code_leads_to_the_notice(tmp_path: Path) -> None:
    needs("pdftoppm", "zbarimg", "pdftotext")
    async with board() as hub:
        name = (await published(hub)).partition(".")[2]
        for path in ("poster/latest.pdf", f"poster/{name}.pdf"):
            made = await staff(hub, path)
            assert (made.status, made.content_type) == (200, "application/pdf")
        code, text = await asyncio.to_thread(rendered, made.body, tmp_path)
        assert code == hub.hook(f"n/{name}")
        assert WORDS["title_en"] in re.sub(r"\s+", " ", text)


def test_the_end_is_a_date_that_people_read() -> None:
    assert thai_time(START) == "23 พ.ย. 2569 09:13 น."
    assert english_time(START) == "23 November 2026, 09:13"
