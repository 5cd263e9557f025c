"""One source's compressed pictures on their way to viewers and into the ring for evidence.

A source's thread puts packets in; the service's loop says who wants them. PyAV is loaded with the first packet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.core.error import LimitExceeded, Unavailable
from hub.vision.ring import Format, Piece, Ring

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

    from hub.vision.remux import Fragments

Tell = Callable[[dict[str, Any], bytes], None]
MAX_TAKERS = 4
MAX_TAKEN = 96 << 20
JPEG_FORMAT = {"kind": "jpeg"}
CONNECTING = Format({"kind": "none", "code": "connecting", "reason": "the stream is being opened"})


class Taker:
    """Collects pieces for one clip. ``full``: the limit of bytes was met and what followed is not there."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces, self.size, self.full = pieces, sum(len(piece.data) for piece in pieces), False

    def add(self, piece: Piece) -> None:
        self.full = self.full or self.size + len(piece.data) > MAX_TAKEN
        if not self.full:
            self.pieces.append(piece)
            self.size += len(piece.data)


class Relay:
    """``tell(data, blob)`` gets what viewers get, while anybody watches: first ``{"header": ...}`` with the init
    segment as blob, then ``{"at", "key_frame"}`` with each piece. ``n`` counts both, so that a loss is seen."""

    def __init__(self, record_s: float, tell: Tell) -> None:
        self._record_s, self._tell = record_s, tell
        self._lock = threading.Lock()
        self._ring = Ring(record_s)
        self._format = CONNECTING
        self._fragments: Fragments | None = None
        self._takers: list[Taker] = []
        self._watched, self._n = False, 0
        self.wanted = threading.Event()
        self._weigh_up()

    @property
    def header(self) -> dict[str, Any]:
        """What viewers are told now."""
        return self._format.header

    @property
    def size(self) -> int:
        """Bytes in the ring."""
        return self._ring.size

    def limit(self, most: int) -> None:
        """The ring may have so many bytes."""
        with self._lock:
            self._ring.limit = most

    def watch(self, on: bool) -> None:
        """Somebody looks, or nobody any more. Who begins gets the format and the pictures since the last key frame."""
        with self._lock:
            self._watched = on
            if on:
                self._say_format()
                newest = self._ring.newest()
                for piece in newest if newest and newest[-1].format is self._format else ():
                    self._say(piece)
            self._weigh_up()

    def collect(self, since: float) -> Taker:
        """Begin a clip that reaches back to ``since``; ``release`` ends it. ``LimitExceeded`` beyond ``MAX_TAKERS``."""
        with self._lock:
            if len(self._takers) >= MAX_TAKERS:
                raise LimitExceeded(f"{MAX_TAKERS} clips of this camera are being made already")
            taker = Taker([])
            for piece in self._ring.since(since):
                taker.add(piece)
            self._takers.append(taker)
            self._weigh_up()
            return taker

    def release(self, taker: Taker) -> list[Piece]:
        """End it; its pieces."""
        with self._lock:
            if taker in self._takers:
                self._takers.remove(taker)
            self._weigh_up()
        return taker.pieces

    # --- from the source's thread

    def packet(self, packet: Packet[VideoStream], source: VideoStream) -> None:
        """The next compressed picture. The packet is used up: decode it before."""
        from hub.vision import remux

        if not self.wanted.is_set() or packet.size == 0:
            self._drop()
            return
        codec = source.codec_context.name
        unplayable = remux.unplayable(codec)
        if unplayable is not None:
            self._became(Format(unplayable))
        elif codec == remux.JPEG:
            self.picture(bytes(packet))
        else:
            self._mux(packet, source)

    def _mux(self, packet: Packet[VideoStream], source: VideoStream) -> None:
        from hub.vision import remux

        if self._fragments is None:
            if not packet.is_keyframe:
                return
            try:
                self._fragments = remux.Fragments(source, packet)
            except Unavailable as unreadable:
                self._became(Format({"kind": "none", "code": "codec", "reason": unreadable.message}))
                return
        if self._format is not self._fragments.format:
            self._became(self._fragments.format)
        try:
            piece = self._fragments.take(packet, time.time())
        except remux.Jumped:
            self._drop()
            return
        if piece is not None:
            self._add(piece)

    def picture(self, data: bytes) -> None:
        """The next picture of a camera that gives JPEGs."""
        if not self.wanted.is_set():
            return
        if self._format.header != JPEG_FORMAT:
            self._became(Format(JPEG_FORMAT))
        self._add(Piece(self._format, data, time.time(), key=True))

    def ended(self, reason: str) -> None:
        """The source gives nothing now; what was collected stays."""
        self._drop()
        self._became(Format({"kind": "none", "code": "off", "reason": reason}) if reason else CONNECTING)

    def _drop(self) -> None:
        """The next picture begins a new stream."""
        if self._fragments is not None:
            last, self._fragments = self._fragments.close(), None
            if last is not None:
                self._add(last)

    def _add(self, piece: Piece) -> None:
        with self._lock:
            self._ring.add(piece)
            for taker in self._takers:
                if piece.key or taker.pieces:
                    taker.add(piece)
            if self._watched:
                self._say(piece)

    def _became(self, made: Format) -> None:
        with self._lock:
            if made.header != self._format.header or made.init != self._format.init or made.header["kind"] != "none":
                self._format = made
                if self._watched:
                    self._say_format()

    # --- under the lock

    def _weigh_up(self) -> None:
        if self._watched or self._takers or self._record_s > 0:
            self.wanted.set()
        else:
            self.wanted.clear()
            self._ring.clear()
            self._format = CONNECTING

    def _say_format(self) -> None:
        self._n += 1
        self._tell({"n": self._n, "header": self._format.header}, self._format.init)

    def _say(self, piece: Piece) -> None:
        self._n += 1
        self._tell({"n": self._n, "at": piece.at, "key_frame": piece.key}, piece.data)
