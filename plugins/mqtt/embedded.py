"""Starts the embedded broker and keeps it running."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

from hub.sdk import Unavailable

PROGRAM = Path(__file__).with_name("broker.py")
READY_WITHIN_S, END_WITHIN_S = 20.0, 4.0


class Embedded:
    """One process. It ends with the hub, since its standard input closes then."""

    def __init__(self, port: int, connections: int, log: logging.Logger) -> None:
        self._port, self._connections, self._log = port, connections, log
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._said = b""

    @property
    def pid(self) -> int | None:
        """Of the process, while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def ready(self) -> int:
        """Its port, after starting it when it does not run. ``Unavailable`` with its last words when it does not."""
        if self.pid is None:
            await self.stop()
            await self._start()
        return self._port

    async def _start(self) -> None:
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), "--port", str(self._port), "--connections", str(self._connections),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._said = b""
        self._reader = asyncio.create_task(self._listen(process.stderr), name="the embedded broker's words")
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                line = await process.stdout.readline() if process.stdout else b""
            ready = json.loads(line or b"{}")
        except (TimeoutError, ValueError):
            ready = {}
        if not ready.get("ready"):
            await asyncio.wait([self._reader], timeout=1)
            await self.stop()
            words = self._said.decode(errors="replace").strip().splitlines()
            raise Unavailable(
                f"the embedded MQTT broker did not start: {words[-1][:200] if words else 'no reason given'}",
                hint="is another broker on this port? then give its host",
            )
        self._port = int(ready["port"])  # the same again after a fall, so that lamps find it

    async def _listen(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None and (part := await stream.read(4096)):
            self._said = (self._said + part)[-4096:]
            self._log.info("embedded broker: %s", part.decode(errors="replace").strip()[:500])

    async def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(END_WITHIN_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        reader, self._reader = self._reader, None
        if reader is not None:
            await asyncio.wait([reader], timeout=1)
            reader.cancel()
