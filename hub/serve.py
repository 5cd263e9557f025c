"""The process: start the hub, serve until a signal, reload on SIGHUP."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from hub.app import App, Options
from hub.core.error import ConfigError, HubError, InvalidInput


async def run(options: Options) -> int:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads. The exit status."""
    try:
        app = App(options)
    except InvalidInput as wrong:
        print(wrong.message if isinstance(wrong, ConfigError) else wrong, file=sys.stderr)  # noqa: T201 - to a person
        return 1
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    reloads: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGHUP, lambda: reloads.add(loop.create_task(_reload(app))))
    pid = options.data / "hub.pid"
    try:
        await app.start()
        quiet_collector()
        pid.write_text(str(os.getpid()))
        _greet(app, print)
        await stopped.wait()
    finally:
        pid.unlink(missing_ok=True)
        await app.stop()
    return 0


def quiet_collector() -> None:
    """What is there after the start stays for good: without it each full collection walks all of it, 70 ms at a time
    with 1,000 rules. What comes later is collected seldom: most of it is freed by reference counts alone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _greet(app: App, say: Callable[[str], None]) -> None:
    say(f"hub: {app.url}")
    if app.demo is not None:
        say(f"demo login (on this machine only): {app.demo.user} / {app.demo.password}")
    sys.stdout.flush()


async def _reload(app: App) -> None:
    """SIGHUP: answer the request in ``reload.request`` with ``reload.result``, for ``hub reload``."""
    asked: dict[str, Any] = {}
    with contextlib.suppress(OSError, json.JSONDecodeError):
        asked = json.loads((app.options.data / "reload.request").read_text())
    try:
        done = await app.reload()
        result = {"ok": not done.mistakes, "lines": [*done.lines, *done.mistakes]}
    except HubError as wrong:
        result = {"ok": False, "lines": wrong.message.splitlines()}
    answer = app.options.data / "reload.result"
    part = answer.with_suffix(".part")
    part.write_text(json.dumps({"id": asked.get("id"), **result}))
    part.replace(answer)
