"""Every page with hostile names, in both languages and both brightnesses: nothing of it runs, axe finds no violation,
and an officer can do the work: answer a report, command a light, fill in a form."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import PASSWORD, SERVE_WITHIN_S, TOP, USER

pytestmark = pytest.mark.e2e
AXE = TOP / "ui" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = ("/", "/reports", "/reports/report.aaa_aa0", "/views", "/views/showcase", "/plugins", "/automations")
CONFIG = """
zone: !include zone/zone.yaml
plugin_folders: [plugins]
plugins:
  - plugin: incident_desk
  - plugin: inbox
  - plugin: showcase
"""


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """A hub with the showcase of ``tests/e2e/showcase``."""
    shutil.copytree(TOP / "zone", tmp_path / "zone")
    shutil.copytree(TOP / "tests/e2e/showcase/showcase", tmp_path / "plugins/showcase")
    (tmp_path / "config.yaml").write_text(CONFIG)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "run", "--config", str(tmp_path / "config.yaml"), "--data",
        str(tmp_path / "data"), "--port", "0", cwd=TOP, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SERVE_WITHIN_S):
            while not (said := (await process.stdout.readline()).decode()).startswith("hub: "):
                assert said, "the hub ended before it served"
        yield said.removeprefix("hub: ").strip()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def sign_in(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_test_id("login-user").fill(USER)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await expect(page.get_by_test_id("sos")).to_be_visible(timeout=20_000)


async def findings(page: Page) -> list[str]:
    """What axe finds wrong, one line each."""
    if await page.evaluate("!window.axe"):
        await page.evaluate(AXE.read_text())
    found: dict[str, Any] = await page.evaluate("tags => axe.run(document, {runOnly: tags})", RULES)
    return [f"{wrong['id']}: {wrong['nodes'][0]['html'][:200]}" for wrong in found["violations"]]


async def settled(page: Page, path: str) -> None:
    """The page shows what it is for."""
    marks = {
        "/": "alarm-list", "/reports": "report-row", "/reports/report.aaa_aa0": "conversation", "/views": "page-search",
        "/views/showcase": "chart", "/plugins": "plugin-row",
    }  # fmt: skip
    if path in marks:
        await expect(page.get_by_test_id(marks[path]).first).to_be_visible()
    await expect(page.locator("h1").first).to_be_attached()
    await page.evaluate("document.fonts.ready.then(() => null)")


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: make test installs it with npm")
async def test_every_page_is_accessible_and_harmless_in_both_languages(url: str, page: Page) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    await sign_in(page, url)
    wrong: list[str] = []
    for lang in ("th", "en"):
        for theme in ("night", "day"):
            await page.evaluate("([k, v]) => localStorage.setItem(k, v)", ["safezone.lang", lang])
            await page.evaluate("([k, v]) => localStorage.setItem(k, v)", ["safezone.theme", theme])
            for path in PAGES:
                await page.goto(f"{url}{path}")
                await settled(page, path)
                wrong += [f"{lang} {theme} {path} {line}" for line in await findings(page)]
                assert await page.locator("img[src='x'], main script").count() == 0
                assert "broken" not in await page.title()
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
                if folder := os.environ.get("HUB_SCREENSHOTS"):
                    name = path.strip("/").replace("/", "_") or "board"
                    await page.screenshot(path=Path(folder) / f"{lang}_{theme}_{name}.png")
    assert wrong == []
    assert faults == []


async def test_every_page_fits_a_phone_and_its_buttons_a_thumb(url: str, page: Page) -> None:
    browser = page.context.browser
    assert browser is not None
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = await context.new_page()
    await sign_in(phone, url)
    for path in PAGES:
        await phone.goto(f"{url}{path}")
        await settled(phone, path)
        assert await phone.evaluate("document.documentElement.scrollWidth") == 390, f"{path} is too wide"
        low = await phone.evaluate(
            "[...document.querySelectorAll('main button, main a, header button, header a')]"
            ".filter(e => e.offsetHeight > 0 && e.getBoundingClientRect().height < 44 && !e.closest('.skip'))"
            ".map(e => e.outerHTML.slice(0, 120))"
        )
        assert low == [], path
    await context.close()


async def test_a_report_is_taken_answered_merged_and_closed_by_keyboard(url: str, page: Page) -> None:
    await sign_in(page, url)
    await page.goto(f"{url}/reports")
    row = page.get_by_test_id("report-row").filter(has_text="AAA-AA2")
    await expect(row).to_be_visible()
    detail = page.get_by_test_id("report-detail")
    for _ in range(8):
        await page.keyboard.press("j")
        if await row.get_attribute("aria-current") == "true":
            break
    await page.keyboard.press("Enter")
    await expect(detail).to_contain_text("AAA-AA2")
    await page.keyboard.press("r")
    await page.keyboard.type("กำลังไป")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_test_id("conversation")).to_contain_text("กำลังไป")
    await expect(detail).to_contain_text("มีคนรับแล้ว")

    await page.get_by_test_id("report-merge").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("combobox").select_option("report.aaa_aa1")
    await dialog.locator("[data-field=reason]").fill("เรื่องเดียวกัน")
    await dialog.get_by_test_id("action-submit").click()
    await expect(detail).to_contain_text("เรื่องเดียวกัน")
    await page.get_by_test_id("report-unmerge").click()
    await dialog.locator("[data-field=reason]").fill("คนละเรื่อง")
    await dialog.get_by_test_id("action-submit").click()
    await expect(page.get_by_test_id("report-merge")).to_be_visible()

    await page.get_by_test_id("report-close").click()
    await dialog.locator("[data-field=result]").fill("ตรวจแล้ว")
    await dialog.get_by_test_id("action-submit").click()
    await expect(row).to_have_count(1)  # the open one stays in the list while it is read
    await expect(detail).to_contain_text("ปิดแล้ว")


async def test_a_row_commands_and_a_form_sends_every_kind(url: str, page: Page) -> None:
    await sign_in(page, url)
    await page.goto(f"{url}/views/showcase")
    card = page.locator("[data-view=buttons]")
    lamp = card.locator("li").filter(has_text="โคม 4")
    await expect(lamp).to_contain_text("ปิดอยู่")
    await lamp.locator("[data-action='light.turn_on']").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_test_id("action-submit").click()
    await expect(dialog.get_by_test_id("result")).to_contain_text("100")
    await dialog.get_by_test_id("answer-close").click()
    await expect(lamp).to_contain_text("เปิดอยู่")

    form = page.locator("[data-view=everything]")
    await form.get_by_test_id("action-submit").click()
    await expect(form.get_by_role("alert")).to_contain_text("ต้องกรอก")
    await form.locator("[data-field=text]").fill("สวัสดี")
    await form.locator("fieldset").filter(has_text="Names").get_by_role("button", name="เพิ่ม").click()
    await form.locator("[data-field=name]").first.fill("ก")
    await form.locator("input[type=datetime-local]").fill("2026-11-22T14:05")
    await form.locator("input[type=file]").first.set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": "ก,1".encode()}
    )
    await expect(form).to_contain_text("a.csv")
    await form.get_by_test_id("action-submit").click()
    answer = form.get_by_test_id("result")
    await expect(answer).to_contain_text("22 พ.ย. 2569 14:05")
    await expect(answer).to_contain_text("สวัสดี")


async def test_a_table_sorts_filters_and_draws_only_what_is_in_sight(url: str, page: Page) -> None:
    await sign_in(page, url)
    await page.goto(f"{url}/views/showcase")
    table = page.locator("[data-view=long]")
    rows = table.locator("tbody tr[data-entity]")
    await expect(table).to_contain_text("500")
    assert 10 < await rows.count() < 80
    await expect(rows.first).to_contain_text("แถว 0")
    head = table.get_by_role("button", name="เลข")
    await head.click()
    await head.click()
    await expect(rows.first).to_contain_text("แถว 499")
    await table.get_by_role("searchbox").fill("แถว 42")
    await expect(rows).to_have_count(15)  # 42, 142 to 442, and 420 to 429
    await table.get_by_role("searchbox").fill("ไม่มีแน่")
    await expect(table).to_contain_text("ไม่พบ “ไม่มีแน่”")


async def test_a_call_for_help_stands_above_every_page_until_it_is_cleared(url: str, page: Page) -> None:
    await sign_in(page, url)
    await page.goto(f"{url}/plugins")
    bar = page.get_by_test_id("sos")
    await expect(bar).to_contain_text("<img src=x")
    await bar.locator("[data-action='unit.clear_sos']").click()
    dialog = page.get_by_role("dialog")
    await dialog.locator("[data-field=reason]").fill("ปลอดภัยแล้ว")
    await dialog.get_by_test_id("action-submit").click()
    await expect(bar).to_have_count(0)


async def test_a_link_opens_the_staff_route_of_its_instance(url: str, page: Page) -> None:
    await sign_in(page, url)
    await page.goto(f"{url}/views/showcase")
    link = page.get_by_test_id("view-link")
    assert await link.get_attribute("href") == "/plugin/showcase/paper.html"
    assert await link.get_attribute("target") == "_blank"
    cookies = {cookie["name"]: cookie["value"] for cookie in await page.context.cookies()}
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/plugin/showcase/paper.html", cookies=cookies) as answer:
            assert answer.status == 200
            assert "สวัสดี" in await answer.text()
        async with http.get(f"{url}/plugin/showcase/paper.html") as answer:
            assert answer.status == 401


async def test_the_sound_test_plays_each_priority(url: str, page: Page) -> None:
    await sign_in(page, url)
    await page.get_by_role("button", name="ทดสอบเสียง").click()
    heard = page.get_by_test_id("sound-heard")
    await expect(heard).to_be_disabled()
    for priority in ("critical", "high", "normal"):
        await page.get_by_test_id(f"sound-{priority}").click()
    await heard.click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
