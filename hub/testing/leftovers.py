"""What a part of the process leaves behind: tasks, sockets and threads, compared before and after."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

SETTLE_S = 2.0
LOOK_S = 0.02
_POOLS = ("asyncio_", "ThreadPoolExecutor")  # the loop's own workers come and stay as they are needed


@dataclass(frozen=True)
class Leftovers:
    """What there is at one moment. ``sockets``: the kernel's names of them."""

    tasks: frozenset[asyncio.Task[Any]]
    sockets: frozenset[str]
    threads: frozenset[threading.Thread]

    @classmethod
    def now(cls) -> Self:
        """At this moment."""
        threads = (one for one in threading.enumerate() if not one.name.startswith(_POOLS))
        return cls(frozenset(asyncio.all_tasks()), frozenset(_sockets()), frozenset(threads))

    async def grown(self) -> list[str]:
        """What is there now and was not, after what ends a little later had its time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_S
        while (found := self._more()) and loop.time() < deadline:  # noqa: ASYNC110 - nothing tells when a socket closes
            await asyncio.sleep(LOOK_S)
        return found

    def _more(self) -> list[str]:
        now = Leftovers.now()
        tasks = [one for one in now.tasks - self.tasks if one is not asyncio.current_task()]
        return [
            *(f"the task {one.get_name()} is left" for one in tasks),
            *("a socket is left open" for _ in now.sockets - self.sockets),
            *(f"the thread {one.name} is left" for one in now.threads - self.threads),
        ]


def _sockets() -> list[str]:
    """This process's sockets, from ``/proc`` (Linux, proc(5))."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)  # noqa: PTH115 - not a path: socket:[INODE]
        except OSError:
            continue
        if target.startswith("socket:"):
            found.append(target)
    return found
