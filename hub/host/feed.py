"""What the viewers of one camera get: one feed a camera, a queue a viewer. A viewer that is too slow goes on at the
next key frame instead of falling behind."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

MAX_VIEWERS = 32
MAX_WAITING = 4 << 20
"""Bytes that wait for one viewer: some seconds of a usual camera."""
MAX_CACHED = 8 << 20
"""Bytes of the pictures since the last key frame, which a new viewer begins with."""
NOTHING: dict[str, Any] = {"kind": "none", "code": "connecting", "reason": "the stream is being opened"}


@dataclass(frozen=True, slots=True)
class Header:
    """How what follows is to be read. ``init``: bytes a player needs first, b"" for pictures."""

    data: dict[str, Any]
    init: bytes = b""


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture. ``at``: when it came from the camera, epoch seconds; ``key``: it can be shown without others."""

    data: bytes
    at: float
    key: bool


class Viewer:
    """One place at a feed. ``skipped`` counts the pictures it was too slow for."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._waiting: deque[Header | Piece] = deque()
        self._size = 0
        self._until_key = False
        self._wake = asyncio.Event()
        self.skipped = 0

    def give(self, item: Header | Piece) -> None:
        """Queue it; never blocks."""
        if isinstance(item, Header):
            self._clear()
            self._until_key = False
        elif self._until_key and not item.key:
            self.skipped += 1
            return
        else:
            self._until_key = False
            if self._size + len(item.data) > MAX_WAITING:
                self._skip()
                self._until_key = not item.key
                if self._until_key:
                    self.skipped += 1
                    return
            self._size += len(item.data)
        self._waiting.append(item)
        self._wake.set()

    def _skip(self) -> None:
        """Let go of what waits, but not of a header: without it nothing can be read."""
        header = next((item for item in self._waiting if isinstance(item, Header)), None)
        self.skipped += sum(isinstance(item, Piece) for item in self._waiting)
        self._clear()
        if header is not None:
            self._waiting.append(header)

    def _clear(self) -> None:
        self._waiting.clear()
        self._size = 0

    async def next(self) -> Header | Piece:
        """The next thing to send; waits for it. Cancelling loses nothing."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        item = self._waiting.popleft()
        if isinstance(item, Piece):
            self._size -= len(item.data)
        return item

    def close(self) -> None:
        """Leave; harmless when called again."""
        self._feed.leave(self)


class Feed:
    """What comes of one camera, for all who look."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self.viewers: set[Viewer] = set()
        self.header = Header(NOTHING)
        self._cached: list[Piece] = []
        self._cached_size = 0
        self._n: int | None = None
        self._broken = False

    def join(self) -> Viewer:
        """A new viewer, who gets the header and the pictures since the last key frame at once."""
        viewer = Viewer(self)
        viewer.give(self.header)
        for piece in self._cached:
            viewer.give(piece)
        self.viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """It looks no more."""
        self.viewers.discard(viewer)

    def take(self, args: dict[str, Any], blob: bytes) -> None:
        """What the vision process says: a header or a piece. After a loss nothing is shown before the next key."""
        n = int(args["n"])
        lost, self._n = self._n is not None and n != self._n + 1, n
        if "header" in args:
            self._broken = False
            self._give_header(Header(dict(args["header"]), blob))
            return
        piece = Piece(blob, float(args["at"]), bool(args["key_frame"]))
        self._broken = (self._broken or lost) and not piece.key
        if not self._broken:
            self._give(piece)

    def off(self, reason: str) -> None:
        """Nothing comes now."""
        self._n = None
        self._give_header(Header({"kind": "none", "code": "off", "reason": reason}))

    def _give_header(self, header: Header) -> None:
        self._uncache()
        self.header = header
        for viewer in self.viewers:
            viewer.give(header)

    def _give(self, piece: Piece) -> None:
        if piece.key:
            self._uncache()
        if piece.key or self._cached:
            self._cached.append(piece)
            self._cached_size += len(piece.data)
            if self._cached_size > MAX_CACHED:
                self._uncache()
        for viewer in self.viewers:
            viewer.give(piece)

    def _uncache(self) -> None:
        self._cached.clear()
        self._cached_size = 0
