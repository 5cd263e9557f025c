"""A real hub process and a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright

from tests.demo import demo_config

TOP = Path(__file__).resolve().parents[2]
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
USER, PASSWORD = "demo", "sukhothai-demo"
SERVE_WITHIN_S = 60
LINE = 18080  # the port of the demo's LINE server in config.yaml


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@dataclass
class Demo:
    """The running demo zone."""

    url: str
    line_port: int
    process: asyncio.subprocess.Process
    http: aiohttp.ClientSession
    csrf: str = ""

    async def sign_in(self) -> None:
        async with self.http.post(f"{self.url}/api/session", json={"user": USER, "password": PASSWORD}) as answer:
            self.csrf = (await answer.json())["csrf"]

    async def get(self, path: str) -> Any:
        async with self.http.get(f"{self.url}{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def line_sent(self) -> list[Any]:
        async with self.http.get(f"http://127.0.0.1:{self.line_port}/_sent") as answer:
            sent: list[Any] = await answer.json()
            return sent


@contextlib.asynccontextmanager
async def running_demo(config: Path, data: Path, ports: dict[int, int]) -> AsyncIterator[Demo]:
    """``hub run`` with a copy of the repository's own configuration."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "run", "--config", str(config), "--data", str(data), "--port", "0",
        cwd=TOP, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SERVE_WITHIN_S):
            while not (said := (await process.stdout.readline()).decode()).startswith("hub: "):
                assert said, "the hub ended before it served"
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            running = Demo(said.removeprefix("hub: ").strip(), ports[LINE], process, http)
            await running.sign_in()
            yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """The demo zone, its devices on free ports."""
    config, ports = demo_config(tmp_path)
    async with running_demo(config, tmp_path / "data", ports) as running:
        yield running


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of a real Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = await browser.new_page(viewport={"width": 1366, "height": 768}, locale="th-TH")
        yield opened
        await browser.close()
