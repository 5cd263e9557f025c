"""The programs of the demo zone: started, watched, started again, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from hub.sdk import Context

from .settings import Settings

HERE = Path(__file__).parent
READY_WITHIN_S = 45.0
END_WITHIN_S = 3.0
RETRY_S = 20.0


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its name for people, its file and what it is told."""

    name: str
    file: Path
    arguments: tuple[str, ...]


def peers(config: Settings, hub: str) -> list[Program]:
    """The programs of the demo. Each plugin's own fake is the device it is tried with."""
    return [
        Program(one.name, HERE.parent / one.file, tuple(word.replace("{hub}", hub) for word in one.arguments))
        for one in config.programs
    ]


class Peer:
    """One running program."""

    def __init__(self, ctx: Context, program: Program) -> None:
        self._ctx, self._program = ctx, program
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._said = b""
        self._busy, self._ended = asyncio.Lock(), False
        self._problem, self._again = "", float("-inf")

    @property
    def pid(self) -> int | None:
        """Of the program, while it runs."""
        return self._process.pid if self._runs and self._process is not None else None

    @property
    def _runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def keep(self) -> str:
        """Start it when it does not run, and no more often than every ``RETRY_S``. What is wrong with it, in words;
        empty when it runs."""
        async with self._busy:
            now = self._ctx.clock.monotonic()
            if self._runs or self._ended or now < self._again:
                return self._problem
            if self._process is not None:
                self._ctx.log.warning("the demo's %s ended and is started again", self._program.name)
            self._problem = await self._start()
            self._again = now + RETRY_S if self._problem else self._again
            return self._problem

    async def _start(self) -> str:
        """Start it and wait until it says that it is ready; its last words when it does not."""
        await self._end()
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(self._program.file), *self._program.arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._said = b""
        self._readers.append(asyncio.create_task(self._listen(process.stderr), name="a demo program's errors"))
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                line = await process.stdout.readline() if process.stdout else b""
            if json.loads(line or b"{}").get("ready"):
                # read on: a program whose words nobody reads stands still when the pipe is full
                self._readers.append(asyncio.create_task(self._listen(process.stdout), name="a demo program's words"))
                return ""
        except (TimeoutError, ValueError):
            pass
        await asyncio.wait(self._readers, timeout=1)
        await self._end()
        words = self._said.decode(errors="replace").strip().splitlines()
        return f"the demo's {self._program.name} did not start: {words[-1] if words else 'no reason given'}"

    async def _listen(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None and (part := await stream.read(4096)):
            self._said = (self._said + part)[-4096:]

    async def stop(self) -> None:
        """End it for good."""
        self._ended = True
        await self._end()
        async with self._busy:  # a start that had begun before
            await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            _send(process, signal.SIGTERM)
            try:
                async with asyncio.timeout(END_WITHIN_S):
                    await process.wait()
            except TimeoutError:
                _send(process, signal.SIGKILL)
                await process.wait()
        readers, self._readers = self._readers, []
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


def _send(process: asyncio.subprocess.Process, number: int) -> None:
    """Without ``Process.terminate``, which takes the status of one that has just ended away from asyncio's watcher, and
    that then tells of an unknown child (CPython issue 127049)."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
