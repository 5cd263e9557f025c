"""A month's report in the real hub: what it counts, and how it looks when it is set."""

from __future__ import annotations

import asyncio
import datetime
import re
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hub.sdk import Denied, InvalidInput, ManualClock, WebRequest, WebResponse
from hub.testing import Harness, contract, harness

HERE = Path(__file__).parent
BANGKOK = datetime.timezone(datetime.timedelta(hours=7))
START = datetime.datetime(2026, 10, 5, 9, 0, tzinfo=BANGKOK).timestamp()
NOVEMBER = datetime.datetime(2026, 11, 3, 9, 0, tzinfo=BANGKOK).timestamp()
STATION = "สถานีตำรวจภูธรเมืองสุโขทัย"
PARTNERS = [{"id": "temple", "name": {"th": "วัดตระพังทอง", "en": "Temple"}}]

test_contract = contract(HERE, {"station": STATION}, params={
    "report.evaluate": {"first_month": "2026-01", "last_month": "2026-02"}, "report.make": {"month": "2026-01"},
})  # fmt: skip


class Calendar(ManualClock):
    """A clock that can jump: the looks of the days between are not made one by one."""

    def advance_to(self, when: float) -> None:
        self._now = max(self._now, when)
        super().advance_to(when)


@asynccontextmanager
async def station(clock: ManualClock, beside: Sequence[Any] = (), **changed: Any) -> AsyncIterator[Harness]:
    async with harness(HERE, {"station": STATION} | changed, clock=clock, beside=beside) as hub:
        yield hub


async def staff(hub: Harness, path: str) -> WebResponse:
    """A staff page; the hub itself checks who asks."""
    routes = hub.app.host.routes
    request = WebRequest("GET", path, {}, {}, b"", "127.0.0.1", "user:noi")
    return await routes.ask(routes.staff(hub.instance, "GET", path), request)


async def done(hub: Harness, action: str, target: str | None = None, **params: Any) -> Any:
    outcome = await hub.call(action, target, params)
    assert outcome.status == "done", outcome
    return outcome.result


def words(page: bytes) -> str:
    """The page without its markup, in one line."""
    text = re.sub(r"<style>.*?</style>", "", page.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


async def october(hub: Harness, clock: Calendar) -> None:
    """Three incidents, acknowledged after 1, 2 and 5 minutes, two closed after 10 and 30; a promise nobody kept; two
    polls; and a simulated incident that does not count."""
    for kind, priority, wait, total in (
        ("call_191", "high", 60, 600), ("sos", "critical", 120, 1800), ("call_191", "normal", 300, 0),
    ):  # fmt: skip
        incident = await done(hub, "incident.open", kind=kind, title="เหตุ", priority=priority)
        clock.advance(wait)
        await done(hub, "incident.acknowledge", incident)
        if total:
            clock.advance(total - wait)
            await done(hub, "incident.close", incident, result="resolved")
    await done(hub, "incident.open", kind="sos", title="ซ้อม", simulated=True)
    due = clock.now() + 3600
    await done(hub, "community.make_promise", text="ติดไฟซอยวัด", partner="temple", owner="สมชาย", due_at=due)


async def test_a_month_of_real_events() -> None:
    clock = Calendar(START)
    beside = [{"plugin": "incident_desk"}, {"plugin": "community", "config": {"partners": PARTNERS}}]
    async with station(clock, beside) as hub:
        due = hub.state("monthly_report.m2026_09")
        assert due is not None and due.state == "due"
        await october(hub, clock)
        clock.advance_to(NOVEMBER)
        made = await done(hub, "report.make")  # the month before
        assert made["report"] == "monthly_report.m2026_10"
        text = words((await staff(hub, "r/m2026_10.html")).body)
        for said in (
            "รายงานประจำเดือน ตุลาคม 2569 Monthly report, October 2026", STATION, "จัดทำเมื่อ 3 พฤศจิกายน 2569 09:00 น.",
            "แจ้ง 191 0 1 1 0 2", "ขอความช่วยเหลือ (SOS) 1 0 0 0 1", "รวม all 1 1 1 0 3",
            "ปิดแล้ว 2 เหตุ ยังเปิดอยู่ 1 เหตุ", "รับทราบ acknowledged 3 / 3 2 นาที 00 วินาที 5 นาที 00 วินาที",
            "ปิดเหตุ closed 2 / 3 20 นาที 00 วินาที 30 นาที 00 วินาที", "มอบหมายสายตรวจ unit assigned 0 / 3 – –",
            "ไม่นับเหตุจำลอง 1 รายการ", "เลยกำหนด: ติดไฟซอยวัด (วัดตระพังทอง) กำหนด 5 ตุลาคม 2569",
            "No check-point events in this period.", "Time of arrival is not measured",
        ):  # fmt: skip
            assert said in text, (said, text)
        found = hub.state(made["report"])
        assert found is not None
        pdf, mime = await hub.app.media.get(found.attributes["media"])
        assert (pdf[:5], mime) == (b"%PDF-", "application/pdf")
        assert await hub.restart() == "running"
        latest = await staff(hub, "r/latest.pdf")
        assert (latest.status, latest.body) == (200, pdf)


async def test_a_report_reads_more_than_one_page_of_events() -> None:
    clock = Calendar(START)
    async with station(clock) as hub:
        facts = {"priority": "high", "title": "x", "opened_by": "user:a"}
        for n in range(2_050):
            more = {"kind": "call_191", "reference": str(n), "opened_at": START}
            await hub.emit("incident_opened", facts | more, entity=f"incident.n{n}")
        clock.advance_to(NOVEMBER)
        made = await done(hub, "report.make", month="2026-10")
        assert made["events"] >= 2_050
        assert "รวม all 0 2050 0 0 2050" in words((await staff(hub, "r/latest.html")).body)


async def test_cameras_are_measured_and_the_time_the_hub_was_down_counts_against_them(tmp_path: Path) -> None:
    """October has 744 h. The camera's video ran from 1 h after its month began; it was lost from hour 10 to 20; at hour
    100 its plugin began anew, 40 h after the last event before; at hour 101 the video ran again. Up: 9 + 40 + 643."""
    clock = Calendar(datetime.datetime(2026, 10, 1, tzinfo=BANGKOK).timestamp())
    hour, begin = 3600.0, clock.now()
    camera = {"id": "a", "name": {"th": "กล้องตลาด", "en": "Market"}, "url": "rtsp://127.0.0.1:9/x"}
    async with station(clock, [{"plugin": "rtsp_camera", "config": {"cameras": [camera]}}]) as hub:
        # the real plugin says that it connects, and that nothing is there
        first = await hub.wait_event("video_changed", match={"video": "retrying"}, timeout=30)
        for at, video in ((1, "running"), (10, "retrying"), (20, "running")):
            clock.advance_to(begin + at * hour)
            await hub.emit("video_changed", {"video": video, "reason": "test"}, entity="camera.a")
        clock.advance_to(begin + 60 * hour)
        await hub.emit("message_received", {"channel": "line", "sender": "U1", "message_id": "1"})
        clock.advance_to(begin + 100 * hour)
        await hub.emit("instance_changed", {"plugin": "rtsp_camera", "state": "starting"}, entity="plugin.rtsp_camera")
        clock.advance_to(begin + 101 * hour)
        await hub.emit("video_changed", {"video": "running"}, entity="camera.a")
        clock.advance_to(begin + 744 * hour)
        await done(hub, "report.make", month="2026-10")
        text = words((await staff(hub, "r/latest.html")).body)
        measured = re.search(r"กล้องตลาด ([\d.]+) % (\d+) ชม", text)
        assert first.entity == "camera.a" and measured is not None, text
        assert (measured[1], measured[2]) == (f"{100 * (9 + 40 + 643) / 744:.1f}", "744")


POLL = {
    "form": "form.f", "target": "fear", "group": "", "round": 1, "at": START, "n": 323, "note": {}, "simulated": False,
    "verdict": "cannot_tell", "interval": {
        "low": 32.96, "estimate": 38.08, "high": 43.48, "mark": 40.0, "direction": "below", "n": 323,
        "method": "wilson_95", "verdict": "cannot_tell",
    },
}  # fmt: skip


async def test_an_evaluation_sets_the_months_side_by_side(tmp_path: Path) -> None:
    clock = Calendar(START)
    beside = [
        {"plugin": "incident_desk"}, {"plugin": "community", "config": {"partners": PARTNERS}}, {"plugin": "survey"},
    ]  # fmt: skip
    async with station(clock, beside, simulated=True) as hub:
        await october(hub, clock)
        await hub.emit("survey_result", POLL, entity="poll.f_fear")
        clock.advance_to(NOVEMBER)
        await done(hub, "incident.open", kind="call_191", title="x")
        clock.advance_to(NOVEMBER + 40 * 86_400)
        made = await done(hub, "report.evaluate", first_month="2026-10", last_month="2026-11")
        assert made["report"] == "monthly_report.e2026_10_2026_11"
        page = (await staff(hub, "r/latest.html")).body
        text = words(page)
        assert "รายงานประเมินผล ตุลาคม 2569 – พฤศจิกายน 2569" in text
        assert "38.1 % (33.0–43.5 %) เป้าหมายต่ำกว่า 40 %" in text
        assert "ตุลาคม 2569 3 2 นาที 00 วินาที 20 นาที 00 วินาที 0 0 poll.f_fear: ยังสรุปไม่ได้" in text
        assert "พฤศจิกายน 2569 1 – – 0 0 –" in text
        assert text.count("จำลอง / simulated") >= 1
        assert b"<script" not in page
        (tmp_path / "r.pdf").write_bytes((await staff(hub, "r/latest.pdf")).body)
    pictures = await asyncio.to_thread(rendered, tmp_path)
    assert 1 <= len(pictures) <= 4
    for picture in pictures:
        assert_nothing_is_cut(picture)


def rendered(folder: Path) -> list[Path]:
    """The pages as pictures, by poppler."""
    try:
        subprocess.run(["pdftoppm", "-r", "80", "-png", folder / "r.pdf", folder / "r"], check=True)
    except FileNotFoundError:
        pytest.skip("needs pdftoppm: apt-get install poppler-utils")
    return sorted(folder.glob("r-*.png"))


def assert_nothing_is_cut(picture: Path) -> None:
    """There is ink on the page and none at its edges: no table runs out of it."""
    page = np.asarray(Image.open(picture).convert("L"))
    edge = round(0.04 * page.shape[1])
    assert (page < 128).mean() > 0.0003  # the last page may hold the signatures alone
    assert (page[:, :edge].min(), page[:, -edge:].min(), page[:edge].min()) == (255, 255, 255), picture


async def test_words_of_people_are_escaped() -> None:
    clock = Calendar(START)
    beside = [{"plugin": "community", "config": {"partners": PARTNERS}}]
    async with station(clock, beside) as hub:
        evil = "<img src=x onerror=alert(1)>{{ 7*7 }}"
        due = START + 60
        await done(hub, "community.make_promise", text=evil, partner="temple", owner="x", due_at=due)
        clock.advance_to(NOVEMBER)
        await done(hub, "report.make", month="2026-10")
        page = (await staff(hub, "r/latest.html")).body.decode()
        assert "<img" not in page and "&lt;img src=x onerror=alert(1)&gt;{{ 7*7 }}" in page


# --- bad input


@pytest.mark.parametrize(
    ("action", "params", "said"),
    [
        ("report.make", {"month": "2026-13"}, "'2026-13' is no month"),
        ("report.make", {"month": "2027-01"}, "this period has not begun"),
        ("report.evaluate", {"first_month": "2026-03", "last_month": "2026-01"}, "the last month is before the first"),
        ("report.evaluate", {"first_month": "2020-01", "last_month": "2026-01"}, "more than 24 months"),
    ],
)  # fmt: skip
async def test_a_wrong_period_says_why(action: str, params: dict[str, str], said: str) -> None:
    async with station(ManualClock(START)) as hub:
        outcome = await hub.call(action, params=params)
        assert (outcome.error or {})["message"] == said
        assert hub.events("report_made") == []


async def test_wrong_types_long_names_strange_addresses_and_the_wrong_person() -> None:
    async with station(ManualClock(START)) as hub:
        for wrong in ({"month": 10}, {"month": "x" * 8}, {"year": "2026"}):
            with pytest.raises(InvalidInput):
                await hub.call("report.make", params=wrong)
        with pytest.raises(Denied, match=r"document\.write"):
            await hub.call("report.make", params={"month": "2026-09"}, roles=["auditor"])
        for path in ("r/latest.pdf", "r/..%2f.pdf", "r/m2026_10.exe", "r/" + "x" * 3000):
            assert (await staff(hub, path)).status == 404
        assert [one.data for one in hub.events("fault") if one.data["where"] == hub.instance] == []


async def test_many_at_once_are_made_one_after_another() -> None:
    async with station(ManualClock(START)) as hub:
        outcomes = await asyncio.gather(*(hub.call("report.make", params={"month": "2026-09"}) for _ in range(3)))
        assert [one.status for one in outcomes] == ["done"] * 3
        assert len([one for one in hub.entities() if one.state == "made"]) == 1
