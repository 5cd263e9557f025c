"""Signals to children."""

from __future__ import annotations

import asyncio
import signal
import subprocess

import pytest

from hub.host.processes import send


async def test_a_signal_takes_no_status_from_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess.Popen, "send_signal", lambda process, number: pytest.fail("it polls"))
    process = await asyncio.create_subprocess_exec("sleep", "60")
    send(process, signal.SIGKILL)
    async with asyncio.timeout(10):
        assert await process.wait() == -signal.SIGKILL
    send(process, signal.SIGKILL)
