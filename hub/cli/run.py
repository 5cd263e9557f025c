"""``hub run`` and ``hub reload``."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import time
from pathlib import Path
from typing import Any

from hub.cli import options
from hub.core.error import NotFound, TimedOut, Unavailable

REQUEST, RESULT, PID = "reload.request", "reload.result", "hub.pid"
LOOK_S = 0.05


def add(commands: options.Commands) -> None:
    """Declare the commands."""
    run = options.command(commands, "run", _run, "start the hub and serve until it is told to stop")
    options.config(run)
    options.data(run)
    run.add_argument("--host", metavar="HOST", help="address of the staff listener instead of web.host")
    run.add_argument("--port", type=options.port, metavar="N", help="its port instead of web.port; 0: a free one")
    reload = options.command(commands, "reload", _reload, "let the running hub take up its changed configuration")
    options.data(reload)
    reload.add_argument("--wait", type=float, default=120.0, metavar="SECONDS", help="how long to wait (default 120)")


def _run(given: argparse.Namespace) -> int:
    import asyncio
    import logging

    from hub.app import Options
    from hub.serve import run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return asyncio.run(run(Options(given.config, given.data, given.host, given.port)))


def _reload(given: argparse.Namespace) -> int:
    result = ask_reload(given.data, given.wait)
    for line in result["lines"] or ["nothing has changed"]:
        print(line)
    return 0 if result["ok"] else 1


def ask_reload(data: Path, wait_s: float) -> dict[str, Any]:
    """Ask the hub that runs on ``data``: ``{"id", "ok", "lines"}``. ``NotFound`` when none runs, ``TimedOut``."""
    pid = running(data)
    if pid is None:
        raise NotFound("no hub runs on this data folder", where=str(data), hint="start it: hub run")
    request = secrets.token_hex(8)
    part = data / f"{REQUEST}.part"
    part.write_text(json.dumps({"id": request}))
    part.replace(data / REQUEST)
    try:
        os.kill(pid, signal.SIGHUP)
    except PermissionError:
        raise Unavailable(f"the hub (process {pid}) is another user's", where=str(data)) from None
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        result = _result(data / RESULT)
        if result is not None and result.get("id") == request:
            return result
        if running(data) != pid:
            raise Unavailable("the hub ended meanwhile", where=str(data), hint="look at its log")
        time.sleep(LOOK_S)
    raise TimedOut(f"the hub did not answer within {wait_s:g} s", where=str(data), hint="look at its log")


def running(data: Path) -> int | None:
    """The process id of the hub that runs on ``data``."""
    try:
        pid = int((data / PID).read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError:  # it is there, and another user's
        pass
    return pid if b"hub" in _command_line(pid) else None


def _command_line(pid: int) -> bytes:
    """A number may have been given to another program since the hub was killed."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _result(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
