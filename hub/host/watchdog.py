"""Notices when the hub's loop does not turn, and which line of which plugin keeps it from turning."""

from __future__ import annotations

import asyncio
import functools
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from hub.host.registry import shown

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
TOO_LONG_S = 0.5

OnBlocked = Callable[[str | None, str], None]


class Watchdog:
    """A thread that asks the loop for a sign of life; ``on_blocked(plugin, words)`` is called on the loop, once it
    turns again. ``plugin`` is ``None`` when no plugin's code was seen."""

    def __init__(self, on_blocked: OnBlocked, too_long: float = TOO_LONG_S) -> None:
        self._on_blocked, self._too_long = on_blocked, too_long
        self._folders: list[tuple[str, Path, str]] = []
        self._stop = threading.Event()
        self._turned = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, folders: Sequence[tuple[Path, str]]) -> None:
        """Watch the running loop and its thread."""
        self.watch(folders)
        loop, thread = asyncio.get_running_loop(), threading.get_ident()
        self._thread = threading.Thread(target=self._watch, args=(loop, thread), name="watchdog", daemon=True)
        self._thread.start()

    def watch(self, folders: Sequence[tuple[Path, str]]) -> None:
        """These are the folders of plugins from now on."""
        self._folders = [(f"{folder}/", folder, plugin) for folder, plugin in folders]

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            self._turned.clear()
            asked = time.monotonic()
            if not self._post(loop, self._turned.set):
                return
            if self._turned.wait(self._too_long):
                continue
            where = self._where(thread)
            while not self._turned.wait(LOOK_EVERY_S) and not self._stop.is_set():
                where = where or self._where(thread)
            took = time.monotonic() - asked
            self._post(loop, functools.partial(self._tell, where, took))

    def _tell(self, where: tuple[str | None, str] | None, took: float) -> None:
        plugin, line = where or (None, "an unknown place")
        words = f"blocked the hub for {took:.1f} s at {line}"
        log.warning("%s %s", plugin or "something", words)
        self._on_blocked(plugin, words)

    def _where(self, thread: int) -> tuple[str | None, str] | None:
        """The innermost line of a plugin on the loop's stack."""
        frame: FrameType | None = sys._current_frames().get(thread)
        while frame is not None:
            file = frame.f_code.co_filename
            for prefix, folder, plugin in self._folders:
                if file.startswith(prefix):
                    return plugin, f"{shown(file, folder)}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    @staticmethod
    def _post(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> bool:
        try:
            loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is closed
            return False
        return True
