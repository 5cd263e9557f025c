"""Clips for evidence: what a ring holds and what comes next, as MP4 files that wait here until they are fetched."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

from hub.core.error import InvalidInput, LimitExceeded, NotFound, Unavailable
from hub.vision.relay import Relay
from hub.vision.ring import Piece, runs

MOST_S = 60.0
MOST_FILE = 15 << 20
MAX_CLIPS = 16
KEPT_S = 60.0


class Clips:
    """Clips in the making and made. Lives on one event loop."""

    def __init__(self) -> None:
        self._made: dict[str, list[bytes]] = {}
        self._making = 0
        self._numbers = itertools.count(1)

    async def make(self, key: str, relay: Relay, before_s: float, after_s: float) -> dict[str, Any]:
        """Collect from ``before_s`` ago until ``after_s`` from now. ``Unavailable`` when nothing came in that time."""
        if len(self._made) + self._making >= MAX_CLIPS:
            raise LimitExceeded(f"{MAX_CLIPS} clips are being made already", where=key, hint="try again in a minute")
        self._making += 1
        try:
            taker = relay.collect(time.time() - before_s)
            try:
                await asyncio.sleep(after_s)
            finally:
                pieces = relay.release(taker)
            if not pieces:
                raise Unavailable(f"no video to keep: {relay.header.get('reason') or 'none came'}", where=key)
            found = await asyncio.to_thread(_files, pieces)
        finally:
            self._making -= 1
        name = str(next(self._numbers))
        self._made[name] = [data for _, data in found]
        asyncio.get_running_loop().call_later(KEPT_S, self._made.pop, name, None)
        return {"clip": name, "parts": [about for about, _ in found], "full": taker.full}

    def part(self, clip: Any, part: Any) -> bytes:
        """One of its files; the last one lets go of all."""
        files = self._made.get(clip) if isinstance(clip, str) else None
        if files is None or not isinstance(part, int) or not 0 <= part < len(files):
            raise NotFound("no such part of a clip", where="clip", hint="they are kept for a minute")
        if part == len(files) - 1:
            del self._made[clip]
        return files[part]


def _files(pieces: list[Piece]) -> list[tuple[dict[str, Any], bytes]]:
    from hub.vision.remux import file_of  # loads PyAV: only when asked

    found = []
    for run in runs(pieces, MOST_FILE):
        data = file_of(run)
        found.append(({"begins": run[0].at, "ends": run[-1].at, "size": len(data)}, data))
    return found


def seconds(args: dict[str, Any], name: str) -> float:
    """A time of the clip call; ``InvalidInput`` names it."""
    value = args.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_S:
        raise InvalidInput(f"must be a number from 0 to {MOST_S:g}", where=name)
    return float(value)
