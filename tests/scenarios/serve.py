"""A hub in a process of its own, started by ``hub run``, and HTTP to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Self

import orjson
from aiohttp import ClientSession, ClientTimeout

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 60.0


class Served:
    """One process of the hub. ``url`` is known when ``start`` returns."""

    def __init__(self, config: Path, data: Path, environ: dict[str, str] | None = None) -> None:
        files = ["--config", str(config), "--data", str(data)]
        self._command = [sys.executable, "-m", "hub", "run", *files, "--port", "0"]
        self._environ = os.environ | {"PYTHONPATH": str(ROOT)} | (environ or {})
        self.url = ""
        self.output: deque[str] = deque(maxlen=500)
        self._served = threading.Event()
        self.process: subprocess.Popen[str]

    def start(self) -> Self:
        """Begin and wait until it serves."""
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self._environ, cwd="/"
        )
        threading.Thread(target=self._read, daemon=True).start()
        if not self._served.wait(START_WITHIN_S) or not self.url:
            self.kill()
            raise AssertionError("the hub did not serve:\n" + "\n".join(self.output))
        return self

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line.rstrip())
            if line.startswith("hub: "):
                self.url = line.split()[1]
                self._served.set()
        self._served.set()

    def kill(self) -> None:
        """``kill -9``."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


class Client:
    """Requests with one token."""

    def __init__(self, http: ClientSession, url: str, headers: dict[str, str]) -> None:
        self.http, self.url, self._headers = http, url, headers

    async def ask(self, method: str, path: str, **kwargs: Any) -> tuple[int, Any]:
        """Status and JSON."""
        headers = {**self._headers, **kwargs.pop("headers", {})}
        async with self.http.request(method, self.url + path, headers=headers, **kwargs) as answer:
            raw = await answer.read()
            return answer.status, orjson.loads(raw) if answer.content_type == "application/json" else raw

    async def get(self, path: str) -> Any:
        """The JSON of an answer that must be 200."""
        status, body = await self.ask("GET", path)
        assert status == 200, (path, status, body)
        return body

    async def act(self, action: str, target: str | None = None, **params: Any) -> Any:
        """The result of an action that must succeed."""
        status, outcome = await self.ask("POST", f"/api/actions/{action}", json={"target": target, "params": params})
        assert status == 200 and outcome["status"] == "done", (action, status, outcome)
        return outcome["result"]

    async def emit(self, kind: str, data: dict[str, Any], entity: str | None = None) -> tuple[int, Any]:
        """Status and answer of ``POST /api/events``."""
        return await self.ask("POST", "/api/events", json={"type": kind, "data": data, "entity": entity})

    async def events(self, after: int = 0) -> list[dict[str, Any]]:
        """All committed events after a number."""
        found: list[dict[str, Any]] = []
        while page := await self.get(f"/api/events?after={found[-1]['seq'] if found else after}&limit=1000"):
            found += page
        return found


def session() -> ClientSession:
    """A session whose requests do not wait for ever."""
    return ClientSession(timeout=ClientTimeout(total=30))


def wait_for(what: Any, within: float, why: str) -> Any:
    """Look again and again, from a thread or a process's outside, until ``what()`` is true."""
    deadline = time.monotonic() + within
    while not (found := what()):
        if time.monotonic() > deadline:
            raise AssertionError(why)
        time.sleep(0.02)
    return found
