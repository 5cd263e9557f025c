"""Live pictures in a real browser from real RTSP cameras: they move, a second viewer is quick, what dies comes back."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from tests.e2e.live_kit import HIGH, WIDE, LiveHub, line, live_hub, walk
from tests.vision.conftest import MakeCamera, camera  # noqa: F401  # a fixture
from tests.vision.test_process import snapshots

pytestmark = pytest.mark.e2e
SHOWN_MS = 20_000
MOVES = "v => new Promise(r => { const t = v.currentTime; setTimeout(() => r(v.currentTime - t), 1500) })"
FIRST = """entity => new Promise(done => {
  const began = performance.now();
  setTimeout(() => done(99999), 9000);
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/live/${entity}`);
  socket.binaryType = 'arraybuffer';
  let codecs, source, buffer, video = document.createElement('video');
  video.muted = true; video.width = 64; video.style.cssText = 'position:fixed;top:0;left:0;z-index:99';
  document.body.append(video);
  const waiting = [];
  const feed = () => { if (buffer && !buffer.updating && waiting.length) buffer.appendBuffer(waiting.shift()) };
  video.requestVideoFrameCallback(() => { done(performance.now() - began); socket.close(); video.remove() });
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') {
      const said = JSON.parse(data);
      if (said.kind !== 'fmp4') return;
      source = new MediaSource(); video.src = URL.createObjectURL(source);
      source.onsourceopen = () => {
        buffer = source.addSourceBuffer(`video/mp4; codecs="${said.codecs}"`);
        buffer.onupdateend = () => {
          const { buffered } = video;
          if (buffered.length && video.currentTime < buffered.start(0)) video.currentTime = buffered.end(0) - 0.05;
          video.play();
          feed();
        };
        feed();
      };
    } else { waiting.push(new Uint8Array(data, 9)); feed() }
  };
})"""


def tile(page: Page, entity: str) -> Any:
    return page.locator(f'[data-testid="live-player"][data-entity="{entity}"]')


async def shows(page: Page, entity: str, status: str = "live", timeout: int = SHOWN_MS) -> None:
    await expect(tile(page, entity)).to_have_attribute("data-status", status, timeout=timeout)


async def moving(page: Page, entity: str) -> float:
    """How far the video goes in 1.5 s."""
    went: float = await tile(page, entity).locator("video").evaluate(MOVES)
    return went


async def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("HUB_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_tiles_move_and_a_second_viewer_is_quick(tmp_path: Path, camera: MakeCamera, page: Page) -> None:  # noqa: F811
    street = camera(walk(), fps=15, paths=("/a", "/b"))
    h265 = camera(walk(), fps=10, codec="h265")
    async with snapshots((30, 90, 200)) as still:
        cameras = [
            line("a", street.url("/a"), owner="gold_shop"), line("b", street.url("/b"), position="[17.01, 99.825]"),
            line("h", h265.url()), line("s", f"{still}/snap", kind="snapshot", every_s=0.5),
        ]  # fmt: skip
        async with live_hub(tmp_path, cameras) as hub:
            await hub.sign_in(page, "/cameras")
            for name in ("a", "b"):
                await shows(page, f"camera.{name}")
                assert 0.5 < await moving(page, f"camera.{name}") < 2.5
                assert float(await tile(page, f"camera.{name}").get_attribute("data-age") or 9) < 2.0
            size = await tile(page, "camera.a").locator("video").evaluate("v => [v.videoWidth, v.videoHeight]")
            assert size == [WIDE, HIGH]
            await shows(page, "camera.h", "h265")
            await expect(tile(page, "camera.h")).to_contain_text("H.265 ซึ่งเบราว์เซอร์เล่นไม่ได้")
            await shows(page, "camera.s")
            shade = "c => [...c.getContext('2d').getImageData(80, 60, 1, 1).data.slice(0, 3)]"
            pixel = await tile(page, "camera.s").locator("canvas").evaluate(shade)
            assert max(abs(a - b) for a, b in zip(pixel, (30, 90, 200), strict=True)) < 8
            first_ms = await page.evaluate(FIRST, "camera.a")
            sys.stdout.write(f"second viewer's first picture after {first_ms:.0f} ms\n")
            assert first_ms < 1_000, f"a second viewer saw the first picture after {first_ms:.0f} ms"
            card = page.locator('[data-testid="live-tile"][data-entity="camera.a"]')
            await expect(card).to_contain_text("gold_shop")
            await expect(card).to_contain_text("เวรศูนย์ควบคุม")
            await expect(card).to_contain_text("จำลอง")
            await picture(page, "cameras-th")
            await keys(page)
            await clip(page, hub)
            await english(page)


async def keys(page: Page) -> None:
    """The keyboard alone: one tile a page, the next page, open, back."""
    await page.keyboard.press("1")
    await expect(page.get_by_test_id("live-tile")).to_have_count(1)
    await page.keyboard.press("PageDown")
    await shows(page, "camera.b")
    await expect(tile(page, "camera.a")).to_have_count(0)  # what is not in sight is not asked for
    await page.keyboard.press("9")
    await expect(page.get_by_test_id("live-tile")).to_have_count(4)
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/cameras/b$"))
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(re.compile("/cameras$"))


async def clip(page: Page, hub: LiveHub) -> None:
    """A press keeps the seconds around it, and they play."""
    await page.goto(f"{hub.url}/cameras/a")
    await shows(page, "camera.a")
    await page.get_by_test_id("camera-clip").click()
    kept = page.get_by_test_id("kept-clip").first
    await expect(kept).to_be_visible(timeout=40_000)
    await picture(page, "camera-one-th")
    seen = await page.evaluate(
        "url => new Promise((done, fail) => { const v = document.createElement('video'); v.src = url; v.muted = true;"
        "v.onloadedmetadata = () => done([v.duration, v.videoWidth]); v.onerror = () => fail(v.error.message) })",
        await kept.get_attribute("href"),
    )
    assert 10 < seen[0] < 26 and seen[1] == WIDE


async def english(page: Page) -> None:
    await page.goto(page.url.rsplit("/", 1)[0])
    await page.get_by_test_id("lang-switch").click()
    await shows(page, "camera.a")
    await picture(page, "cameras-en")
    thai = await page.evaluate(
        "[...document.querySelectorAll('button, h1, h2, strong, label, span, p')].map(e => e.textContent.trim())"
        ".filter(t => /[\\u0e00-\\u0e7f]/.test(t) && t !== 'ไทย')"
    )
    assert [words for words in thai if "เขตทดสอบ" not in words and words != "ไทย"] == []


async def test_what_dies_says_so_and_comes_back(tmp_path: Path, camera: MakeCamera, page: Page) -> None:  # noqa: F811
    street = camera(walk(), fps=15, paths=("/a",))
    async with live_hub(tmp_path, [line("a", street.url("/a"))]) as hub:
        await hub.sign_in(page, "/wall/cameras")
        await shows(page, "camera.a")
        street.kill()
        began = time.monotonic()
        await shows(page, "camera.a", "off", 10_000)
        assert time.monotonic() - began < 6
        await expect(tile(page, "camera.a")).to_contain_text("กล้องไม่ส่งภาพ")
        await picture(page, "wall-cameras-off-th")
        street.start()
        await shows(page, "camera.a")
        assert 0.5 < await moving(page, "camera.a") < 2.5
        vision = next(
            child for child in psutil.Process(hub.process.pid).children() if "hub.vision" in child.cmdline()
        )
        os.kill(vision.pid, signal.SIGKILL)
        await shows(page, "camera.a", "off", 5_000)
        await shows(page, "camera.a")
        assert 0.5 < await moving(page, "camera.a") < 2.5
        await picture(page, "wall-cameras-th")
        for name in ("map", "alarms"):
            await page.goto(f"{hub.url}/wall/{name}")
            await expect(page.get_by_test_id("map" if name == "map" else "wall-alarms")).to_be_visible()
            if name == "alarms":
                await expect(page.get_by_test_id("wall-alarms")).to_contain_text("ไม่มีสัญญาณเตือน")
            assert await page.locator("button:visible, input:visible").count() == 0  # a wall has no controls
            await picture(page, f"wall-{name}-th")


async def test_mjpeg_over_http_is_shown(tmp_path: Path, page: Page) -> None:
    from plugins.rtsp_camera.fake import picture as drawn

    async def film(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=b"})
        await answer.prepare(request)
        for n in range(10_000):
            shot = drawn(n)
            head = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(shot)}\r\n\r\n".encode()
            await answer.write(head + shot + b"\r\n")
            await asyncio.sleep(0.1)  # the camera's own pace
        return answer

    app = web.Application()
    app.router.add_get("/film", film)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/film"
    async with live_hub(tmp_path, [line("m", url, kind="mjpeg")]) as hub:
        await hub.sign_in(page, "/cameras")
        await shows(page, "camera.m")
        assert float(await tile(page, "camera.m").get_attribute("data-age") or 9) < 1.0
    await runner.cleanup()
