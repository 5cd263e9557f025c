"""An officer writes a rule: from a blueprint, with two mistakes, in shadow, then live; two officers at one file."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.conftest import PASSWORD, USER, Demo
from tests.e2e.test_screens import AXE, findings

pytestmark = pytest.mark.e2e
expect.set_options(timeout=20_000)
FILE = "watchlist_hit_2.yaml"
CORNER = """\
# มุมตลาด
id: corner
alias: มุมตลาด / Corner
triggers:
  - trigger: event
    event_type: light_fault
conditions:
  - condition: state
    entity_id: drone.sky1
    state: "never"
actions:
  - action: alarm.raise
    data: {title: ไฟเสีย}
"""


def watched(page: Page) -> list[str]:
    """What the page's console says of its policy, and what broke in it."""
    wrong: list[str] = []
    page.on("pageerror", lambda fault: wrong.append(str(fault)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    return wrong


async def sign_in(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_test_id("login-user").fill(USER)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await expect(page.get_by_test_id("alarm-list")).to_be_visible()


async def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("HUB_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def two_lines_less(page: Page) -> None:
    """Empties the line of the cursor and the one above. No arrow keys: words that are offered take them."""
    for join in ("Backspace", None):
        await page.keyboard.press("Shift+Home")
        await page.keyboard.press("Shift+Home")  # the first may stop at the indent
        await page.keyboard.press("Delete")
        if join:
            await page.keyboard.press(join)


async def put(demo: Demo, file: str, text: str, base: str | None) -> dict[str, Any]:
    """As another officer, past the screen."""
    body = {"text": text, "base": base, "note": "จากอีกเครื่อง"}
    async with demo.http.put(
        f"{demo.url}/api/automation-files/{file}", json=body, headers={"X-CSRF": demo.csrf}
    ) as answer:
        assert answer.status == 200, await answer.text()
        told: dict[str, Any] = await answer.json()
        return told


async def shadow_of(demo: Demo, name: str) -> bool | None:
    rows = (await demo.get("/api/automations"))["automations"]
    return next((row["shadow"] for row in rows if row["id"] == name), None)


async def test_from_a_blueprint_to_a_rule_that_works(demo: Demo, page: Page, tmp_path: Path) -> None:
    wrong = watched(page)
    await sign_in(page, demo.url)
    await page.goto(f"{demo.url}/automations")
    await expect(page.get_by_test_id("automation-row").first).to_be_visible()
    await picture(page, "editor_list")
    await page.get_by_test_id("open-gallery").click()
    card = page.locator("[data-testid=blueprint-card][data-path='watchlist_hit.yaml']")
    await expect(card).to_be_visible()
    await picture(page, "editor_gallery")
    await card.get_by_role("link").click()
    await page.locator("[data-blank=line_group]").fill("demo-group")
    await page.locator("[data-blank=drone]").select_option("drone.sky1")
    await expect(page.locator(".cm-content")).to_contain_text("line_group: demo-group")
    await picture(page, "editor_blueprint")
    await page.get_by_test_id("blueprint-edit").click()

    text = page.locator(".cm-content")
    await expect(text).to_contain_text("use_blueprint:")
    await expect(page.get_by_test_id("check-state")).to_contain_text("✓")
    await text.click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type("modee: single\nmaxx: 3")
    places = page.get_by_test_id("mistake")
    await expect(places).to_have_count(2)
    assert [await one.get_attribute("data-line") for one in await places.all()] == ["8", "9"]
    await expect(page.locator(".cm-lintRange-error")).to_have_count(2)
    marked = await page.locator(".cm-lintRange-error").all_inner_texts()
    assert [word.rstrip(":") for word in marked] == ["modee", "maxx"]
    await picture(page, "editor_mistakes")
    written_on = asyncio.Event()

    async def late(route: Route) -> None:
        await written_on.wait()
        await route.continue_()

    saves = f"**/api/automation-files/{FILE}"
    await page.route(saves, late)
    await page.keyboard.press("Control+s")  # refused, and told when the officer has written on: the caret stays
    await page.keyboard.press("Control+End")
    for _ in "modee: single\nmaxx: 3":  # the words that are offered take the arrow keys
        await page.keyboard.press("Backspace")
        if not written_on.is_set():
            written_on.set()
            await expect(page.locator(".notice.bad")).to_be_visible()
    await expect(places).to_have_count(0)
    await page.unroute(saves, late)
    await expect(page.get_by_test_id("edit-state")).to_contain_text("ไฟล์ใหม่")
    assert not (tmp_path / "automations" / FILE).exists()

    await expect(page.get_by_test_id("mode-shadow")).to_be_checked()  # a new rule begins so
    await page.get_by_test_id("save-note").fill("ลองก่อน")
    await page.get_by_test_id("save").click()
    await expect(page.get_by_test_id("edit-state")).to_contain_text("ตรงกับ")
    assert await shadow_of(demo, "watchlist_hit_2") is True
    await page.get_by_test_id("mode-live").check()
    await page.keyboard.press("Control+s")
    await page.get_by_test_id("tab-versions").click()
    await expect(page.get_by_test_id("version")).to_have_count(2)
    assert await shadow_of(demo, "watchlist_hit_2") is False
    await expect(page.get_by_test_id("version").last).to_contain_text("ลองก่อน")
    written = (tmp_path / "automations" / FILE).read_text()
    assert written.startswith("id: watchlist_hit_2\n")
    assert written.endswith("    line_group: demo-group\n    drone: drone.sky1\n")
    await picture(page, "editor_saved")
    assert wrong == []


async def test_completion_conflict_versions_and_replay(demo: Demo, page: Page, tmp_path: Path) -> None:
    wrong = watched(page)
    first = await put(demo, "corner.yaml", CORNER, None)
    await sign_in(page, demo.url)
    await page.goto(f"{demo.url}/automations/edit/corner.yaml/9")
    text = page.locator(".cm-content")
    await expect(text).to_contain_text("drone.sky1")
    await text.click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type("  - action: light.boost\ntarget: {entity_id: ")
    options = page.locator(".cm-tooltip-autocomplete li")
    await expect(options.filter(has_text="light.lamp_01")).to_contain_text("ไฟถนน 1")
    await expect(options.filter(has_text="drone.sky1")).to_have_count(0)  # a drone is no light
    await picture(page, "editor_completion")
    await page.keyboard.press("Escape")
    await page.keyboard.type("light.lamp_99}")
    await expect(page.get_by_test_id("mistake").filter(has_text="light.lamp_99")).to_have_count(1)
    await two_lines_less(page)
    await page.keyboard.type("# ของฉัน")
    await expect(page.get_by_test_id("check-state")).to_contain_text("✓")

    theirs = await put(demo, "corner.yaml", CORNER + "# ของเขา\n", first["hash"])
    await page.keyboard.press("Control+s")
    box = page.get_by_test_id("conflict")
    await expect(box).to_contain_text("demo")
    await expect(box.get_by_test_id("diff")).to_contain_text("ของเขา")
    await picture(page, "editor_conflict")
    if AXE.is_file():
        assert await findings(page) == []
    await box.get_by_test_id("conflict-mine").click()
    await expect(box).to_have_count(0)
    mine = (tmp_path / "automations" / "corner.yaml").read_text()
    assert "# ของฉัน" in mine and "# ของเขา" not in mine and mine.startswith("# มุมตลาด\n")
    await page.get_by_test_id("tab-versions").click()
    await expect(page.get_by_test_id("version")).to_have_count(3)
    await page.locator("[data-testid=version][data-n='2']").get_by_test_id("version-undo").click()
    await expect(page.get_by_test_id("version")).to_have_count(4)
    back = (tmp_path / "automations" / "corner.yaml").read_bytes()
    assert hashlib.sha256(back).hexdigest()[:32] == theirs["hash"]
    await expect(text).to_contain_text("# ของเขา")

    await page.get_by_test_id("tab-replay").click()
    await page.get_by_test_id("replay-run").click()
    answer = page.get_by_test_id("replay-answer")
    await expect(answer).to_contain_text("จะทำงาน 0 ครั้ง", timeout=60_000)
    await picture(page, "editor_replay")
    assert wrong == []


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: make test installs it with npm")
async def test_the_editor_s_pages_are_accessible_in_both_languages(demo: Demo, page: Page) -> None:
    wrong = watched(page)
    await put(demo, "corner.yaml", CORNER, None)
    await sign_in(page, demo.url)
    marks = {
        "/automations": "[data-testid=automation-row]", "/automations/blueprints": "[data-testid=blueprint-card]",
        "/automations/blueprints/watchlist_hit.yaml": ".cm-content", "/automations/edit/corner.yaml": ".cm-content",
        "/automations/edit/new_one.yaml": "[data-testid=mistake]",
    }  # fmt: skip
    found: list[str] = []
    for lang in ("th", "en"):
        for theme in ("night", "day"):
            await page.evaluate("([k, v]) => localStorage.setItem(k, v)", ["safezone.lang", lang])
            await page.evaluate("([k, v]) => localStorage.setItem(k, v)", ["safezone.theme", theme])
            for path, mark in marks.items():
                await page.goto(f"{demo.url}{path}")
                await expect(page.locator(mark).first).to_be_visible()
                found += [f"{lang} {theme} {path} {line}" for line in await findings(page)]
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
                name = path.strip("/").replace("/", "_").removesuffix(".yaml")
                await picture(page, f"{lang}_{theme}_{name}")
    assert found == []
    assert wrong == []
