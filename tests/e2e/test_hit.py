"""A hit on the board: how it matched, what it may be instead, and a correction that changes the next match."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Demo
from tests.e2e.test_editor import picture, sign_in, watched
from tests.e2e.test_operator import happened, post

pytestmark = pytest.mark.e2e
CAMERA = "camera.gold_shop_1"


async def list_plate(demo: Demo, plate: str) -> None:
    params = {"plate": f"{plate} สุโขทัย", "urgent": True, "days": 1, "reason": "รถหาย", "legal_ground": "ทดสอบ"}
    await post(demo, "/api/actions/watchlist.add", {"params": params})


async def read(demo: Demo, series: str, number: str, **more: Any) -> dict[str, Any]:
    """A camera that reads by itself passes it on; the hit."""
    data = {"series": series, "number": number, "province": "สุโขทัย", "confidence": 0.95, **more}
    await post(demo, "/api/events", {"type": "plate_read", "entity": CAMERA, "data": data})
    return await happened(demo, "type=watchlist_hit&newest=1&limit=50", read_plate=series + number)


async def test_a_correction_changes_the_next_match(demo: Demo, page: Page) -> None:
    wrong = watched(page)
    await list_plate(demo, "5กว 7777")
    await list_plate(demo, "1กข 1234")
    other = {"series": "5กร", "number": "7777", "province": "สุโขทัย", "confidence": 0.2}
    first = await read(demo, "5กว", "7777", confidence=0.8, alternatives=[other])
    await sign_in(page, demo.url)
    await page.get_by_test_id("alarm-row").filter(has_text="5กว7777").first.click()
    review = page.locator(f"[data-testid=hit-review][data-entity='{first['entity']}']")
    await expect(review).to_be_visible()
    await picture(page, "hit_exact")
    await expect(review.get_by_test_id("hit-others")).to_contain_text("5กร7777")
    await review.get_by_test_id("hit-correct").click()
    await review.get_by_test_id("hit-plate").fill("๕กข 7777")  # ว was read, ข stands there
    await review.get_by_test_id("hit-plate").press("Enter")
    await expect(review).to_contain_text("แก้ไขแล้ว")
    reviewed = await happened(demo, "type=watchlist_reviewed&newest=1", verdict="corrected")
    assert (reviewed["entity"], reviewed["data"]["correct_plate"]) == (first["entity"], "5กข7777")

    second = await read(demo, "1กว", "1234")
    assert (second["data"]["plate"], second["data"]["match"]) == ("1กข1234", "near")
    await page.get_by_test_id("alarm-row").filter(has_text="1กข1234").first.click()
    review = page.locator(f"[data-testid=hit-review][data-entity='{second['entity']}']")
    await expect(review.get_by_test_id("hit-differs")).to_have_text("ข↔ว")
    await picture(page, "hit_near")
    await review.get_by_test_id("hit-confirm").click()
    await expect(review).to_contain_text("ยืนยันแล้ว")
    assert wrong == []
