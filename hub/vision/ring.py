"""The last seconds of a source as playable pieces, in groups that begin with a key frame, bounded in time and bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MOST_BYTES = 32 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """How pieces are to be read. ``header`` is what viewers are told; ``init``: what a player needs first, b"" for
    pictures. Each connection to a camera has a format of its own: its pieces continue no others."""

    header: dict[str, Any]
    init: bytes = b""


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture as it travels. ``at``: when it came, epoch seconds; ``key``: it can be shown without others."""

    format: Format
    data: bytes
    at: float
    key: bool


@dataclass(slots=True)
class _Group:
    pieces: list[Piece] = field(default_factory=list)
    size: int = 0


class Ring:
    """Pieces of the last ``keep_s`` seconds, whole groups, at least the newest; never over ``limit`` bytes.

    Not safe for threads by itself.
    """

    def __init__(self, keep_s: float, limit: int = MOST_BYTES) -> None:
        self.keep_s, self.limit = keep_s, limit
        self._groups: deque[_Group] = deque()
        self.size = 0

    def add(self, piece: Piece) -> None:
        """Take the next piece; one that continues nothing is passed over."""
        if piece.key:
            self._groups.append(_Group())
        elif not self._groups or self._groups[-1].pieces[-1].format is not piece.format:
            return
        group = self._groups[-1]
        group.pieces.append(piece)
        group.size += len(piece.data)
        self.size += len(piece.data)
        self._trim(piece.at)

    def _trim(self, now: float) -> None:
        groups = self._groups
        while groups and (
            self.size > self.limit or (len(groups) > 1 and groups[1].pieces[0].at <= now - self.keep_s)
        ):
            self.size -= groups.popleft().size

    def newest(self) -> list[Piece]:
        """From the last key frame on."""
        return list(self._groups[-1].pieces) if self._groups else []

    def since(self, at: float) -> list[Piece]:
        """From the last key frame at or before ``at`` on, or all there is."""
        groups = list(self._groups)
        later = [i for i, group in enumerate(groups) if group.pieces[0].at > at]
        first = max((later[0] if later else len(groups)) - 1, 0)
        return [piece for group in groups[first:] for piece in group.pieces]

    def clear(self) -> None:
        self._groups.clear()
        self.size = 0


def runs(pieces: list[Piece], most: int) -> Iterator[list[Piece]]:
    """Pieces parted where the format changes, and at key frames so that none is over ``most`` bytes if it can be."""
    run: list[Piece] = []
    size = group = 0  # bytes of the run, and of it those since the last key frame
    for piece in pieces:
        if run and piece.format is not run[-1].format:
            yield run
            run, size, group = [], 0, 0
        if piece.key:
            group = 0
        run.append(piece)
        size, group = size + len(piece.data), group + len(piece.data)
        if size > most:
            last_key = max(i for i, one in enumerate(run) if one.key or i == 0)
            if last_key > 0:
                yield run[:last_key]
                run, size = run[last_key:], group
    if run:
        yield run
