"""Two accounts in two browsers: an owner shares a camera, an officer sees it live, the owner takes it back."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from plugins.shop_cctv.fake import Camera
from tests.e2e.conftest import CHROMIUM, FLAGS, PASSWORD, SERVE_WITHIN_S, TOP

pytestmark = pytest.mark.e2e
CONFIG = """\
zone: {{name: {{th: เขตทดสอบ, en: Test zone}}, center: [17.0079, 99.8228], simulated: true}}
plugins:
  - plugin: shop_cctv
    name: gold_shop_cctv
    config:
      owner: gold_shop_2
      cameras:
        - id: shop_in
          name: {{th: กล้องในร้านทอง 2, en: Gold shop 2 inside}}
          url: http://127.0.0.1:{port}/picture
          username: shop
          password: rain-on-the-temple
          every_s: 0.3
          simulated: true
"""
CAMERA = "camera.shop_in"
SEEN_MS = 40_000  # the vision process imports its libraries first


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[str]:
    """A hub with one private camera behind Digest; its address."""
    camera = Camera(("shop", "rain-on-the-temple"))
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(port=await camera.start()), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "run", "--config", str(config), "--data", str(tmp_path / "data"), "--port", "0",
        cwd=TOP, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SERVE_WITHIN_S):
            while not (said := (await process.stdout.readline()).decode()).startswith("hub: "):
                assert said, "the hub ended before it served"
        yield said.removeprefix("hub: ").strip()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()
        await camera.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    async with async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        await opened.close()


async def signed_in(browser: Browser, url: str, user: str, path: str = "/") -> Page:
    context = await browser.new_context(viewport={"width": 1366, "height": 900}, locale="th-TH")
    page = await context.new_page()
    await page.goto(f"{url}{path}")
    await page.get_by_test_id("login-user").fill(user)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await expect(page.get_by_test_id("login-submit")).to_have_count(0)
    return page


async def test_an_owner_shares_an_officer_watches_the_owner_takes_it_back(hub: str, browser: Browser) -> None:
    owner = await signed_in(browser, hub, "goldshop")
    mine = owner.get_by_test_id("own-camera")
    await expect(mine).to_have_attribute("data-entity", CAMERA)
    await expect(mine.locator('[data-status="live"]')).to_be_visible(timeout=SEEN_MS)  # the owner sees at once
    await expect(mine).to_contain_text("ไม่แบ่งปัน")

    officer = await signed_in(browser, hub, "demo", "/cameras")
    tile = officer.locator(f'[data-testid="live-tile"][data-entity="{CAMERA}"]')
    await expect(tile).to_be_visible(timeout=SEEN_MS)
    await expect(tile.locator('[data-status="live"]')).to_have_count(0)

    await mine.get_by_test_id("share-switch").click()
    await owner.get_by_test_id("share-form").get_by_role("button", name="แบ่งปัน").click()
    await expect(mine).to_contain_text("แบ่งปันอยู่")

    await officer.reload()
    await expect(tile.locator('[data-status="live"]')).to_be_visible(timeout=SEEN_MS)
    await expect(mine).to_contain_text("มีคนกำลังดู 1 คน", timeout=10_000)

    await mine.get_by_test_id("share-switch").click()
    began = time.monotonic()
    await expect(tile.locator('[data-status="live"]')).to_have_count(0, timeout=5_000)
    assert time.monotonic() - began < 2.0  # the hub cuts within one second; the click and the screen take the rest
    await expect(mine).to_contain_text("ไม่แบ่งปัน")

    views = owner.get_by_test_id("view-list")
    row = views.locator('tr[data-kind="live"]').first
    await expect(row).to_contain_text("demo")
    await expect(row).to_contain_text("ศูนย์ควบคุม (CCOC)")
    await expect(row).to_contain_text("เวรศูนย์ควบคุม")
    await expect(views).not_to_contain_text("กำลังดูอยู่")
    await expect(owner.get_by_test_id("share-list").locator('tr[data-state="revoked"]')).to_have_count(1)


async def test_an_officer_asks_and_the_owner_allows(hub: str, browser: Browser) -> None:
    officer = await signed_in(browser, hub, "demo", "/shares")
    form = officer.get_by_test_id("ask-form")
    await form.get_by_role("checkbox", name="กล้องในร้านทอง 2").check()
    await form.locator("textarea").fill("รถจักรยานยนต์หายหน้าร้าน")
    await form.get_by_role("button", name="ส่งคำขอ").click()
    await expect(officer.get_by_test_id("wish")).to_have_attribute("data-state", "waiting")

    owner = await signed_in(browser, hub, "goldshop")
    await expect(owner.get_by_test_id("wish")).to_contain_text("รถจักรยานยนต์หายหน้าร้าน")
    await owner.get_by_test_id("wish-yes").click()
    await expect(owner.get_by_test_id("own-camera")).to_contain_text("แบ่งปันอยู่")
    await expect(officer.get_by_test_id("wish")).to_have_attribute("data-state", "approved", timeout=10_000)

    other = await signed_in(browser, hub, "hotel")  # another owner sees nothing of it
    await expect(other.locator("main")).to_contain_text("ยังไม่มีกล้องที่ตั้งเป็นส่วนตัวในชื่อของท่าน")
