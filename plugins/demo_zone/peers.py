"""The programs of the demo zone: started, watched, started again, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from hub.sdk import Context, Unavailable

from .settings import Settings

HERE = Path(__file__).parent
READY_WITHIN_S = 45.0
END_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its name for people, its file and what it is told."""

    name: str
    file: Path
    arguments: tuple[str, ...]


def peers(ports: Settings, hub: str) -> list[Program]:
    """The programs of the demo. Each plugin's own fake is the device it is tried with."""
    others = HERE.parent
    phones = [argument for phone in ports.phones for argument in ("--phone", phone)]
    camera = ("--port", str(ports.camera_port), "--seed", str(ports.seed))
    drone = ("--port", str(ports.drone_port), "--speed-up", "2")
    return [
        Program("street camera", HERE / "rtsp_server.py", camera),
        Program("LINE server", others / "line_oa" / "fake.py", ("--port", str(ports.line_port))),
        Program("autopilot", others / "drone_mavlink" / "fake.py", drone),
        Program("phones", others / "units" / "fake.py", ("--url", hub + ports.phones_path, *phones)),
    ]


class Peer:
    """One running program."""

    def __init__(self, ctx: Context, program: Program) -> None:
        self._ctx, self._program = ctx, program
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it says that it is ready; ``Unavailable`` with its last words otherwise."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(self._program.file), *self._program.arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                line = await self._process.stdout.readline() if self._process.stdout else b""
            if json.loads(line or b"{}").get("ready"):
                return
        except (TimeoutError, json.JSONDecodeError):
            pass
        words = await self._last_words()
        await self.stop()
        raise Unavailable(f"the demo's {self._program.name} did not start: {words}", where=self._program.file.name)

    async def _last_words(self) -> str:
        if self._process is None or self._process.stderr is None:
            return "no reason given"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                lines = (await self._process.stderr.read(4000)).decode(errors="replace").strip().splitlines()
                return lines[-1] if lines else "no reason given"
        return "no reason given"

    async def look(self) -> None:
        """Start it again when it has ended."""
        if self._process is not None and self._process.returncode is not None:
            self._ctx.log.warning("the demo's %s ended and is started again", self._program.name)
            await self.start()

    async def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(END_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
