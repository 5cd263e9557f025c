"""The vision process as the hub sees it: calls and notifications over ``hub.core.wire``.

Calls from the hub:

``open``      {key, url, username?, password?, analyse: [motion, plate],
              motion: {sensitivity?, min_area_px?, min_size_m?, scale?: [[row, metres]], masks?: [[[x, y]]],
              lines?: [{name, points}], areas?: [{name, points, after_s}], tamper?: bool},
              plate: {min_interval_s?}, fps?, transport?: "tcp", kind?: stream | snapshot | mjpeg, every_s?,
              live_url?, record_s?} → {}. The same key replaces; the same arguments again change nothing.
``close``     {key} → {}
``snapshot``  {key} → {at, width, height} and a JPEG as blob; ``Unavailable`` before the first picture
``live``      {key, on: bool} → {}: whether ``live`` is told of the source
``clip``      {key, before_s, after_s} → {clip, parts: [{begins, ends, size}]} after ``after_s`` seconds: MP4 files of
              at most 15 MiB each where key frames allow it, kept for a minute; ``Unavailable`` when nothing came
``clip_part`` {clip, part} → {} and the file as blob; asking for the last one lets go of all
``status``    {} → {sources: {key: {state, reason, fps, width, height, last_frame_at, frames, ring_mb, cpu_s}},
              rss_mb, dropped}: ``dropped`` counts notifications that found the outbox full
``read``      {} and a JPEG or PNG as blob → {plates: [{series, number, province, confidence, alternatives, box}],
              width, height, seconds}
``words``     {list} and its words as blob, one a line → {}: replaces the list; no blob takes it away
``nearest``   {list, read: [[[letter, cost]]], other, gap, bound, most?} → {found: [[place in the list, cost]]}

Notifications to the hub:

``camera``    {key, state: connecting | running | retrying, reason}, on change
``motion``    {key, moving, at, boxes: [[x, y, w, h]]}: something begins to move, or nothing moves any more
``passed``    {key, at, what: crossed | stayed, name, way: left | right | "", seconds}: of a line or an area
``scene``     {key, at, scene: ok | moved | covered | defocused | dark}, on change: ``moved`` at once, the others when
              they have lasted
``plate``     {key, at, series, number, province, confidence, alternatives: [...], box} and the crop, JPEG, as blob
``live``      {key, n, header} and the init segment as blob, then {key, n, at, key_frame} and a piece as blob, while
              ``live`` is on; ``n`` counts one by one, so that a loss is seen

Times are epoch seconds, boxes fractions of the picture.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.core.error import InvalidInput, LimitExceeded, NotFound, Unavailable
from hub.core.wire import Peer, Reply
from hub.vision.clips import Clips, seconds
from hub.vision.ring import MOST_BYTES
from hub.vision.spec import parse
from hub.vision.worker import SourceWorker

if TYPE_CHECKING:
    from hub.vision.words import Words

MAX_SOURCES = 64
MAX_OUTBOX = 512
MAX_LIVE_OUTBOX = 256
"""What is seen goes before what is shown: live pictures leave this much of the outbox to the rest."""
MAX_RINGS = 512 << 20
Call = Callable[[dict[str, Any], bytes], Awaitable[Any]]


class VisionService:
    """All sources of one vision process. Lives on one event loop; its workers are threads."""

    def __init__(self) -> None:
        self._workers: dict[str, SourceWorker] = {}
        self._loop = asyncio.get_running_loop()
        self._outbox: asyncio.Queue[tuple[str, dict[str, Any], bytes]] = asyncio.Queue(MAX_OUTBOX)
        self._dropped = 0
        self._clips = Clips()
        self._lists: Words | None = None
        self._pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="plates")
        self._calls: dict[str, Call] = {
            "open": self._open,
            "close": self._close,
            "snapshot": self._snapshot,
            "live": self._live,
            "clip": self._clip,
            "clip_part": self._clip_part,
            "status": self._status,
            "read": self._read,
            "words": self._words,
            "nearest": self._nearest,
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
        room = MAX_LIVE_OUTBOX if item[0] == "live" else MAX_OUTBOX
        if self._outbox.qsize() < room:
            self._outbox.put_nowait(item)
        else:
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
        self._share_rings()
        return {}

    async def _close(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        self._worker(args).stop()
        del self._workers[args["key"]]
        self._share_rings()
        return {}

    def _share_rings(self) -> None:
        """All rings together have a limit: the more cameras, the less each."""
        each = min(MOST_BYTES, MAX_RINGS // max(1, len(self._workers)))
        for worker in self._workers.values():
            worker.relay.limit(each)

    async def _live(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        self._worker(args).relay.watch(args.get("on") is True)
        return {}

    async def _clip(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        worker, before_s, after_s = self._worker(args), seconds(args, "before_s"), seconds(args, "after_s")
        return await self._clips.make(worker.spec.key, worker.relay, before_s, after_s)

    async def _clip_part(self, args: dict[str, Any], blob: bytes) -> Reply:
        return Reply({}, self._clips.part(args.get("clip"), args.get("part")))

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

    async def _words(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        if self._lists is None:
            self._lists = await asyncio.to_thread(_listed)
        return await asyncio.to_thread(self._lists.take, args, blob)

    async def _nearest(self, args: dict[str, Any], blob: bytes) -> dict[str, Any]:
        if self._lists is None:
            raise NotFound("no list was sent", where="list")
        return await asyncio.to_thread(self._lists.nearest, args, blob)


def _listed() -> Words:
    from hub.vision.words import Words  # loads a kernel: only when asked

    return Words()


def _read_file(blob: bytes) -> dict[str, Any]:
    from hub.vision.analysis import read_file  # loads the kernels: only when asked

    return read_file(blob)


def rss_mb() -> float:
    """Resident memory of this process in MB, from ``/proc`` (proc(5))."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
