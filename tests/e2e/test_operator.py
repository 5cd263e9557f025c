"""An operator from the gallery to a rule at work: two mistakes, a replay, shadow, live; the hub is killed while the
rule waits, and the wait ends at its time; the trace shows every step.

``HUB_WITHIN``: how long the rule waits, as HH:MM:SS.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.demo import demo_config
from tests.e2e.conftest import Demo, running_demo
from tests.e2e.test_editor import picture, sign_in, watched

pytestmark = pytest.mark.e2e
WITHIN = os.environ.get("HUB_WITHIN", "00:00:25")
SECONDS = sum(int(part) * 60**place for place, part in enumerate(reversed(WITHIN.split(":"))))
RULE = "watchlist_night"
PLATES = (("9กก", "9001"), ("9กก", "9002"))
PATROL = "action/3/parallel/1/sequence"
STEPS = [
    *(f"condition/{n}" for n in range(4)), "action/0", "action/1", "action/2", "action/3",
    "action/3/parallel/0/sequence/0", *(f"{PATROL}/{n}" for n in range(4)),
]  # fmt: skip


async def post(demo: Demo, path: str, body: dict[str, Any]) -> Any:
    async with demo.http.post(f"{demo.url}{path}", json=body, headers={"X-CSRF": demo.csrf}) as answer:
        assert answer.status in (200, 201, 202), await answer.text()
        return await answer.json()


async def listed(demo: Demo) -> None:
    for series, number in PLATES:
        params = {
            "plate": series + number, "province": "สุโขทัย", "urgent": True, "days": 1, "reason": "ทดสอบ",
            "legal_ground": "ทดสอบ", "priority": "critical",
        }  # fmt: skip
        await post(demo, "/api/actions/watchlist.add", {"params": params})


async def happened(demo: Demo, query: str, **fields: Any) -> dict[str, Any]:
    """The first such event, as soon as the journal has it."""
    async with asyncio.timeout(30), demo.http.ws_connect(f"{demo.url}/api/stream", origin=demo.url) as stream:
        while True:
            for event in await demo.get(f"/api/events?{query}"):
                if fields.items() <= event["data"].items():
                    return dict(event)
            await stream.receive()


async def pass_by(demo: Demo, turn: int) -> dict[str, Any]:
    """A listed car in front of the gold shop; its hit."""
    series, number = PLATES[turn]
    data = {"series": series, "number": number, "province": "สุโขทัย", "confidence": 0.95}
    await post(demo, "/api/events", {"type": "plate_read", "entity": "camera.gold_shop_1", "data": data})
    return await happened(demo, "type=watchlist_hit&newest=1&limit=50", read_plate=series + number)


async def trace_of(demo: Demo, hit: dict[str, Any]) -> dict[str, Any]:
    """The trace of the rule's run for that hit, as soon as it has finished: the demo's own car may start others."""
    async with asyncio.timeout(SECONDS + 60), demo.http.ws_connect(
        f"{demo.url}/api/stream", origin=demo.url, max_msg_size=0
    ) as stream:
        while True:
            for trace in (await demo.get(f"/api/automations/{RULE}/traces"))["traces"]:
                if (trace["trigger"]["seq"], trace["status"]) == (hit["seq"], "finished"):
                    return dict(trace)
            await stream.receive()


async def from_the_gallery(page: Page, url: str) -> None:
    await page.goto(f"{url}/automations/blueprints")
    await page.locator("[data-testid=blueprint-card][data-path='watchlist_night.yaml']").get_by_role("link").click()
    await page.locator("[data-blank=shop]").select_option("camera.gold_shop_1")
    await page.locator("[data-blank=light]").select_option("light.lamp_01")
    await page.locator("[data-blank=drone]").select_option("drone.sky1")
    await page.locator("[data-blank=night_from]").fill("00:00:00")  # the test does not wait for the night
    await page.locator("[data-blank=night_until]").fill("23:59:59")
    await page.locator("[data-blank=within]").fill(WITHIN)
    await picture(page, "operator_form")
    await page.get_by_test_id("blueprint-edit").click()
    await page.wait_for_url("**/automations/edit/**")
    await expect(page.get_by_test_id("check-state")).to_contain_text("✓")


async def two_mistakes(page: Page) -> None:
    await page.locator(".cm-content").click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type("mode: singel\nmaxx: 3")
    places = page.get_by_test_id("mistake")
    await expect(places).to_have_count(2)
    lines = [await one.get_attribute("data-line") for one in await places.all()]
    text = await page.locator(".cm-line").all_inner_texts()
    assert [text[int(line or 0) - 1] for line in lines] == ["mode: singel", "maxx: 3"]
    await picture(page, "operator_mistakes")
    for _ in range(2):
        await page.keyboard.press("Control+z")
    while await places.count():
        await page.keyboard.press("Control+z")
        await expect(page.get_by_test_id("check-state")).not_to_contain_text("…")
    await expect(page.get_by_test_id("check-state")).to_contain_text("✓")


async def replayed(page: Page, fired: re.Pattern[str]) -> None:
    await page.get_by_test_id("tab-replay").click()
    await page.get_by_test_id("replay-run").click()
    await expect(page.get_by_test_id("replay-answer")).to_contain_text(fired, timeout=60_000)
    await picture(page, "operator_replay")


async def saved(page: Page, mode: str) -> None:
    await page.get_by_test_id(f"mode-{mode}").check()
    async with page.expect_response(lambda answer: answer.request.method == "PUT") as told:
        await page.get_by_test_id("save").click()
    assert (await told.value).status == 200
    await expect(page.get_by_test_id("edit-state")).to_contain_text("ตรงกับ")


def steps(trace: dict[str, Any]) -> list[str]:
    return [step["path"] for step in trace["steps"]]


async def test_an_operator_s_rule_survives_a_kill_in_the_middle_of_its_wait(page: Page, tmp_path: Path) -> None:
    wrong = watched(page)
    config, ports = demo_config(tmp_path)
    async with running_demo(config, tmp_path / "data", ports) as demo:
        await listed(demo)
        await sign_in(page, demo.url)
        await from_the_gallery(page, demo.url)
        await two_mistakes(page)
        await pass_by(demo, 0)
        await replayed(page, re.compile("จะทำงาน [1-9] ครั้ง"))
        await saved(page, "shadow")
        await saved(page, "live")
        assert wrong == []
        hit = await pass_by(demo, 1)
        await happened(demo, "type=light_boosted&newest=1", boost_reason=f"ป้ายเฝ้าระวัง {''.join(PLATES[1])} สุโขทัย")
        demo.process.send_signal(signal.SIGKILL)
        await demo.process.wait()
    async with running_demo(config, tmp_path / "data", ports) as demo:
        trace = await trace_of(demo, hit)
        alarms = await demo.get("/api/events?type=alarm_raised&limit=500")
        wanted = {"title": "สายตรวจยังไม่ถึงจุดที่พบป้ายเฝ้าระวัง", "detail": f"{''.join(PLATES[1])} สุโขทัย"}
        late = [alarm for alarm in alarms if wanted.items() <= alarm["data"].items()]
        assert len(late) == 1
        assert steps(trace) == STEPS
        until = trace["steps"][STEPS.index(f"{PATROL}/0")]["detail"]["until"]
        assert until - trace["started"] < SECONDS + 5 and 0 <= late[0]["at"] - until < 5  # the kill moved nothing
        await page.goto(f"{demo.url}/automations/edit/{RULE}.yaml")
        await page.get_by_test_id("tab-traces").click()
        await expect(page.get_by_test_id("traces")).to_contain_text("alarm.raise")
        await picture(page, "operator_trace")
