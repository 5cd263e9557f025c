"""What the processes of the hub use, read from ``/proc`` (Linux, proc(5))."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = resource.getpagesize()


def send(process: asyncio.subprocess.Process, signal: int) -> None:
    """Signal a child. ``Process.kill`` and ``terminate`` look first whether it has ended, and so take its status away
    from asyncio's own watcher, which then tells of an unknown child that ended with 255 (CPython issue 127049)."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal)


def rss(pid: int) -> int | None:
    """Resident bytes; ``None`` when the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return None


def usage(name: str, pid: int) -> dict[str, Any] | None:
    """``{"name", "pid", "rss_mb", "cpu_s"}``; ``None`` when the process is gone."""
    held = rss(pid)
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if held is None or len(after_name) < 13:
        return None
    cpu = (int(after_name[11]) + int(after_name[12])) / _TICK  # utime and stime, fields 14 and 15
    return {"name": name, "pid": pid, "rss_mb": round(held / 2**20, 1), "cpu_s": round(cpu, 2)}
