"""A hub with live cameras for the browser, shared by the test and the benchmark."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page, expect

from tests.e2e.conftest import PASSWORD, SERVE_WITHIN_S, TOP, USER

WIDE, HIGH = 640, 360


def walk(n: int = 40, wide: int = WIDE, high: int = HIGH) -> list[NDArray[np.uint8]]:
    """A street with a light that walks through it."""
    ground = np.linspace(40, 110, high, dtype=np.uint8)[:, None, None].repeat(wide, 1).repeat(3, 2)
    side, frames = high // 5, []
    for i in range(n):
        frame = ground.copy()
        left = i * (wide - side) // n
        frame[high // 2 : high // 2 + side, left : left + side] = (235, 220, 120)
        frames.append(frame)
    return frames


@dataclass
class LiveHub:
    """A running hub."""

    url: str
    process: asyncio.subprocess.Process

    async def sign_in(self, page: Page, path: str = "/") -> None:
        """The demo's officer, on a page."""
        await page.goto(self.url)
        await page.get_by_test_id("login-user").fill(USER)
        await page.get_by_test_id("login-password").fill(PASSWORD)
        await page.get_by_test_id("login-submit").click()
        await expect(page.get_by_test_id("alarm-list")).to_be_visible()
        if path != "/":
            await page.goto(self.url + path)


def config(cameras: list[str]) -> str:
    """The configuration: a desk and these cameras, each a line of YAML."""
    listed = "".join(f"        - {line}\n" for line in cameras)
    return (
        "zone:\n  name: {th: เขตทดสอบภาพสด, en: Live test zone}\n  timezone: Asia/Bangkok\n  center: [17.009, 99.824]\n"
        "  border: [[17.005, 99.82], [17.005, 99.828], [17.013, 99.828], [17.013, 99.82]]\n  simulated: true\n"
        "web: {host: 127.0.0.1, port: 0}\nplugins:\n  - plugin: incident_desk\n"
        f"  - plugin: rtsp_camera\n    config:\n      cameras:\n{listed}"
    )


def line(name: str, url: str, **more: object) -> str:
    """One camera as YAML in one line."""
    fields = {"analyse": "[]", "simulated": "true", **more}
    said = ", ".join(f"{key}: {value}" for key, value in fields.items())
    return f'{{id: {name}, name: {{th: กล้อง {name}, en: Camera {name}}}, url: "{url}", {said}}}'


@contextlib.asynccontextmanager
async def live_hub(folder: Path, cameras: list[str]) -> AsyncIterator[LiveHub]:
    """``hub run`` in its own process."""
    file = folder / "config.yaml"
    file.write_text(config(cameras))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "run", "--config", str(file), "--data", str(folder / "data"), "--port", "0",
        cwd=TOP, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SERVE_WITHIN_S):
            while not (said := (await process.stdout.readline()).decode()).startswith("hub: "):
                assert said, "the hub ended before it served"
        yield LiveHub(said.removeprefix("hub: ").strip(), process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()
