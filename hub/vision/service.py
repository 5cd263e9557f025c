"""The vision process as the hub sees it: calls and notifications over ``hub.core.wire``.

Calls from the hub:

``open``      {key, url, username?, password?, analyse: [motion, plate], motion: {sensitivity?, min_area_px?},
              plate: {min_interval_s?}, fps?, transport?: "tcp"} → {}. The same key replaces; the same arguments again
              change nothing.
``close``     {key} → {}
``snapshot``  {key} → {at, width, height} and a JPEG as blob; ``Unavailable`` before the first picture
``status``    {} → {sources: {key: {state, reason, fps, width, height, last_frame_at, frames, cpu_s}}, rss_mb,
              dropped}: ``dropped`` counts notifications that found the outbox full
``read``      {} and a JPEG or PNG as blob → {plates: [{series, number, province, confidence, alternatives, box}],
              width, height, seconds}

Notifications to the hub:

``camera``    {key, state: connecting | running | retrying, reason}, on change
``motion``    {key, moving, at, boxes: [[x, y, w, h]], scene: ok | changed}; with ``changed`` the view itself changed
              (the camera was moved, or switched between day and night) and ``moving`` is as it was
``plate``     {key, at, series, number, province, confidence, alternatives: [...], box} and the crop, JPEG, as blob

Times are epoch seconds, boxes fractions of the picture.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hub.core.error import InvalidInput, LimitExceeded, NotFound, Unavailable
from hub.core.wire import Peer, Reply
from hub.vision.spec import parse
from hub.vision.worker import SourceWorker

MAX_SOURCES = 64
MAX_OUTBOX = 512
Call = Callable[[dict[str, Any], bytes], Awaitable[Any]]


class VisionService:
    """All sources of one vision process. Lives on one event loop; its workers are threads."""

    def __init__(self) -> None:
        self._workers: dict[str, SourceWorker] = {}
        self._loop = asyncio.get_running_loop()
        self._outbox: asyncio.Queue[tuple[str, dict[str, Any], bytes]] = asyncio.Queue(MAX_OUTBOX)
        self._dropped = 0
        self._pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="plates")
        self._calls: dict[str, Call] = {
            "open": self._open,
            "close": self._close,
            "snapshot": self._snapshot,
            "status": self._status,
            "read": self._read,
        }

    async def handle(self, name: str, args: dict[str, Any], blob: bytes) -> Any:
        """Answer one call of the hub; a ``Handler`` of ``hub.core.wire``."""
        call = self._calls.get(name)
        if call is None:
            raise NotFound(f"the vision process knows no call {name!r}")
        return await call(args, blob)

    async def send(self, peer: Peer) -> None:
        """Pass notifications on until the hub goes away."""
        while True:
            name, data, blob = await self._outbox.get()
            try:
                await peer.notify(name, data, blob)
            except Unavailable:
                return

    def shut(self) -> None:
        """Stop all sources; returns at once."""
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _emit(self, name: str, data: dict[str, Any], blob: bytes) -> None:
        """From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._offer, (name, data, blob))
        except RuntimeError:  # the loop is closed: the process ends
            return

    def _offer(self, item: tuple[str, dict[str, Any], bytes]) -> None:
        try:
            self._outbox.put_nowait(item)
        except asyncio.QueueFull:
            self._dropped += 1

    def _worker(self, args: dict[str, Any]) -> SourceWorker:
        key = args.get("key")
        worker = self._workers.get(key) if isinstance(key, str) else None
        if worker is None:
            raise NotFound(f"no source {key!r} is open", where="key")
        return worker

    async def _open(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        spec = parse(args)
        before = self._workers.get(spec.key)
        if before is not None:
            if before.spec == spec:
                return {}
            before.stop()
        elif len(self._workers) >= MAX_SOURCES:
            raise LimitExceeded(f"{MAX_SOURCES} sources are open already", hint="close one, or start a second hub")
        worker = self._workers[spec.key] = SourceWorker(spec, self._emit, self._pool)
        worker.start()
        return {}

    async def _close(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        self._worker(args).stop()
        del self._workers[args["key"]]
        return {}

    async def _snapshot(self, args: dict[str, Any], blob: bytes) -> Reply:
        shot = await asyncio.to_thread(self._worker(args).snapshot)
        return Reply({"at": shot.at, "width": shot.width, "height": shot.height}, shot.data)

    async def _status(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        sources = {key: worker.status() for key, worker in self._workers.items()}
        return {"sources": sources, "rss_mb": rss_mb(), "dropped": self._dropped}

    async def _read(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        if not blob:
            raise InvalidInput("no picture came with the call", where="blob")
        return await asyncio.to_thread(_read_file, blob)


def _read_file(blob: bytes) -> dict[str, Any]:
    from hub.vision.analysis import read_file  # loads the kernels: only when asked

    return read_file(blob)


def rss_mb() -> float:
    """Resident memory of this process in MB, from ``/proc`` (proc(5))."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
