"""The phone page in a phone-sized Chromium: with and without a script, with and without a network."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from hub.testing import Harness, Wire, harness, wire

HERE = Path(__file__).parent
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]  # fmt: skip
CONFIG = {"devices": [{"id": "s1", "name": {"th": "สายตรวจ ๑", "en": "Patrol 1"}, "secret": "secret-of-s1"}]}


@asynccontextmanager
async def phone(scripts: bool = True, over: list[Wire] | None = None) -> AsyncIterator[tuple[Harness, Page]]:
    """``over`` is given the wire between the phone and the hub."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    async with harness(HERE, CONFIG) as hub, wire(hub.port) as line, async_playwright() as driver:
        if over is not None:
            over.append(line)
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(
            viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, locale="th-TH",
            java_script_enabled=scripts, permissions=["geolocation"],
            geolocation={"latitude": 17.0079, "longitude": 99.8228, "accuracy": 6},
        )  # fmt: skip
        page = await context.new_page()
        await page.goto(hub.hook("phone").replace(f":{hub.port}/", f":{line.port}/"))
        await page.fill("input[name=device]", "s1")
        await page.fill("input[name=secret]", "secret-of-s1")
        await page.tap("button.go")
        await page.wait_for_selector("#sos")
        yield hub, page
        await browser.close()


async def cut(page: Page, line: Wire) -> None:
    """No network: the browser says so, and nothing passes."""
    await page.context.set_offline(True)
    await line.cut()


async def mend(page: Page, line: Wire) -> None:
    await line.mend()
    await page.context.set_offline(False)


async def test_all_that_matters_works_without_a_script() -> None:
    async with phone(scripts=False) as (hub, page):
        await page.tap("button[value=busy]")
        await page.wait_for_selector("button[value=busy].on")
        await page.tap("button[value='15']")
        await page.wait_for_selector("button[value=tap]")
        await page.tap("button.sos")
        await page.wait_for_selector("text=ศูนย์ได้รับ SOS แล้ว")
        await page.tap("#sos-on button")
        await page.wait_for_selector("#sos-on", state="detached")
        kinds = [event.type for event in hub.events() if event.entity == "unit.s1"]
        assert kinds[-4:] == ["unit_status_changed", "unit_timer_set", "sos_raised", "sos_cleared"]


async def test_the_position_is_sent_on_duty_and_the_button_goes_with_it() -> None:
    async with phone() as (hub, page):
        await page.tap("#position")
        moved = await hub.wait_event("unit_moved", timeout=15)
        assert (moved.data["lat"], moved.data["lon"], moved.data["accuracy_m"]) == (17.0079, 99.8228, 6)
        assert await page.get_attribute("#position", "aria-pressed") == "true"
        await page.tap("button[value=off_duty]")
        await page.wait_for_selector("#not-kept")
        assert await page.query_selector("#position") is None
        assert await page.evaluate("Object.keys(localStorage).filter(key => key.endsWith('position'))") == []


async def test_an_sos_without_a_network_arrives_when_it_is_back() -> None:
    lines: list[Wire] = []
    async with phone(over=lines) as (hub, page):
        await page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
        await page.reload()
        await page.wait_for_function("navigator.serviceWorker.controller !== null")
        await cut(page, lines[0])
        await page.tap("button.sos")
        await page.wait_for_selector("#offline:not([hidden])")
        await page.reload()  # the page opens without a network, and the SOS is still there
        await page.wait_for_selector("#offline:not([hidden])")
        await page.wait_for_function("Object.values(localStorage).some(kept => kept.includes('17.0079'))")
        assert hub.events("sos_raised") == []
        await mend(page, lines[0])
        raised = await hub.wait_event("sos_raised", timeout=25)
        await page.wait_for_selector("text=ศูนย์ได้รับ SOS แล้ว", timeout=20_000)
        assert (raised.data["kind"], raised.data["lat"]) == ("button", 17.0079)
        assert raised.data["raised_at"] < raised.received
        assert len(hub.events("sos_raised")) == 1


async def test_a_page_out_of_the_phone_s_memory_renews_itself() -> None:
    lines: list[Wire] = []
    async with phone(over=lines) as (hub, page):
        await page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
        await page.reload()
        await page.wait_for_function("navigator.serviceWorker.controller !== null")
        await cut(page, lines[0])
        await page.reload()  # the kept copy, from before the SOS
        await hub.call("unit.alert", "unit.s1", {"text": "ร้านทอง 1 กด SOS", "incident": "incident.7"})
        await mend(page, lines[0])
        await page.wait_for_selector("text=ร้านทอง 1 กด SOS", timeout=14_000)  # sooner than the next look


async def test_a_task_shows_itself_and_is_seen() -> None:
    async with phone() as (hub, page):
        case = {"text": "ร้านทอง 1 กด SOS", "incident": "incident.7", "lat": 17.0, "lon": 99.8}
        await hub.call("unit.alert", "unit.s1", case)
        await page.wait_for_selector("text=ร้านทอง 1 กด SOS", timeout=25_000)
        await page.tap("text=รับทราบงาน")
        await page.wait_for_selector("text=รับทราบแล้ว")
        (seen,) = hub.events("unit_task_seen")
        assert seen.data["incident"] == "incident.7"


async def test_everything_to_touch_is_large_enough_and_nothing_is_cut() -> None:
    async with phone() as (_, page):
        sizes = await page.eval_on_selector_all(
            "button, a, input:not([type=hidden])",
            "all => all.filter(e => e.offsetParent).map(e => [e.textContent.trim(), e.offsetHeight, e.offsetWidth])",
        )
        assert len(sizes) >= 9
        assert [row for row in sizes if min(row[1:]) < 48] == []
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        box = await page.locator("button.sos").bounding_box()  # in reach without scrolling
        assert box is not None
        assert box["y"] + box["height"] <= 740
