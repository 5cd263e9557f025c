"""What a fake device needs to be a program: it says when it is ready and does not outlive who started it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any


def end_asked(on_line: Callable[[str], None] = lambda line: None) -> asyncio.Event:
    """Set on SIGTERM, SIGINT, or when standard input closes; until then its lines go to ``on_line``."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)

    def drain() -> None:
        while part := os.read(0, 4096):
            for line in part.decode("utf-8", "replace").splitlines():
                loop.call_soon_threadsafe(on_line, line)
        loop.call_soon_threadsafe(told.set)

    threading.Thread(target=drain, daemon=True).start()
    return told


def say_ready(**facts: Any) -> None:
    """One line of JSON on standard output, ``{"ready": true, …}``: whoever started the program waits for it."""
    sys.stdout.write(json.dumps({"ready": True, **facts}, ensure_ascii=False) + "\n")
    sys.stdout.flush()
