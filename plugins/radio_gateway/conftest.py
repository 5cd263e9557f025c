"""A radio server of the tests' own, and Debian's Mumble server with a folder of its own."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plugins.radio_gateway import fake

PHRASES: list[dict[str, Any]] = [
    {"id": "sos", "th": "ขอความช่วยเหลือ", "en": "needs help"},
    {"id": "unit", "th": "หน่วย", "en": "unit"},
    {"id": "attention", "th": "ทุกหน่วยโปรดทราบ", "en": "all units"},
    *({"id": one, "th": one, "en": one} for one in "s0123456789"),
]
BASE: dict[str, Any] = {
    "host": "127.0.0.1",
    "channels": [{"id": "patrol", "name": {"th": "สายตรวจ", "en": "Patrol"}, "channel": "สายตรวจ"}],
    "phrases": PHRASES,
    "templates": [{"id": "sos", "phrases": ["attention", "unit", "{unit}", "sos"]}],
    "ping_s": 0.3, "silent_s": 1.5, "quiet_wait_s": 1,
}  # fmt: skip


def settings(port: int, **more: Any) -> dict[str, Any]:
    """The plugin's settings for a server on that port."""
    return {**BASE, "port": port, **more}


@pytest.fixture
async def server() -> AsyncIterator[fake.MumbleServer]:
    """The fake, with a patrol channel."""
    made = fake.MumbleServer(("Root", "สายตรวจ"))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def murmur(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """Debian's ``mumble-server`` on a free port, with the password of an indirect parameter; the port."""
    program = shutil.which("murmurd") or shutil.which("mumble-server") or shutil.which("murmurd", path="/usr/sbin")
    if program is None:
        pytest.skip("mumble-server (Debian) is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ini = tmp_path / "murmur.ini"
    ini.write_text(
        f"database={tmp_path}/murmur.sqlite\nlogfile=\npidfile=\nport={port}\nhost=127.0.0.1\nbandwidth=72000\n"
        "users=20\nuname=root\nwelcometext=\nbonjour=false\n"
        f"serverpassword={getattr(request, 'param', '')}\n"
    )
    process = await asyncio.create_subprocess_exec(
        program, "-fg", "-ini", str(ini), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _answers(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
