"""Emergency calls between two real browsers with invented cameras: picture both ways, a recording that plays, a hub
that is killed in the middle, a relay, and a citizen's phone without a script."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import orjson
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.conftest import CHROMIUM, FLAGS, SERVE_WITHIN_S, TOP, free_port

pytestmark = pytest.mark.e2e

MEDIA = [
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
TOKEN = "e2e-sticker-token-1"
USER, PASSWORD = "desk", "a long enough password 1"
GATE = {"id": "gate", "name": {"th": "ประตูเมือง", "en": "City gate"}, "lat": 17.017, "lon": 99.703, "token": TOKEN}
STATION = {"th": "สภ.เมืองสุโขทัย", "en": "Mueang Sukhothai police station"}
AXE = TOP / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PLAYS = """video => new Promise(done => {
  const canvas = document.createElement('canvas'), began = video.currentTime;
  canvas.width = canvas.height = 16;
  const look = () => {
    const pen = canvas.getContext('2d');
    pen.drawImage(video, 0, 0, 16, 16);
    const light = pen.getImageData(0, 0, 16, 16).data.reduce((sum, value, n) => sum + (n % 4 < 3 ? value : 0), 0);
    if (video.currentTime > began + 0.5 && light > 5000) done(light);
    else setTimeout(look, 100);
  };
  look();
})"""


@dataclass
class Hub:
    """A hub process with the stickers and one officer, which can be killed and started again on the same data."""

    folder: Path
    settings: dict[str, Any]
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None
    host: str = "127.0.0.1"  # another one brings TLS of the station's own authority, and a listener for the public
    public_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}" if self.host == "127.0.0.1" else f"https://{self.host}:{self.port}"

    @property
    def public(self) -> str:
        return self.url if self.host == "127.0.0.1" else f"https://{self.host}:{self.public_port}"

    @property
    def listeners(self) -> dict[str, Any]:
        if self.host == "127.0.0.1":
            return {"port": self.port}
        public = {"host": self.host, "port": self.public_port}
        return {"host": self.host, "port": self.port, "public": public}

    async def start(self) -> None:
        entry = {"plugin": "emergency_qr", "config": self.settings}
        config = {"zone": {"name": "test", "center": [17.0, 99.8]}, "web": self.listeners, "plugins": [entry]}
        path = self.folder / "config.yaml"
        path.write_bytes(orjson.dumps(config))
        arguments = ["--config", str(path), "--data", str(self.folder / "data")]
        if not (self.folder / "data").exists():
            await self._run("user", "add", USER, "--role", "operator", *arguments[2:])
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "run", *arguments, cwd=TOP, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(SERVE_WITHIN_S):
            while not (said := (await self.process.stdout.readline()).decode()).startswith("hub: "):
                assert said, "the hub ended before it served"

    async def _run(self, *words: str) -> None:
        made = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", *words, cwd=TOP, stdin=asyncio.subprocess.PIPE
        )
        await made.communicate(f"{PASSWORD}\n{PASSWORD}\n".encode())
        assert made.returncode == 0

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()


@asynccontextmanager
async def hub(folder: Path, host: str = "127.0.0.1", **settings: Any) -> AsyncIterator[Hub]:
    made = Hub(folder, {"responsible": STATION, "stickers": [GATE]} | settings, host=host)
    try:
        await made.start()
        yield made
    finally:
        await made.end()


@asynccontextmanager
async def chromium(*more: str) -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *MEDIA, *more])
        yield browser
        await browser.close()


async def officer(browser: Browser, at: Hub) -> Page:
    """An officer at the page of calls."""
    context = await browser.new_context(
        viewport={"width": 1366, "height": 768}, locale="th-TH", ignore_https_errors=True
    )
    page = await context.new_page()
    await page.goto(f"{at.url}/calls")
    await page.get_by_test_id("login-user").fill(USER)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await expect(page.get_by_test_id("call-queue")).to_be_visible()
    return page


async def citizen(browser: Browser, at: Hub, **context: Any) -> Page:
    """A phone at the sticker's page."""
    made = await browser.new_context(
        viewport={"width": 360, "height": 640}, locale="th-TH", geolocation={"latitude": 17.01, "longitude": 99.7},
        permissions=["geolocation"], ignore_https_errors=True, **context,
    )  # fmt: skip
    page = await made.new_page()
    await page.goto(f"{at.public}/hook/emergency_qr/p/{TOKEN}")
    return page


async def talking(phone: Page, desk: Page) -> int:
    """Call, answer, and see each other; milliseconds from the answer to the caller's first frame."""
    await phone.locator("#video").click()
    await desk.get_by_test_id("call-answer").click(timeout=15_000)
    panel = desk.get_by_test_id("call-panel")
    await expect(panel).to_have_attribute("data-phase", "talking", timeout=20_000)
    async with asyncio.timeout(20):
        assert await desk.get_by_test_id("call-far").evaluate(PLAYS) > 5000
        assert await phone.locator("#far").evaluate(PLAYS) > 5000
    return int(await panel.get_attribute("data-connect-ms") or "0")


async def kept(desk: Page, kilobytes: int) -> None:
    """Wait until so much of the recording is on the hub's disk."""
    record = desk.get_by_test_id("call-record")
    digits = re.compile(rf"^\d{{{len(str(kilobytes)) + 3},}}$")
    await expect(record).to_have_attribute("data-kept", digits, timeout=25_000)


async def events(desk: Page, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await desk.evaluate(f"fetch('/api/events?type={kind}').then(answer => answer.json())")
    return [event["data"] for event in found]


async def picture_of(desk: Page, media: str) -> tuple[int, float, bool]:
    """How many pictures a recording holds, their greatest brightness, and whether there is sound."""
    content = await desk.evaluate(
        "media => fetch('/api/media/' + media).then(a => a.ok ? a.arrayBuffer() : Promise.reject(a.status))"
        ".then(b => Array.from(new Uint8Array(b)))", media,
    )  # fmt: skip
    return await asyncio.to_thread(decoded, bytes(content))


def decoded(content: bytes) -> tuple[int, float, bool]:
    """Frames, the greatest mean brightness of one, and whether there is sound."""
    frames, light = 0, 0.0
    with av.open(io.BytesIO(content), mode="r") as recording:
        sound = bool(recording.streams.audio)
        for frame in recording.decode(video=0):
            frames, light = frames + 1, max(light, float(frame.to_ndarray(format="gray8").mean()))
    return frames, light, sound


async def violations(page: Page) -> list[str]:
    """What axe finds wrong (WCAG 2.2 AA), one line each; nothing when it is not installed. The driver runs it: the
    pages' own policies let no script of a stranger in."""
    if not AXE.is_file():
        return []
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    await page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    found = await page.evaluate("tags => axe.run(document, {runOnly: tags})", rules)
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]


async def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("HUB_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_a_call_connects_both_see_each_other_and_it_is_recorded(tmp_path: Path) -> None:
    async with hub(tmp_path) as at, chromium() as one, chromium() as two:
        desk, phone = await officer(one, at), await citizen(two, at)
        await shot(phone, "citizen_th")
        assert await violations(phone) == []
        milliseconds = await talking(phone, desk)
        print(f"connected in {milliseconds} ms")
        assert 0 < milliseconds < 8_000
        await desk.get_by_test_id("call-locate").click()
        await expect(desk.get_by_test_id("call-position")).to_contain_text("17.01000, 99.70000", timeout=10_000)
        await expect(desk.get_by_test_id("call-phase")).to_contain_text("ทางตรง", timeout=10_000)
        await kept(desk, 100)
        await shot(desk, "desk_th")
        await desk.get_by_test_id("lang-switch").click()
        await shot(desk, "desk_en")
        assert await violations(desk) == []
        assert await violations(phone) == []
        await shot(phone, "citizen_call_th")
        await desk.get_by_test_id("call-end").click()
        await expect(phone.locator("#note a")).to_be_visible(timeout=10_000)
        await expect(desk.get_by_test_id("call-play")).to_have_count(1, timeout=10_000)
        (recorded,) = await events(desk, "call_recorded")
        frames, light, sound = await picture_of(desk, recorded["media"])
        assert (frames > 20, light > 20, sound, recorded["interrupted"]) == (True, True, True, False)
        assert await events(desk, "recording_failed") == []
        await desk.get_by_test_id("call-play").click()
        async with asyncio.timeout(15):
            assert await desk.get_by_test_id("call-player").evaluate(PLAYS) > 5000
        await phone.locator("#note a").click()
        await expect(phone.locator(".receipt")).to_be_visible()
        await shot(phone, "citizen_status_th")
        assert await violations(phone) == []


async def test_the_recording_until_a_kill_plays_and_the_call_goes_on(tmp_path: Path) -> None:
    async with hub(tmp_path) as at, chromium() as one, chromium() as two:
        desk, phone = await officer(one, at), await citizen(two, at)
        await talking(phone, desk)
        await kept(desk, 100)
        told = int(await desk.get_by_test_id("call-record").get_attribute("data-kept") or "0")
        await at.end(signal.SIGKILL)
        await at.start()
        panel = desk.get_by_test_id("call-panel")
        async with asyncio.timeout(40):
            assert await desk.get_by_test_id("call-far").evaluate(PLAYS) > 5000
        await expect(panel).to_have_attribute("data-phase", "talking", timeout=40_000)
        async with asyncio.timeout(30):
            while not (found := await events(desk, "call_recorded")):
                await desk.wait_for_timeout(200)
        cut = found[0]  # what goes on is a recording of its own
        assert (cut["interrupted"], cut["bytes"] >= told) == (True, True)
        frames, light, _ = await picture_of(desk, cut["media"])
        assert frames > 20 and light > 20


async def test_either_side_may_drop_and_comes_back_to_the_same_call(tmp_path: Path) -> None:
    async with hub(tmp_path) as at, chromium() as one, chromium() as two:
        desk, phone = await officer(one, at), await citizen(two, at)
        await talking(phone, desk)
        call = await desk.get_by_test_id("call-panel").get_attribute("data-call")
        await phone.reload()  # a frightened thumb
        async with asyncio.timeout(30):
            assert await phone.locator("#far").evaluate(PLAYS) > 5000
            assert await desk.get_by_test_id("call-far").evaluate(PLAYS) > 5000
        await desk.reload()
        await desk.get_by_test_id("call-rejoin").click(timeout=15_000)
        async with asyncio.timeout(30):
            assert await desk.get_by_test_id("call-far").evaluate(PLAYS) > 5000
            assert await phone.locator("#far").evaluate(PLAYS) > 5000
        assert await desk.get_by_test_id("call-panel").get_attribute("data-call") == call
        assert len(await events(desk, "call_started")) == 1
        assert {one["link"] for one in await events(desk, "call_link_changed")} == {"lost", "up"}
        assert await events(desk, "call_ended") == []


async def test_without_a_script_a_report_is_sent_and_answered(tmp_path: Path) -> None:
    async with hub(tmp_path) as at, chromium() as browser:
        phone = await citizen(browser, at, java_script_enabled=False)
        await expect(phone.locator("#video")).to_be_hidden()
        await phone.locator("#text").fill("ไฟไหม้ตลาด")
        await phone.locator("button.send").click()
        await expect(phone.locator(".receipt")).to_be_visible()
        assert re.search(r"/r/[0-9A-Z]{3}-[0-9A-Z]{3}/[\w-]+", phone.url)
        await expect(phone.locator("li.me")).to_contain_text("ไฟไหม้ตลาด")
        await phone.goto(f"{at.url}/hook/emergency_qr/p/{TOKEN}?lang=en")
        await shot(phone, "citizen_en")
        await phone.get_by_text("See your last report").click()  # the browser keeps it
        await expect(phone.locator(".receipt")).to_be_visible()
        answer = await phone.request.get(f"{at.url}/hook/emergency_qr/p/{TOKEN}")
        assert len(await answer.body()) <= 10_240


def own_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no network address but loopback")
        address: str = asked.getsockname()[0]
        return address


async def test_off_loopback_camera_and_call_need_and_have_https(tmp_path: Path) -> None:
    async with hub(tmp_path, own_address()) as at, chromium() as one, chromium() as two:
        desk, phone = await officer(one, at), await citizen(two, at)
        assert phone.url.startswith(at.public) and at.public != at.url
        await talking(phone, desk)
        await kept(desk, 10)


@asynccontextmanager
async def coturn(folder: Path, secret: str) -> AsyncIterator[int]:
    """Debian's TURN server on loopback, with time-limited passwords."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is not installed: apt-get install coturn")
    port = free_port(socket.SOCK_DGRAM)
    relay = ["--min-port", "49160", "--max-port", "49360", "--allow-loopback-peers"]
    arguments = [
        "-n", "--use-auth-secret", f"--static-auth-secret={secret}", "--realm=test", "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1", f"--listening-port={port}", "--no-tls", "--no-dtls", "--no-cli", "--log-file=stdout",
        f"--userdb={folder / 'turn.db'}", f"--pidfile={folder / 'turn.pid'}", *relay,
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()


async def test_a_call_goes_through_a_relay_with_passwords_that_end(tmp_path: Path) -> None:
    secret = "north gate of the old city"
    async with coturn(tmp_path, secret) as port:
        ice = {"turn": [f"turn:127.0.0.1:{port}?transport=udp"], "turn_secret": secret, "relay_only": True}
        async with hub(tmp_path, ice=ice) as at, chromium() as one, chromium() as two:
            desk, phone = await officer(one, at), await citizen(two, at)
            milliseconds = await talking(phone, desk)
            print(f"connected through the relay in {milliseconds} ms")
            await expect(desk.get_by_test_id("call-phase")).to_contain_text("ผ่านตัวกลาง", timeout=10_000)
            await kept(desk, 10)

