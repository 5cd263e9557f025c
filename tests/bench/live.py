"""``python -m tests.bench live``: latency on the screen, what viewers cost, how soon a second one sees a picture.

A real RTSP server, the hub and its vision process as they run, Chromium for what is seen. ``latency_p50``: from the
hub's receipt of a picture to the screen. The cost of viewers is measured with plain sockets, which decode nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import psutil  # type: ignore[import-untyped]
from playwright.async_api import Page, async_playwright

from tests.e2e.conftest import CHROMIUM, FLAGS, PASSWORD, USER
from tests.e2e.live_kit import LiveHub, line, live_hub, walk
from tests.e2e.test_live import FIRST
from tests.vision.conftest import Camera, rtsp_missing

WIDE, HIGH = 1280, 720
STATUS = '[data-testid="live-player"]'
AGES = """async count => {
  const seen = [];
  while (seen.length < count) {
    await new Promise(r => setTimeout(r, 100));
    const age = document.querySelector('[data-testid="live-player"]').dataset.age;
    if (age) seen.push(Number(age));
  }
  return seen;
}"""


def say(name: str, value: float, unit: str) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps({"name": name, "value": round(value, 3), "unit": unit}) + "\n")
    sys.stdout.flush()


def street(folder: Path, fps: int) -> Camera:
    """A camera of 1280 × 720."""
    names = []
    for i, frame in enumerate(walk(15, WIDE, HIGH)):
        names.append(str(folder / f"{i}.raw"))
        Path(names[-1]).write_bytes(frame.tobytes())
    mount = {"fps": fps, "width": WIDE, "height": HIGH, "codec": "h264", "frames": names, "hold": 1}
    made = Camera(folder, {"mounts": {"/cam": mount}})
    made.start()
    return made


def cpu(hub: LiveHub) -> float:
    """Processor seconds of the hub and its children so far."""
    main = psutil.Process(hub.process.pid)
    times = [one.cpu_times() for one in (main, *main.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


async def viewer(http: aiohttp.ClientSession, url: str, got: list[int]) -> None:
    async with http.ws_connect(f"{url}/api/live/camera.a", origin=url) as socket:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                got.append(len(message.data))


async def share(hub: LiveHub, http: aiohttp.ClientSession, count: int, seconds: float) -> tuple[float, float]:
    """Per cent of a core that hub and vision use with so many viewers, and pictures a second each got."""
    got: list[int] = []
    tasks = [asyncio.create_task(viewer(http, hub.url, got)) for _ in range(count)]
    await asyncio.sleep(2)
    before, began, seen = cpu(hub), asyncio.get_running_loop().time(), len(got)
    await asyncio.sleep(seconds)
    spent, span = cpu(hub) - before, asyncio.get_running_loop().time() - began
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return 100 * spent / span, (len(got) - seen) / span / max(count, 1)


async def costs(hub: LiveHub, seconds: float) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.post(f"{hub.url}/api/session", json={"user": USER, "password": PASSWORD}) as answer:
            assert answer.status == 200
        base = 0.0
        for count in (0, 1, 8):
            used, rate = await share(hub, http, count, seconds)
            base = used if count == 0 else base
            say(f"cpu_viewers_{count}", used, "% of a core, hub and vision, the camera's pictures decoded")
            if count:
                say(f"cpu_per_viewer_{count}", (used - base) / count, "% of a core")
                say(f"pictures_per_viewer_{count}", rate, "1/s")


async def screen(hub: LiveHub, page: Page, samples: int) -> None:
    await hub.sign_in(page, "/cameras/a")
    await page.wait_for_selector(f'{STATUS}[data-status="live"]', timeout=30_000)
    ages: list[Any] = sorted(await page.evaluate(AGES, samples))
    say("latency_p50", ages[len(ages) // 2] * 1000, "ms, hub's receipt to screen")
    say("latency_p95", ages[len(ages) * 95 // 100] * 1000, "ms")
    first = sorted([float(await page.evaluate(FIRST, "camera.a")) for _ in range(9)])
    say("second_viewer_first_picture_p50", first[len(first) // 2], "ms, from opening the socket")
    say("second_viewer_first_picture_max", first[-1], "ms")


async def bench(fps: int, seconds: float, samples: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        camera = street(folder, fps)
        try:
            async with contextlib.AsyncExitStack() as at:
                hub = await at.enter_async_context(live_hub(folder, [line("a", camera.url(), record_s=20)]))
                await asyncio.sleep(3)
                await costs(hub, seconds)
                if CHROMIUM is None:
                    return
                driver = await at.enter_async_context(async_playwright())
                browser = await driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                await screen(hub, await browser.new_page(viewport={"width": 1366, "height": 768}), samples)
                await browser.close()
        finally:
            camera.kill()


def main(argv: list[str]) -> int:
    """The benchmark."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench live", description=__doc__)
    parser.add_argument("--fps", type=int, default=15, help="pictures a second of the camera")
    parser.add_argument("--seconds", type=float, default=10, help="for each figure of cost")
    parser.add_argument("--samples", type=int, default=100, help="of the latency on the screen")
    given = parser.parse_args(argv)
    if missing := rtsp_missing():
        sys.stderr.write(missing + "\n")
        return 1
    asyncio.run(bench(given.fps, given.seconds, given.samples))
    return 0
