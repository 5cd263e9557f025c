"""A mosquitto of the test's own."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
Begin = Callable[..., Awaitable[asyncio.subprocess.Process]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Begin]:
    """``process = await mosquitto(port, *lines of its configuration)``."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (Debian: mosquitto)")
    running: list[asyncio.subprocess.Process] = []

    async def begin(port: int, *lines: str) -> asyncio.subprocess.Process:
        conf = tmp_path / "mosquitto.conf"
        usual = ("allow_anonymous true",) if not any("allow_anonymous" in line for line in lines) else ()
        conf.write_text("\n".join([f"listener {port} 127.0.0.1", *usual, *lines, ""]))
        process = await asyncio.create_subprocess_exec(
            str(MOSQUITTO), "-c", str(conf), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        running.append(process)
        assert process.stderr is not None
        async with asyncio.timeout(10):
            while line := await process.stderr.readline():
                if b"running" in line:
                    return process
        raise AssertionError("mosquitto did not start")

    yield begin
    for process in running:
        if process.returncode is None:
            process.kill()
            await process.wait()
