"""A child process with a wire to it: started, fed, watched for memory and signs of life, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pwd
import re
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hub
from hub.core.clock import SystemClock
from hub.core.error import HubError, TimedOut, Unavailable
from hub.core.wire import Handler, Message, Peer
from hub.host.processes import rss, send
from hub.host.rate import Buckets, Rate
from hub.host.registry import shown

log = logging.getLogger(__name__)

LINES = 400  # of its output that are kept
LOGGED = Rate(20, 200)  # of its lines that are logged
END_WITHIN_S = 2.0
DUMP_WITHIN_S = 1.0
LAST_WORDS_S = 0.5
_OUTPUT = 0  # place of the task that reads its output
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class Bounds:
    """``memory_mb`` resident; silent for ``silent_s`` (asked every ``ping_s``) is dead; ``look_s`` between looks;
    ``keep`` names further variables of the environment that it is given."""

    memory_mb: int | None = None
    nice: int = 0
    user: str | None = None
    ping_s: float = 5.0
    silent_s: float = 10.0
    look_s: float = 0.25
    keep: tuple[str, ...] = ()


class Child:
    """One process. ``ended`` holds why it ended, in words for a person."""

    def __init__(
        self, name: str, module: str, handler: Handler, bounds: Bounds, folder: Path | None = None
    ) -> None:
        self.name, self.folder = name, folder
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._module, self._handler, self._bounds = module, handler, bounds
        self._output: deque[str] = deque(maxlen=LINES)
        self._process: Process | None = None
        self._peer: Peer | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self._lines = Buckets(SystemClock(), LOGGED)
        self._why = ""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and not self.ended.done() else None

    async def start(self) -> None:
        """Start it; ``Unavailable`` when the system refuses."""
        ours, theirs = socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(theirs.fileno()), pass_fds=(theirs.fileno(),), stdin=DEVNULL, stdout=PIPE,
                stderr=STDOUT, env=self._environment(), cwd="/", start_new_session=True, **self._account(),
            )  # fmt: skip
        except (OSError, KeyError) as refused:
            ours.close()
            raise Unavailable(f"its process could not be started: {refused}", where=self.name) from None
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        self._peer = Peer(reader, writer, self._handler, self.name)
        jobs = [self._read_output(), self._peer.run(), self._wait(), self._ping()]
        if self._bounds.memory_mb is not None:
            jobs.append(self._weigh(self._bounds.memory_mb))
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(job, name=f"child {self.name}") for job in jobs]

    async def ask(self, call: str, args: dict[str, Any], blob: bytes = b"", limit: float | None = None) -> Message:
        """Call it; ``Unavailable`` with the reason when it has ended, ``TimedOut`` after ``limit`` seconds."""
        if self._peer is None:
            raise Unavailable(f"{self.name} is not running", where=self.name)
        asked = asyncio.ensure_future(self._peer.call(call, args, blob))
        try:
            either: set[asyncio.Future[Any]] = {asked, self.ended}
            await asyncio.wait(either, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if asked.done() and not isinstance(asked.exception(), Unavailable):
                return asked.result()
            if not asked.done() and not self.ended.done():
                raise TimedOut(f"no answer within {limit:g} s", where=self.name)
            if not self.ended.done():  # the wire is closed: it is ending, or the error is its own
                await asyncio.wait({self.ended}, timeout=END_WITHIN_S if self._peer._closed else 0)
            if self.ended.done():
                raise Unavailable(self.ended.result(), where=self.name)
            return asked.result()
        finally:
            asked.cancel()
            with contextlib.suppress(BaseException):
                asked.exception() if asked.done() else None

    async def tell(self, call: str, args: dict[str, Any]) -> None:
        """Tell it, if it still listens."""
        if self._peer is not None:
            with contextlib.suppress(Unavailable):
                await self._peer.notify(call, args)

    def kill(self, why: str) -> None:
        """End it now."""
        self._why = self._why or why
        if self._process is not None:
            send(self._process, signal.SIGKILL)

    async def stop(self) -> None:
        """Close the wire, which ends it; kill it when it does not."""
        if self._peer is not None:
            await self._peer.close()
        if self._process is not None and self._process.returncode is None:
            await asyncio.wait({self.ended}, timeout=END_WITHIN_S)
            self.kill("stopped")
            await asyncio.wait({self.ended}, timeout=END_WITHIN_S)
        if self._tasks:  # its last words are read; only a grandchild can hold its output open longer
            await asyncio.wait([self._tasks[_OUTPUT]], timeout=END_WITHIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._process is not None:
            self._process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public door for it

    # --- starting

    def _command(self, fd: int) -> Sequence[str]:
        own = self.folder / ".venv" / "bin" / "python" if self.folder is not None else None
        python = str(own) if own is not None and own.is_file() else sys.executable
        nice = ["--nice", str(self._bounds.nice)] if self._bounds.nice else []
        return [python, "-m", self._module, "--fd", str(fd), *nice]

    def _environment(self) -> dict[str, str]:
        """Its own: nothing of the hub's environment but what names language, time zone and programs."""
        kept = {name: os.environ[name] for name in (*_KEPT, *self._bounds.keep) if name in os.environ}
        site = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
        return kept | {
            "HOME": "/tmp",  # noqa: S108  # it has no home; some libraries want a writable one
            "PYTHONPATH": str(Path(hub.__file__).resolve().parent.parent),
            "HUB_SITE": os.pathsep.join(site), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1",
        }  # fmt: skip

    def _account(self) -> dict[str, Any]:
        """The account it runs as, where the hub may choose one."""
        if self._bounds.user is None or os.getuid() != 0:
            return {}
        account = pwd.getpwnam(self._bounds.user)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    # --- watching

    async def _read_output(self) -> None:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101  # started with a pipe
        stream = self._process.stdout
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the reader's limit: that piece is dropped
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip()[:2000]
            self._output.append(text)
            if self._lines.take(self.name):
                log.info("%s: %s", self.name, text)

    async def _wait(self) -> None:
        assert self._process is not None  # noqa: S101
        code = await self._process.wait()
        if self.ended.done():
            return
        await asyncio.wait([self._tasks[_OUTPUT]], timeout=LAST_WORDS_S)
        if self._why:
            self.ended.set_result(self._why)
        elif code < 0:
            self.ended.set_result(f"its process was killed by {signal.Signals(-code).name}")
        else:
            last = next((line for line in reversed(self._output) if line.strip()), "")
            self.ended.set_result(f"its process ended with code {code}" + (f": {last}" if last else ""))

    async def _weigh(self, most_mb: int) -> None:
        while not self.ended.done():
            await asyncio.sleep(self._bounds.look_s)
            held = rss(self.pid) if self.pid is not None else None
            if held is not None and held > most_mb << 20:
                self.kill(f"used {held >> 20} MB of its {most_mb} MB")

    async def _ping(self) -> None:
        assert self._peer is not None  # noqa: S101
        while not self.ended.done():
            await asyncio.sleep(self._bounds.ping_s)
            try:
                async with asyncio.timeout(self._bounds.silent_s):
                    await self._peer.call("ping", {})
            except TimeoutError:
                where = await self._stack()
                self.kill(f"did not answer for {self._bounds.silent_s:g} s" + (f" ({where})" if where else ""))
                return
            except Unavailable:
                return
            except HubError:  # a refusal is a sign of life too
                continue

    async def _stack(self) -> str:
        """Ask it for its stack (faulthandler, on SIGUSR1); the innermost line of its plugin, if it is there."""
        if self.pid is None:
            return ""
        self._output.append("--- stack")
        os.kill(self.pid, signal.SIGUSR1)
        deadline = asyncio.get_running_loop().time() + DUMP_WITHIN_S
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
            lines = list(self._output)
            dump = lines[len(lines) - lines[::-1].index("--- stack") :] if "--- stack" in lines else lines
            for found in filter(None, map(_FRAME.search, dump)):
                if self.folder is not None and Path(found["file"]).is_relative_to(self.folder):
                    return f"{shown(found['file'], self.folder)}:{found['line']}"
        return ""
