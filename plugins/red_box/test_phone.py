"""The patrol's page in a phone-sized Chromium: the camera reads a code, the network is cut and comes back, and the
printed sheet is read by another reader."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import segno
from PIL import Image
from playwright.async_api import Page, async_playwright

from hub.sdk import WebRequest
from hub.testing import Harness, harness, wire

from .conftest import CONFIG, HERE, RB1, UNITS, Patrol

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]  # fmt: skip
VENDOR = HERE.parents[1] / "hub" / "web" / "ui_dist" / "vendor"


def film(text: str, path: Path) -> None:
    """A camera's film that shows the code: JPEG pictures one after another, as Chromium's fake camera reads them."""
    code = io.BytesIO()
    segno.make(text, error="q").save(code, kind="png", scale=6, border=4)
    picture = Image.new("RGB", (640, 480), "#777777")
    picture.paste(Image.open(code).convert("RGB"), (150, 60))
    frame = io.BytesIO()
    picture.save(frame, "JPEG", quality=85)
    path.write_bytes(frame.getvalue() * 10)


@asynccontextmanager
async def phone(
    hub: Harness, *more: str, scripts: bool = True, at_box: bool = True, port: int | None = None
) -> AsyncIterator[Page]:
    """A signed-in phone with a touch screen of 360 × 740, standing at the first box. ``port``: over which it comes."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *more])
        context = await browser.new_context(
            viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, locale="th-TH",
            java_script_enabled=scripts, permissions=["geolocation", "camera"] if at_box else ["camera"],
            geolocation={"latitude": RB1[0], "longitude": RB1[1], "accuracy": 6},
        )  # fmt: skip
        page = await context.new_page()
        await page.goto(hub.hook("scan").replace(f":{hub.port}/", f":{port or hub.port}/"))
        await page.fill("input[name=device]", "s1")
        await page.fill("input[name=secret]", "secret-of-s1")
        await page.tap("button.go")
        await page.wait_for_selector("#typed")
        yield page
        await browser.close()


@asynccontextmanager
async def station() -> AsyncIterator[tuple[Harness, Patrol]]:
    config: dict[str, Any] = {**CONFIG, "windows": ["00:00-24:00/60"]}
    async with harness(HERE, config, beside=[UNITS]) as hub, aiohttp.ClientSession() as http:
        yield hub, Patrol(hub, http, None)


async def test_the_camera_reads_the_code_with_the_hubs_own_reader(tmp_path: Path) -> None:
    if not (VENDOR / "zxing_reader.wasm").is_file():
        pytest.skip("the screens are not built: make install")
    async with station() as (hub, one):
        shown = f"{hub.hook('scan')}?c={one.code()}"
        film(shown, tmp_path / "code.mjpeg")
        async with phone(hub, f"--use-file-for-fake-video-capture={tmp_path / 'code.mjpeg'}") as page:
            loaded: list[str] = []
            page.on("response", lambda answer: loaded.append(f"{answer.status} {answer.url.rpartition('/')[2]}"))
            await page.tap("#scan")
            await page.wait_for_selector("#told .ok", timeout=15_000)
            assert "ร้านทอง 1" in await page.inner_text("#told .ok")
            assert "200 zxing_reader.wasm" in loaded
        (event,) = hub.events("checkpoint_scanned")
        assert (event.entity, event.data["unit"], event.data["doubts"]) == ("checkpoint.rb1", "unit.s1", [])
        assert event.data["distance_m"] == pytest.approx(0, abs=1)


async def test_scans_made_without_a_network_arrive_when_it_is_back(tmp_path: Path) -> None:
    async with station() as (hub, one):
        async with wire(hub.port) as line, phone(hub, port=line.port) as page:
            await page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
            await page.reload()
            await page.wait_for_function("navigator.serviceWorker.controller !== null")
            await page.context.set_offline(True)
            await line.cut()
            for code in (one.code("rb1"), one.code("rb1")):
                await page.fill("input[name=code]", code)
                await page.tap("#typed button")
            await page.wait_for_selector("text=เก็บไว้ในเครื่องแล้ว")
            await page.reload()  # the page opens without a network, and what was scanned is still there
            await page.wait_for_selector("#offline:not([hidden])")
            assert await page.inner_text("#waiting") == "(2)"
            assert hub.events("checkpoint_scanned") == []
            await line.mend()
            await page.context.set_offline(False)
            await page.wait_for_selector("#told .ok", timeout=20_000)
            await page.wait_for_selector("#offline", state="hidden")
        events = hub.events("checkpoint_scanned")
        assert [event.data["doubts"] for event in events] == [[], []]
        assert len({event.data["scan_id"] for event in events}) == 2
        for event in events:
            assert event.data["device_at"] < event.data["received_at"]
            assert event.data["accuracy_m"] == 6


async def test_without_a_position_and_without_a_script(tmp_path: Path) -> None:
    async with station() as (hub, one), phone(hub, scripts=False) as page:
        await page.fill("input[name=code]", one.code())
        await page.tap("#typed button")
        assert "บันทึกแล้ว ร้านทอง 1" in await page.inner_text("#told .ok")
        await page.screenshot(path=tmp_path / "told.png")
        (event,) = hub.events("checkpoint_scanned")
        assert event.data["doubts"] == ["no_position"]


async def test_everything_to_touch_is_large_enough() -> None:
    async with station() as (hub, _), phone(hub) as page:
        sizes = await page.eval_on_selector_all(
            "button, a, input:not([type=hidden])",
            "all => all.filter(e => e.offsetParent).map(e => [e.textContent.trim() || e.name, e.offsetHeight])",
        )
        assert len(sizes) >= 3
        assert [row for row in sizes if row[1] < 48] == []


async def test_the_printed_sheet_is_read_by_another_reader(tmp_path: Path) -> None:
    for program, package in (("zbarimg", "zbar-tools"), ("pdftoppm", "poppler-utils")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install {package}")
    async with station() as (hub, one):
        served = hub.app.host.routes.staff("red_box", "GET", "sheet")
        assert served.right == "checkpoint.control"
        answer = await hub.app.host.routes.ask(served, WebRequest("GET", "sheet", {}, {}, b"", "127.0.0.1", "user:a"))
        assert (answer.status, answer.content_type) == (200, "application/pdf")
        read, words = await asyncio.to_thread(printed, answer.body, tmp_path)
        base = f"http://127.0.0.1:{hub.port}/hook/red_box/scan?c="
        assert sorted(read.split()) == sorted([base + one.code("rb1"), base + one.code("rb2")])
        assert "ร้านทอง" in words


def printed(pdf: bytes, folder: Path) -> tuple[str, str]:
    """What zbar reads in the pictures of the pages, and their words."""
    (folder / "sheet.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "150", "-png", "sheet.pdf", "sheet"], cwd=folder, check=True)
    pictures = sorted(map(str, folder.glob("sheet*.png")))
    read = subprocess.run(["zbarimg", "-q", "--raw", *pictures], capture_output=True, text=True, check=True).stdout
    words = subprocess.run(["pdftotext", "sheet.pdf", "-"], cwd=folder, capture_output=True, check=True).stdout
    return read, words.decode()
