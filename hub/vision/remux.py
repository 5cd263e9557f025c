"""Compressed pictures put into another box without touching them: fragmented MP4 for viewers, MP4 files for evidence.

ISO/IEC 14496-12 (boxes), 14496-15 (AVC in them), RFC 6381 (names of codecs). Only this module and ``pull`` import PyAV
for streams.
"""

from __future__ import annotations

import datetime
import io
from fractions import Fraction
from typing import Any

import av
import av.error
from av import Packet, VideoFrame
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

from hub.core.error import Unavailable
from hub.vision.ring import Format, Piece

H265 = "hevc"
JPEG = "mjpeg"
MAX_JUMP_S = 10.0
"""A larger step between two pictures' times is a camera that set its clock: what follows begins anew."""
_FRAGMENTS = {"movflags": "empty_moov+default_base_moof+frag_every_frame"}
class Jumped(Exception):
    """The pictures' times do not go on from those before."""


class _Out(io.RawIOBase):
    """What libav writes, in pieces. It cannot be sought in, so libav writes forward only."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def unplayable(codec: str) -> dict[str, Any] | None:
    """The header for a codec that no browser plays; ``None`` for one that can be shown."""
    if codec in ("h264", JPEG):
        return None
    if codec == H265:
        words = "the camera sends H.265, which browsers do not play: choose an H.264 stream as live_url"
        return {"kind": "none", "code": "h265", "reason": words}
    return {"kind": "none", "code": "codec", "reason": f"the camera sends {codec}, which browsers do not play"}


class Fragments:
    """Fragments of one H.264 stream: one a picture, told when the next picture comes, for its length is known then."""

    def __init__(self, source: VideoStream, first: Packet[VideoStream]) -> None:
        """``first`` is a key frame. ``Unavailable`` when stream and picture hold no parameter sets."""
        sets = parameter_sets(source.codec_context.extradata or b"") or parameter_sets(bytes(first))
        context = source.codec_context
        if not sets or not context.width:
            raise Unavailable("the stream does not say how its pictures are to be read")
        self._out = _Out()
        self._box: OutputContainer = av.open(self._out, "w", format="mp4", options=dict(_FRAGMENTS))
        self._stream = self._box.add_stream_from_template(source)
        self._stream.codec_context.extradata = b"".join(b"\0\0\0\1" + one for one in sets)
        self._box.start_encoding()
        sps = sets[0]
        header = {
            "kind": "fmp4", "codecs": f"avc1.{sps[1:4].hex()}", "width": context.width, "height": context.height,
        }  # fmt: skip
        self.format = Format(header, self._out.take())
        self._base = source.time_base or Fraction(1, 90_000)
        self._last: int | None = None
        self._begun: int | None = None
        self._held: tuple[float, bool] | None = None

    def take(self, packet: Packet[VideoStream], at: float) -> Piece | None:
        """The next picture goes in; what comes out is the one before. ``Jumped`` when its time does not follow."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None:
            stamp = 0 if self._last is None else self._last + 1
        if self._last is not None:
            if not -1.0 <= (stamp - self._last) * self._base <= MAX_JUMP_S:
                raise Jumped
            stamp = max(stamp, self._last + 1)
        self._begun = stamp if self._begun is None else self._begun
        self._last = stamp
        shown = packet.pts if packet.pts is not None else stamp
        packet.dts = stamp - self._begun
        packet.pts = max(shown, stamp) - self._begun
        held, self._held = self._held, (at, packet.is_keyframe)
        packet.stream = self._stream
        self._box.mux(packet)
        made = self._out.take()
        return Piece(self.format, made, *held) if held is not None and made else None

    def close(self) -> Piece | None:
        """The last picture."""
        try:
            self._box.close()
        except (av.error.FFmpegError, ValueError):
            return None
        made, held = _fragment(self._out.take()), self._held
        return Piece(self.format, made, *held) if held is not None and made else None


def _fragment(made: bytes) -> bytes:
    """Without the index of random access (mfra) that ends a file and belongs to no picture."""
    at = end = 0
    while at + 8 <= len(made):
        size, kind = int.from_bytes(made[at : at + 4], "big"), made[at + 4 : at + 8]
        if kind not in (b"moof", b"mdat") or size < 8:
            break
        at = end = at + size
    return made[:end]


def parameter_sets(data: bytes) -> list[bytes]:
    """Sequence and picture parameter sets of H.264, SPS first, from Annex B bytes (ITU-T H.264, B.1) or an avcC box
    (14496-15, 5.3.3.1); [] when not both are there."""
    units = _from_avcc(data) if data[:1] == b"\1" else [unit.rstrip(b"\0") for unit in _annex_b(data)]
    sps = [unit for unit in units if len(unit) > 4 and unit[0] & 31 == 7]
    pps = [unit for unit in units if unit and unit[0] & 31 == 8]
    return [*sps[:1], *pps] if sps and pps else []


def _annex_b(data: bytes) -> list[bytes]:
    return data.split(b"\0\0\1")[1:]


def _from_avcc(data: bytes) -> list[bytes]:
    units, at = [], 5
    for mask in (31, 255):
        count = data[at] & mask if at < len(data) else 0
        at += 1
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            units.append(data[at + 2 : at + 2 + size])
            at += 2 + size
    return units


def file_of(run: list[Piece]) -> bytes:
    """An MP4 file of pieces of one format, beginning at time 0. Single pictures are encoded as H.264."""
    made = io.BytesIO()
    begun = datetime.datetime.fromtimestamp(run[0].at, datetime.UTC).isoformat(timespec="milliseconds")
    with av.open(made, "w", format="mp4") as box:
        box.metadata["creation_time"] = begun
        if run[0].format.header["kind"] == "jpeg":
            _encode(run, box)
        else:
            _copy(run, box)
    return made.getvalue()


def _copy(run: list[Piece], box: OutputContainer) -> None:
    whole = io.BytesIO(run[0].format.init + b"".join(piece.data for piece in run))
    with av.open(whole, "r", format="mp4") as source:
        video = source.streams.video[0]
        stream, first = box.add_stream_from_template(video), None
        for packet in source.demux(video):
            if packet.dts is None:
                continue
            first = packet.dts if first is None else first
            packet.pts, packet.dts = (packet.pts or packet.dts) - first, packet.dts - first
            packet.stream = stream
            box.mux(packet)


def _encode(run: list[Piece], box: OutputContainer) -> None:
    """Single pictures have no length: each is shown until the next one came. All get the size of the first."""
    first = Image.open(io.BytesIO(run[0].data))
    width, height = first.width & ~1, first.height & ~1
    stream = box.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "20"})
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 1000)
    last = -1
    for piece in run:
        image = Image.open(io.BytesIO(piece.data)).convert("RGB")
        frame = VideoFrame.from_image(  # type: ignore[no-untyped-call]
            image if image.size == (width, height) else image.resize((width, height))
        )
        last = max(last + 1, round((piece.at - run[0].at) * 1000))
        frame.pts, frame.time_base = last, Fraction(1, 1000)
        for packet in stream.encode(frame):
            box.mux(packet)
    for packet in stream.encode():
        box.mux(packet)
